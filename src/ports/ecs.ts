import type { Instant } from '../domain/duration.ts';
import type {
  EcsService,
  EcsServiceRef,
  ServiceDeployment,
  ServiceDeploymentStatus,
  ServiceSettings,
  StoppedTask,
  TaskDefinition,
  TaskPlace,
} from '../domain/ecs/service.ts';

export type {
  EcsDeployment,
  EcsService,
  EcsServiceRef,
  ServiceDeployment,
  ServiceDeploymentStatus,
  StoppedTask,
  TaskDefinition,
  TaskPlace,
} from '../domain/ecs/service.ts';

/** `must`: a role that may not read it is an error as any other, because nothing else tells the same. Absent: `may`. */
export type Need = 'may' | 'must';

/**
 * Errors of the calls are CloudFailures (domain/retry-policy.ts), whose `kind` says whether waiting helps. Transient ones
 * were repeated by the adapter already.
 */
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
  /** ACTIVE revisions of the family as ARNs, newest first. All pages. */
  listRevisions(family: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Makes a revision INACTIVE: what runs on it runs on, but it cannot be deployed again. One that is so already is no error. */
  deregisterTaskDefinition(arn: string, signal: AbortSignal): Promise<void>;
  /**
   * Revisions of the family that a service (any deployment of it) or a task has, in all clusters of the region. As many
   * calls as there are clusters, tens of services and hundreds of tasks.
   */
  revisionsInUse(family: string, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Sends only what is given; returns the service as the response shows it (its PRIMARY deployment is the one to follow). */
  updateService(
    ref: EcsServiceRef,
    change: {
      readonly taskDefinition?: string;
      readonly desired?: number;
      readonly settings?: ServiceSettings;
      readonly forceNewDeployment?: true;
    },
    signal: AbortSignal,
  ): Promise<EcsService>;
  /**
   * Twenty in one call. Those that there are, in the order that was asked for; none also when the role may not read them
   * (which the adapter says once).
   */
  describeServiceDeployments(
    arns: readonly string[],
    signal: AbortSignal,
    need?: Need,
  ): Promise<readonly ServiceDeployment[]>;
  /** Newest first, at most 20; ECS keeps 90 days. Empty also when the role may not read them. */
  listServiceDeployments(
    ref: EcsServiceRef,
    signal: AbortSignal,
    filter?: { readonly status?: ServiceDeploymentStatus; readonly createdAfter?: Instant; readonly need?: Need },
  ): Promise<readonly ServiceDeployment[]>;
  stopServiceDeployment(arn: string, stopType: 'ROLLBACK' | 'ABORT', signal: AbortSignal): Promise<void>;
  /** Tasks of the service that stopped lately, with their reasons. */
  stoppedTasks(ref: EcsServiceRef, signal: AbortSignal): Promise<readonly StoppedTask[]>;
  /** Where the running tasks are that this deployment (its `id`) of the service started, and no others. */
  placesOf(ref: EcsServiceRef, deployment: string, signal: AbortSignal): Promise<readonly TaskPlace[]>;
  tagService(arn: string, tags: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  untagService(arn: string, keys: readonly string[], signal: AbortSignal): Promise<void>;
}
