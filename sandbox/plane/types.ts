/**
 * The seam between the control plane (sandbox/control, sandbox/core: what the cloud believes) and the data plane
 * (sandbox/plane: processes and sockets that really exist). Times are milliseconds.
 */
import type { Ending } from './recorder.ts';

export interface TaskSpec {
  readonly id: string;
  /** The whole reference as the task definition gives it, and what the sandbox's registry knows of it. */
  readonly image: string;
  readonly tag: string;
  readonly digest: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command of a task that ends by itself: it prints and serves nothing. */
  readonly command?: readonly string[];
  /** What the load balancer would connect to; the real port is the address's. */
  readonly containerPort: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TaskExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Runs tasks: as child processes (`npm start`, end-to-end tests) or inside this process (lock-step tests). */
export interface TaskRunner {
  /** Resolves when the application listens; rejects when it ends before. `onExit` is called once, whoever ended it. */
  start(spec: TaskSpec, onExit: (exit: TaskExit) => void): Promise<Address>;
  /** SIGTERM, then SIGKILL after `grace`; resolves when it is gone. Unknown ids are ignored. */
  stop(id: string, grace: number): Promise<void>;
  stopAll(): Promise<void>;
}

/** Both runners of the sandbox also keep what their tasks print. */
export interface LoggingTaskRunner extends TaskRunner {
  /** The last lines that the task printed, oldest first; still readable after it ended. Empty for an unknown id. */
  logs(id: string): readonly string[];
}

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'unhealthy.draining' | 'draining' | 'unused';

export interface Target {
  /** As the API shows it: `10.0.1.7:80`. */
  readonly id: string;
  readonly state: TargetState;
  readonly address: Address;
}

export type Condition =
  | { readonly field: 'path-pattern' | 'host-header'; readonly values: readonly string[] }
  | { readonly field: 'http-header'; readonly name: string; readonly values: readonly string[] };

export type RuleAction =
  | { readonly kind: 'forward'; readonly targetGroups: readonly { readonly arn: string; readonly weight: number }[] }
  | { readonly kind: 'fixed-response'; readonly status: number; readonly body: string; readonly contentType?: string };

export interface Rule {
  readonly arn: string;
  /** Lower first; the default rule is last. */
  readonly priority: number | 'default';
  /** All must hold; `*` and `?` are wildcards as in ELBv2. */
  readonly conditions: readonly Condition[];
  readonly action: RuleAction;
}

export interface Listener {
  readonly arn: string;
  /** The port that the API shows; the real socket is on a free port of 127.0.0.1. */
  readonly port: number;
  /** What X-Forwarded-Proto says; the real socket speaks plain HTTP either way. Absent: http. */
  readonly protocol?: 'http' | 'https';
  readonly rules: readonly Rule[];
}

/** What one target group served since it exists. */
export interface TargetGroupCounts {
  readonly requests: number;
  readonly status2xx: number;
  readonly status3xx: number;
  readonly status4xx: number;
  readonly status5xx: number;
  /** Connections that did not come about: the client saw 502, 503 or 504. */
  readonly connectionErrors: number;
  /** Requests that reached a target which dropped them or fell silent: the client saw 502 or 504, or half an answer. */
  readonly unanswered: number;
  /** Response times of answered requests in milliseconds, newest last, at most the last 10,000. */
  readonly responseTimes: readonly number[];
}

/** The load balancers of one world. Weighted choice per request (seeded), round robin inside a group, fail-open when no target is healthy. */
export interface LoadBalancers {
  /** Sets all listeners of one load balancer; opens and closes sockets as needed. Returns the real base URL of each by listener ARN. */
  configure(loadBalancerArn: string, listeners: readonly Listener[]): Promise<Readonly<Record<string, string>>>;
  /** Replaces the targets of a group. A draining target gets no new request; its open ones go on. */
  setTargets(targetGroupArn: string, targets: readonly Target[]): void;
  counts(targetGroupArn: string): TargetGroupCounts;
  close(): Promise<void>;
}

/** What one target group served in a stretch of time, by the moment at which each request ended. */
export interface WindowCounts extends TargetGroupCounts {
  /** status5xx + connectionErrors + unanswered: what its users saw fail. */
  readonly errors: number;
  /** Requests whose client left before the target answered: neither good nor the target's fault. Part of `requests`. */
  readonly clientClosed: number;
  /** false: more was served in this time than is remembered, so the numbers are those of its newest part. */
  readonly complete: boolean;
}

export interface MeasuredLoadBalancers extends LoadBalancers {
  /** The last `length` milliseconds. */
  window(targetGroupArn: string, length: number): WindowCounts;
  /** From `from` (inclusive) to `to` (exclusive), epoch milliseconds of the load balancers' clock. */
  range(targetGroupArn: string, span: { readonly from: number; readonly to: number }): WindowCounts;
  /** Enters a request that nobody made: users of a clock that is moved by hand are played, not sent. */
  played(targetGroupArn: string, ending: Ending): void;
}

export type HealthAnswer =
  { readonly kind: 'status'; readonly status: number } | { readonly kind: 'failed'; readonly reason: string };
/** One health check as the load balancer makes it. */
export type CheckHealth = (address: Address, path: string, timeout: number) => Promise<HealthAnswer>;
