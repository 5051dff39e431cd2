import type { Address } from '../plane/types.ts';
import type { TargetGroup } from './target-types.ts';

export type * from './messages.ts';
export type * from './target-types.ts';

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
  /** How many addresses of tasks were given out. */
  readonly addresses: number;
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
  /** Names of CloudWatch alarms that are in ALARM. */
  readonly alarms: readonly string[];
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
  /** How long a stage of a native strategy lasts in which nothing is waited for. */
  readonly stage: Ms;
  /** How long alarms are watched after a rolling deployment; ECS computes it from the alarms and does not say how. */
  readonly alarmBake: Ms;
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
  readonly command: readonly string[];
  readonly ports: readonly number[];
  /** Where its output goes, when the log driver is awslogs. */
  readonly logs: { readonly group: string; readonly prefix: string } | undefined;
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
  /** `advancedConfiguration`: what a native strategy moves traffic by. */
  readonly swap?: TrafficSwap;
}

export interface TrafficSwap {
  readonly alternateTargetGroupArn: string;
  readonly productionListenerRule: string;
  readonly testListenerRule?: string;
  readonly roleArn: string;
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
  /** Absent: ROLLING. */
  readonly strategy?: NativeStrategy;
  /** Absent: none, or switched off. */
  readonly alarms?: DeploymentAlarms;
}

/** Strategies in which ECS moves the traffic itself. LINEAR gives `share` percent more each time, CANARY `share`, then all. */
export type NativeStrategy =
  | { readonly kind: 'BLUE_GREEN'; readonly bake: Ms }
  | { readonly kind: 'LINEAR' | 'CANARY'; readonly bake: Ms; readonly share: number; readonly stepBake: Ms };

export interface DeploymentAlarms {
  readonly names: readonly string[];
  readonly rollback: boolean;
}

export type LifecycleStage =
  | 'RECONCILE_SERVICE'
  | 'PRE_SCALE_UP'
  | 'SCALE_UP'
  | 'POST_SCALE_UP'
  | 'TEST_TRAFFIC_SHIFT'
  | 'POST_TEST_TRAFFIC_SHIFT'
  | 'PRODUCTION_TRAFFIC_SHIFT'
  | 'POST_PRODUCTION_TRAFFIC_SHIFT'
  | 'BAKE_TIME'
  | 'CLEAN_UP';

/** How far a native deployment is; weights are percent of the traffic that its target revision gets. */
export interface NativeProgress {
  readonly stage: LifecycleStage;
  /** The stage, or the step within it, is over then; undefined: when what it waits for has happened. */
  readonly until: EpochMs | undefined;
  readonly production: number;
  readonly test: number;
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
  /** What a rollback goes back to; undefined until a deployment completed. */
  readonly lastCompletedRevision: string | undefined;
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
  /** Failures in a row: how long the next start waits. */
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
  readonly native?: NativeProgress;
  /** Alarms that were in ALARM when it began: ECS ignores them until its end. */
  readonly ignoredAlarms: readonly string[];
  readonly triggeredAlarms: readonly string[];
  /** A rolling deployment with alarms is judged so long after its tasks are steady. */
  readonly alarmsUntil: EpochMs | undefined;
}

export type TaskStatus =
  'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'DEPROVISIONING' | 'STOPPED';

/** What a task does that was not started to serve. */
export interface OneOff {
  readonly command: readonly string[];
  readonly length: Ms;
  readonly exitCode: number;
}

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
  readonly containerPort: number;
  readonly loadBalancers: readonly LoadBalancerBinding[];
  /** Whether its service put it into the target groups: done once, never again when somebody takes it out. */
  readonly registered: boolean;
  /** RunTask's overrides as they were given, and what they set for the main container. */
  readonly overrides: JsonObject;
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: JsonObject;
  /** A command that ends by itself; absent: a server, which does not. */
  readonly oneOff: OneOff | undefined;
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
