import type { Instant } from '../domain/duration.ts';

/** The part of Amazon ECS that a rollout needs, in ECS's own words. Counts are tasks; ARNs are whole. */
export interface EcsServiceRef {
  readonly cluster: string;
  readonly service: string;
}

export interface EcsDeployment {
  readonly id: string;
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE' | (string & {});
  readonly taskDefinition: string;
  readonly desired: number;
  readonly running: number;
  readonly pending: number;
  readonly failed: number;
  /** Absent for services behind a Classic Load Balancer and for other deployment controllers. */
  readonly rolloutState?: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly rolloutStateReason?: string;
}

export interface EcsService {
  readonly arn: string;
  readonly ref: EcsServiceRef;
  readonly status: string;
  readonly taskDefinition: string;
  readonly desired: number;
  readonly running: number;
  readonly pending: number;
  readonly deployments: readonly EcsDeployment[];
  readonly events: readonly { readonly id: string; readonly at: Instant; readonly message: string }[];
  readonly currentServiceDeployment?: string;
  readonly loadBalancers: readonly {
    readonly targetGroupArn?: string;
    readonly containerName?: string;
    readonly containerPort?: number;
  }[];
  readonly circuitBreaker?: { readonly enable: boolean; readonly rollback: boolean };
  readonly tags: Readonly<Record<string, string>>;
}

export type ServiceDeploymentStatus =
  | 'PENDING'
  | 'IN_PROGRESS'
  | 'STOP_REQUESTED'
  | 'STOPPED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED'
  | 'SUCCESSFUL';

export interface ServiceDeployment {
  readonly arn: string;
  readonly status: ServiceDeploymentStatus | (string & {});
  readonly statusReason?: string;
  /** The task definition it rolls out; resolved from its service revision. */
  readonly taskDefinition?: string;
  readonly createdAt?: Instant;
  readonly finishedAt?: Instant;
}

export interface StoppedTask {
  readonly arn: string;
  readonly startedBy?: string;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly stoppedAt?: Instant;
  readonly containers: readonly {
    readonly name: string;
    readonly exitCode?: number;
    readonly reason?: string;
  }[];
}

/** As DescribeTaskDefinition gives it; `body` is the raw SDK shape and is passed through, never rebuilt field by field. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Ecs {
  /** Up to 10 services in one call, as DescribeServices takes; a missing one is a Failure that names it. */
  describeServices(refs: readonly EcsServiceRef[], signal: AbortSignal): Promise<readonly EcsService[]>;
  describeTaskDefinition(familyOrArn: string, signal: AbortSignal): Promise<TaskDefinition>;
  /** Registers `body` (already stripped to the fields that RegisterTaskDefinition accepts) and returns the new revision. */
  registerTaskDefinition(
    body: Readonly<Record<string, unknown>>,
    tags: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<TaskDefinition>;
  /** Sends only what is given; returns the service as the response shows it (its PRIMARY deployment is the one to follow). */
  updateService(
    ref: EcsServiceRef,
    change: { readonly taskDefinition?: string; readonly desired?: number; readonly forceNewDeployment?: true },
    signal: AbortSignal,
  ): Promise<EcsService>;
  describeServiceDeployment(arn: string, signal: AbortSignal): Promise<ServiceDeployment | undefined>;
  /** Newest first. */
  listServiceDeployments(ref: EcsServiceRef, signal: AbortSignal): Promise<readonly ServiceDeployment[]>;
  stopServiceDeployment(arn: string, stopType: 'ROLLBACK' | 'ABORT', signal: AbortSignal): Promise<void>;
  /** Tasks of the service that stopped lately, with their reasons. */
  stoppedTasks(ref: EcsServiceRef, signal: AbortSignal): Promise<readonly StoppedTask[]>;
  tagService(arn: string, tags: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  untagService(arn: string, keys: readonly string[], signal: AbortSignal): Promise<void>;
}
