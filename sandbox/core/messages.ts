import type { Address, HealthAnswer } from '../plane/types.ts';
import type {
  DeploymentConfiguration,
  HealthCheck,
  JsonObject,
  LoadBalancerBinding,
  Ms,
  OneOff,
  State,
  TaskTemplate,
} from './types.ts';

/** What CreateService and UpdateService change, already validated and with the service's defaults filled in. */
export interface ServiceSpec {
  readonly desiredCount: number;
  readonly template: TaskTemplate;
  readonly configuration: DeploymentConfiguration;
  readonly healthCheckGracePeriod: Ms;
  readonly loadBalancers: readonly LoadBalancerBinding[];
  readonly settings: JsonObject;
}

/** Facts that the shell tells. An event about something unknown or already over changes nothing. */
export type Event =
  | { readonly kind: 'tick' }
  // What became of effects. A process that ended before it listened is told as task-exited.
  | { readonly kind: 'task-started'; readonly id: string; readonly address: Address }
  /** `CannotPullContainerError: ...`, `ResourceInitializationError: ...`: shown as stoppedReason, word for word. */
  | { readonly kind: 'task-start-failed'; readonly id: string; readonly reason: string }
  /** Also after stop-task. A process that ended by a signal has code null: shown as 137 or 143. */
  | { readonly kind: 'task-exited'; readonly id: string; readonly code: number | null; readonly signal?: string | null }
  /** `check` as the effect gave it. A failed answer whose reason has "time" in it counts as Target.Timeout. */
  | {
      readonly kind: 'health-answer';
      readonly targetGroupArn: string;
      readonly targetId: string;
      readonly check: number;
      readonly answer: HealthAnswer;
    }
  // Elastic Load Balancing, told after moto accepted the call.
  /** Created or modified: sent whole each time. */
  | {
      readonly kind: 'target-group-configured';
      readonly targetGroupArn: string;
      readonly name: string;
      readonly port: number;
      readonly healthCheck: HealthCheck;
    }
  | { readonly kind: 'target-group-attributes-set'; readonly targetGroupArn: string; readonly deregistrationDelay: Ms }
  | { readonly kind: 'target-group-deleted'; readonly targetGroupArn: string }
  /** After every change of listeners and rules; an empty list when the load balancer is gone. */
  | {
      readonly kind: 'load-balancer-changed';
      readonly loadBalancerArn: string;
      readonly targetGroupArns: readonly string[];
    }
  /** RegisterTargets by hand. The address of a task of this world is found by its ip. */
  | {
      readonly kind: 'targets-registered';
      readonly targetGroupArn: string;
      readonly targets: readonly { readonly ip: string; readonly port?: number; readonly address?: Address }[];
    }
  | {
      readonly kind: 'targets-deregistered';
      readonly targetGroupArn: string;
      readonly targets: readonly { readonly ip: string; readonly port?: number }[];
    }
  // ECS, made by sandbox/control/ecs alone.
  | {
      readonly kind: 'cluster-created';
      readonly name: string;
      readonly tags: Readonly<Record<string, string>>;
      readonly settings: JsonObject;
    }
  | {
      readonly kind: 'service-created';
      readonly cluster: string;
      readonly name: string;
      readonly spec: ServiceSpec;
      readonly tags: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'service-updated';
      readonly serviceArn: string;
      readonly spec: ServiceSpec;
      /** Whether the members that changed start a deployment (a desired count does not). */
      readonly deploys: 'new-deployment' | 'same-deployment';
    }
  | { readonly kind: 'service-deleted'; readonly serviceArn: string }
  /** With stop type ROLLBACK, the only one that the service knows. */
  | { readonly kind: 'service-deployment-stop-requested'; readonly serviceDeploymentArn: string }
  | { readonly kind: 'tasks-run'; readonly cluster: string; readonly count: number; readonly run: RunSpec }
  | { readonly kind: 'task-stop-requested'; readonly id: string; readonly reason: string }
  | {
      readonly kind: 'tagged';
      readonly resourceArn: string;
      readonly tags: Readonly<Record<string, string>>;
      readonly removed: readonly string[];
    }
  /** CloudWatch, told after moto accepted the call. */
  | { readonly kind: 'alarm-set'; readonly name: string; readonly alarm: 'ALARM' | 'OK' }
  // Fault tests.
  | { readonly kind: 'stale-reads-set'; readonly count: number }
  | { readonly kind: 'stale-read-answered' };

/** What RunTask gives besides the count. */
export interface RunSpec {
  readonly template: TaskTemplate;
  readonly group: string | undefined;
  readonly startedBy: string | undefined;
  readonly overrides: JsonObject;
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: JsonObject;
  readonly oneOff: OneOff | undefined;
}

/** What the shell carries out, in this order. */
export type Effect =
  /** TaskRunner.start; the shell adds tag and digest. Answered by task-started or task-start-failed, later task-exited. */
  | {
      readonly kind: 'start-task';
      readonly id: string;
      readonly image: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly containerPort: number;
      readonly oneOff: OneOff | undefined;
    }
  /** TaskRunner.stop; answered by task-exited. A task that is not there any more is answered too (code null). */
  | { readonly kind: 'stop-task'; readonly id: string; readonly grace: Ms }
  | {
      readonly kind: 'check-health';
      readonly targetGroupArn: string;
      readonly targetId: string;
      readonly check: number;
      readonly address: Address;
      readonly path: string;
      readonly timeout: Ms;
    }
  /** ECS's own ModifyRule: the groups get these weights, what else the rule has stays. */
  | {
      readonly kind: 'shift-traffic';
      readonly ruleArn: string;
      readonly weights: Readonly<Record<string, number>>;
    }
  /** The load balancers get `targetsOf(state, targetGroupArn)`. */
  | { readonly kind: 'targets-changed'; readonly targetGroupArn: string };

export interface Stepped {
  readonly state: State;
  readonly effects: readonly Effect[];
}
