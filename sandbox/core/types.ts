import type { Address, HealthAnswer, TargetState } from '../plane/types.ts';

/**
 * What the sandbox cloud believes, as values. One State is one account in one region; the shell keeps one per pair.
 * Everything here is plain JSON: it can be printed, compared and replayed. `Ms` is a length, `EpochMs` a moment.
 */
export type Ms = number;
export type EpochMs = number;
/** A value that the core keeps for the API and never looks into (network configuration, capacity providers, ...). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface World {
  readonly account: string;
  readonly region: string;
  /** The same seed and the same events give the same ids, so that two runs can be compared. */
  readonly seed: string;
}

export interface State {
  readonly world: World;
  /** How many ids were given out. */
  readonly counter: number;
  readonly pace: Pace;
  /** By name. */
  readonly clusters: Readonly<Record<string, Cluster>>;
  /** By ARN. An inactive service is kept (DescribeServices shows it) until one of the same name is created. */
  readonly services: Readonly<Record<string, Service>>;
  /** By ARN. */
  readonly revisions: Readonly<Record<string, ServiceRevision>>;
  /** By ARN, in the order of creation. */
  readonly serviceDeployments: Readonly<Record<string, ServiceDeployment>>;
  /** By id (32 hexadecimal digits). Stopped ones are forgotten after an hour, as the service does. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** By ARN. */
  readonly targetGroups: Readonly<Record<string, TargetGroup>>;
  /** ARN of a load balancer -> the target groups that its listeners and rules name. */
  readonly loadBalancers: Readonly<Record<string, readonly string[]>>;
  /** So many answers of DescribeServices show a service as it was before its last UpdateService. */
  readonly staleReads: number;
}

/** How long the cloud takes for what it does by itself. */
export interface Pace {
  /** From a change of a service to what the scheduler does about it. */
  readonly scheduling: Ms;
  /** PROVISIONING: the network interface of a task. PENDING lasts as long as the process needs to listen. */
  readonly provisioning: Ms;
  /** Elb.RegistrationInProgress: from registration to the first health check. */
  readonly registering: Ms;
  /** DEPROVISIONING: from the end of the process to STOPPED. */
  readonly deprovisioning: Ms;
  /** A service that cannot start its tasks waits this long before the next try, twice as long each time, up to `restartLimit`. */
  readonly restart: Ms;
  readonly restartLimit: Ms;
}

export interface Cluster {
  readonly name: string;
  readonly arn: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: JsonObject;
}

export interface ContainerTemplate {
  readonly name: string;
  readonly image: string;
  readonly essential: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** SIGTERM to SIGKILL. */
  readonly stopTimeout: Ms;
}

/** What the core needs of a task definition; the definition itself is kept by moto. */
export interface TaskTemplate {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly containers: readonly ContainerTemplate[];
  readonly cpu: string;
  readonly memory: string;
}

export interface LoadBalancerBinding {
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
}

export interface CircuitBreaker {
  readonly enable: boolean;
  readonly rollback: boolean;
  readonly resetOnHealthyTask: boolean;
  readonly threshold: {
    readonly type: 'BOUNDED_PERCENT' | 'UNBOUNDED_PERCENT' | 'COUNT';
    readonly value: number;
  };
}

export interface DeploymentConfiguration {
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly circuitBreaker: CircuitBreaker;
}

export interface Service {
  readonly arn: string;
  readonly name: string;
  readonly cluster: string;
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly desiredCount: number;
  readonly configuration: DeploymentConfiguration;
  readonly healthCheckGracePeriod: Ms;
  readonly loadBalancers: readonly LoadBalancerBinding[];
  /** Members of the API that nothing here depends on: launchType, networkConfiguration, propagateTags, ... */
  readonly settings: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: EpochMs;
  /** The PRIMARY first, then ACTIVE ones, newest first. Empty once the service is inactive. */
  readonly deployments: readonly Deployment[];
  /** The newest service deployment, also after its end. */
  readonly currentServiceDeployment: string | undefined;
  /** Newest first, at most 100. */
  readonly events: readonly ServiceEvent[];
  /** When the scheduler looks at the service next; undefined: when something changes. */
  readonly scheduleAt: EpochMs | undefined;
  /** Whether "has reached a steady state." was said since the last change. */
  readonly steady: boolean;
  /** What DescribeServices shows while reads are stale. */
  readonly beforeUpdate: ServiceView | undefined;
}

export type RolloutState = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** One entry of `services[].deployments`. */
export interface Deployment {
  /** `ecs-svc/1234567890123456789`; the `startedBy` of its tasks. */
  readonly id: string;
  readonly status: 'PRIMARY' | 'ACTIVE';
  readonly revisionArn: string;
  readonly serviceDeploymentArn: string;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly failedTasks: number;
  /** What the circuit breaker counts: failures since a task became healthy, when it resets on one. */
  readonly failureCount: number;
  /** Tries in a row that ended before a task ran: how long the next one waits. */
  readonly failedStarts: number;
  /** No task is started before. */
  readonly restartAt: EpochMs | undefined;
  readonly rolloutState: RolloutState;
  readonly rolloutStateReason: string;
}

export interface ServiceEvent {
  readonly id: string;
  readonly at: EpochMs;
  readonly message: string;
}

export interface ServiceRevision {
  readonly arn: string;
  readonly serviceArn: string;
  readonly createdAt: EpochMs;
  readonly template: TaskTemplate;
  readonly loadBalancers: readonly LoadBalancerBinding[];
  readonly settings: JsonObject;
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
  readonly serviceArn: string;
  readonly status: ServiceDeploymentStatus;
  readonly statusReason: string | undefined;
  readonly createdAt: EpochMs;
  readonly startedAt: EpochMs | undefined;
  readonly finishedAt: EpochMs | undefined;
  readonly stoppedAt: EpochMs | undefined;
  readonly updatedAt: EpochMs;
  readonly sourceRevisionArns: readonly string[];
  readonly targetRevisionArn: string;
  readonly configuration: DeploymentConfiguration;
  /** Failures counted and threshold when it was last looked at. */
  readonly failureCount: number;
  readonly threshold: number;
  readonly rollback: { readonly reason: string; readonly startedAt: EpochMs; readonly revisionArn: string } | undefined;
}

export type TaskStatus =
  'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'DEPROVISIONING' | 'STOPPED';

export type StopCode = 'EssentialContainerExited' | 'TaskFailedToStart' | 'ServiceSchedulerInitiated' | 'UserInitiated';

export interface Task {
  readonly id: string;
  readonly arn: string;
  readonly cluster: string;
  /** `service:NAME` or `family:NAME`. */
  readonly group: string;
  readonly serviceArn: string | undefined;
  /** The deployment's id for a service's task, the caller's word for RunTask. */
  readonly startedBy: string | undefined;
  readonly template: TaskTemplate;
  /** The container that is a process; the others share its fate. */
  readonly mainContainer: string;
  /** Environment of RunTask's overrides, by container. */
  readonly overrides: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: JsonObject;
  readonly status: TaskStatus;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  /** `10.0.x.y`: what the API and the target groups show. */
  readonly ip: string;
  /** Where the process really listens. */
  readonly address: Address | undefined;
  readonly createdAt: EpochMs;
  readonly pendingAt: EpochMs | undefined;
  readonly startedAt: EpochMs | undefined;
  readonly stoppingAt: EpochMs | undefined;
  readonly executionStoppedAt: EpochMs | undefined;
  readonly stoppedAt: EpochMs | undefined;
  readonly stopCode: StopCode | undefined;
  readonly stoppedReason: string | undefined;
  readonly exitCode: number | undefined;
  /** Of the main container: `CannotPullContainerError: ...`. */
  readonly containerReason: string | undefined;
  /** When its state changes by itself. */
  readonly dueAt: EpochMs | undefined;
  /** Whether its service counted it as healthy (target healthy, or running where there is no load balancer). */
  readonly countedHealthy: boolean;
}

export interface HealthCheck {
  readonly enabled: boolean;
  readonly path: string;
  readonly interval: Ms;
  readonly timeout: Ms;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** ELBv2's form: `200`, `200,301`, `200-299`. */
  readonly matcher: string;
}

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly port: number;
  readonly healthCheck: HealthCheck;
  readonly deregistrationDelay: Ms;
  /** By id `ip:port`, in the order of registration. */
  readonly targets: Readonly<Record<string, TargetEntry>>;
}

export type TargetReason =
  | 'Elb.RegistrationInProgress'
  | 'Elb.InitialHealthChecking'
  | 'Target.ResponseCodeMismatch'
  | 'Target.Timeout'
  | 'Target.FailedHealthChecks'
  | 'Target.NotRegistered'
  | 'Target.NotInUse'
  | 'Target.DeregistrationInProgress'
  | 'Target.HealthCheckDisabled';

export interface TargetEntry {
  /** `10.0.1.7:80` */
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  /** Undefined for a target that is no task of this world: nothing answers there. */
  readonly address: Address | undefined;
  readonly state: TargetState;
  readonly reason: TargetReason | undefined;
  readonly description: string | undefined;
  readonly registeredAt: EpochMs;
  /** Answers in a row. */
  readonly good: number;
  readonly bad: number;
  readonly nextCheckAt: EpochMs | undefined;
  /** The check whose answer is awaited. */
  readonly check: number | undefined;
  readonly drainedAt: EpochMs | undefined;
}

/** A service as DescribeServices shows it: counts are taken at one moment. */
export interface ServiceView {
  readonly service: Omit<Service, 'beforeUpdate'>;
  readonly running: number;
  readonly pending: number;
  readonly deployments: readonly (Deployment & {
    readonly desired: number;
    readonly running: number;
    readonly pending: number;
    readonly taskDefinitionArn: string;
  })[];
}

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
  // What became of effects.
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
  | {
      readonly kind: 'service-deployment-stop-requested';
      readonly serviceDeploymentArn: string;
      readonly stopType: 'ROLLBACK' | 'ABORT';
    }
  | { readonly kind: 'tasks-run'; readonly cluster: string; readonly count: number; readonly run: RunSpec }
  | { readonly kind: 'task-stop-requested'; readonly id: string; readonly reason: string }
  | {
      readonly kind: 'tagged';
      readonly resourceArn: string;
      readonly tags: Readonly<Record<string, string>>;
      readonly removed: readonly string[];
    }
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
  /** The load balancers get `targetsOf(state, targetGroupArn)`. */
  | { readonly kind: 'targets-changed'; readonly targetGroupArn: string };

export interface Stepped {
  readonly state: State;
  readonly effects: readonly Effect[];
}
