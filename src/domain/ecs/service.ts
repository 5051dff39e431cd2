import type { Duration, Instant } from '../duration.ts';

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
  readonly createdAt?: Instant;
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
  /** CloudWatch alarms that fail a deployment, when they are switched on. */
  readonly alarms?: { readonly names: readonly string[]; readonly rollback: boolean };
  /** `ECS`, `CODE_DEPLOY` or `EXTERNAL`; absent means ECS. */
  readonly controller?: string;
  /** `ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`; absent means ROLLING. */
  readonly strategy?: string;
  /** How many tasks may run during a rolling deployment, in percent of the desired count; absent: ECS's own. */
  readonly percents?: { readonly minimumHealthy?: number; readonly maximum?: number };
  /** What a native strategy waits for by the clock; `share` is the percent of one step. */
  readonly pauses?: { readonly bake: Duration; readonly share?: number; readonly stepBake?: Duration };
  /** `DAEMON` services have no desired count of their own; absent means REPLICA. */
  readonly schedulingStrategy?: string;
  /** `ECS`: an Express service, which is updated by other calls; absent means CUSTOMER. */
  readonly managedBy?: string;
  /** How its tasks are placed, in the words of the API: passed on to tasks that run beside it, never looked into. */
  readonly placement?: Placement;
  /** Of its tasks, as it has them now; volumes are those of the PRIMARY deployment. */
  readonly settings?: ServiceSettings;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a service says of its tasks beside their definition. In a change: what is absent stays as it is. */
export interface ServiceSettings {
  readonly volumes?: readonly VolumeConfiguration[];
  readonly propagateTags?: 'SERVICE' | 'TASK_DEFINITION' | 'NONE';
  /** Whether ECS tags the tasks with the names of cluster and service. */
  readonly managedTags?: boolean;
}

/** An EBS volume for each task, in the words of the API. */
export interface VolumeConfiguration {
  readonly name: string;
  readonly managedEBSVolume: Readonly<Record<string, unknown>>;
}

/** Raw members of a service that RunTask takes too. */
export interface Placement {
  readonly networkConfiguration?: unknown;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: unknown;
  readonly platformVersion?: string;
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
  /** Of native strategies: `BAKE_TIME`. */
  readonly lifecycleStage?: string;
  /** Of native strategies: percent of the traffic that the new revision is to get. */
  readonly weights?: { readonly production?: number; readonly test?: number };
  /** Failed tasks counted by the circuit breaker, and at how many it trips. */
  readonly circuitBreaker?: { readonly failures: number; readonly threshold: number };
  readonly triggeredAlarms?: readonly string[];
}

/** One task that was started by itself, or seen running. */
export interface EcsTask extends StoppedTask {
  /** `PROVISIONING` ... `RUNNING` ... `STOPPED`. */
  readonly status: string;
  readonly createdAt?: Instant;
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

/**
 * Where a task is reached, in the words of target groups: an address of its own, whatever the port, or a port of the
 * instance that it runs on.
 */
export type TaskPlace = { readonly address: string } | { readonly instance: string; readonly port: number };

/** As DescribeTaskDefinition gives it; `body` is the raw SDK shape and is passed through, never rebuilt field by field. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  /** An `INACTIVE` revision runs on but cannot be deployed again; absent means ACTIVE. */
  readonly status?: string;
}
