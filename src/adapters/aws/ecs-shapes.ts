import type {
  Deployment,
  DeploymentConfiguration,
  Service,
  ServiceDeployment as SdkServiceDeployment,
  ServiceDeploymentBrief,
  ServiceRevisionSummary,
  Tag,
  Task,
  TaskManagedEBSVolumeConfiguration,
  TaskVolumeConfiguration,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs';
import { type Instant, instant, minutes } from '../../domain/duration.ts';
import type { EcsTask } from '../../ports/ecs-tasks.ts';
import type { ServiceSettings, VolumeConfiguration } from '../../domain/ecs/service.ts';
import type { EcsDeployment, EcsService, EcsServiceRef, ServiceDeployment, StoppedTask } from '../../ports/ecs.ts';

/** `undefined` members are left out: absent and undefined are one for the SDK and two for exactOptionalPropertyTypes. */
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };
const present = <T extends object>(value: T): Partial<Present<T>> =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<Present<T>>;

const instantOf = (date: Date | undefined): Instant | undefined =>
  date === undefined ? undefined : instant(date.getTime());

export const fromTags = (tags: readonly Tag[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((tags ?? []).flatMap(({ key, value }) => (key === undefined ? [] : [[key, value ?? '']])));

export const toTags = (tags: Readonly<Record<string, string>>): { key: string; value: string }[] =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));

export function toEcsService(service: Service, ref: EcsServiceRef): EcsService {
  return {
    arn: service.serviceArn ?? '',
    ref,
    status: service.status ?? '',
    taskDefinition: service.taskDefinition ?? '',
    desired: service.desiredCount ?? 0,
    running: service.runningCount ?? 0,
    pending: service.pendingCount ?? 0,
    deployments: (service.deployments ?? []).map(toDeployment),
    events: (service.events ?? []).flatMap(({ id, createdAt, message }) =>
      id === undefined || createdAt === undefined
        ? []
        : [{ id, at: instant(createdAt.getTime()), message: message ?? '' }],
    ),
    loadBalancers: (service.loadBalancers ?? []).map(({ targetGroupArn, containerName, containerPort }) =>
      present({ targetGroupArn, containerName, containerPort }),
    ),
    tags: fromTags(service.tags),
    placement: present({
      networkConfiguration: service.networkConfiguration,
      launchType: service.launchType,
      capacityProviderStrategy: listOrNothing(service.capacityProviderStrategy),
      platformVersion: service.platformVersion,
    }),
    settings: settingsOf(service),
    ...watchersOf(service.deploymentConfiguration),
    ...present({
      currentServiceDeployment: service.currentServiceDeployment,
      controller: service.deploymentController?.type,
      schedulingStrategy: service.schedulingStrategy,
      managedBy: service.resourceManagementType,
    }),
  };
}

/** Volumes are shown by the deployments alone. */
function settingsOf({ deployments, propagateTags, enableECSManagedTags }: Service): ServiceSettings {
  const { volumeConfigurations } = deployments?.find(({ status }) => status === 'PRIMARY') ?? {};
  return present({
    volumes: volumeConfigurations?.map(({ name, managedEBSVolume }) => ({
      name: name ?? '',
      managedEBSVolume: { ...managedEBSVolume },
    })),
    propagateTags,
    managedTags: enableECSManagedTags,
  });
}

/** In the words of the API already, which the reader of the input has checked; a service takes no more than a task. */
export const volumesInput = (volumes: readonly VolumeConfiguration[]): TaskVolumeConfiguration[] =>
  volumes.map(({ name, managedEBSVolume }) => ({
    name,
    managedEBSVolume: managedEBSVolume as unknown as TaskManagedEBSVolumeConfiguration,
  }));

/** In the words of UpdateService; only what is given. */
export const settingsInput = ({
  volumes,
  propagateTags,
  managedTags,
}: ServiceSettings): Partial<UpdateServiceRequest> => ({
  ...(volumes === undefined ? {} : { volumeConfigurations: volumesInput(volumes) }),
  ...(propagateTags === undefined ? {} : { propagateTags }),
  ...(managedTags === undefined ? {} : { enableECSManagedTags: managedTags }),
});

/** ECS answers with an empty list where there is none, and takes none where there is an empty one. */
const listOrNothing = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list;

function watchersOf(
  configuration: DeploymentConfiguration | undefined,
): Partial<Pick<EcsService, 'circuitBreaker' | 'alarms' | 'strategy' | 'pauses' | 'percents'>> {
  const breaker = configuration?.deploymentCircuitBreaker;
  const alarms = configuration?.alarms;
  return present({
    strategy: configuration?.strategy,
    pauses: pausesOf(configuration),
    percents:
      configuration === undefined
        ? undefined
        : present({
            minimumHealthy: configuration.minimumHealthyPercent,
            maximum: configuration.maximumPercent,
          }),
    circuitBreaker: breaker && { enable: breaker.enable ?? false, rollback: breaker.rollback ?? false },
    alarms:
      alarms?.enable === true ? { names: alarms.alarmNames ?? [], rollback: alarms.rollback ?? false } : undefined,
  });
}

function pausesOf(configuration: DeploymentConfiguration | undefined): EcsService['pauses'] {
  if ((configuration?.strategy ?? 'ROLLING') === 'ROLLING') return undefined;
  const { linearConfiguration: linear, canaryConfiguration: canary } = configuration ?? {};
  const stepBake = linear?.stepBakeTimeInMinutes ?? canary?.canaryBakeTimeInMinutes;
  return {
    bake: minutes(configuration?.bakeTimeInMinutes ?? 0),
    ...present({
      share: linear?.stepPercent ?? canary?.canaryPercent,
      stepBake: stepBake === undefined ? undefined : minutes(stepBake),
    }),
  };
}

function toDeployment(deployment: Deployment): EcsDeployment {
  return {
    id: deployment.id ?? '',
    status: deployment.status ?? '',
    taskDefinition: deployment.taskDefinition ?? '',
    desired: deployment.desiredCount ?? 0,
    running: deployment.runningCount ?? 0,
    pending: deployment.pendingCount ?? 0,
    failed: deployment.failedTasks ?? 0,
    ...present({
      rolloutState: deployment.rolloutState,
      rolloutStateReason: deployment.rolloutStateReason,
      createdAt: instantOf(deployment.createdAt),
    }),
  };
}

export function toServiceDeployment(
  deployment: SdkServiceDeployment,
  taskDefinition: string | undefined,
): ServiceDeployment {
  const breaker = deployment.deploymentCircuitBreaker;
  const triggered = deployment.alarms?.triggeredAlarmNames;
  return {
    arn: deployment.serviceDeploymentArn ?? '',
    status: deployment.status ?? '',
    ...present({
      taskDefinition,
      // Why it was rolled back is told in the roll back itself, why it was stopped in the status.
      statusReason: deployment.statusReason ?? deployment.rollback?.reason,
      createdAt: instantOf(deployment.createdAt),
      finishedAt: instantOf(deployment.finishedAt ?? deployment.stoppedAt),
      lifecycleStage: deployment.lifecycleStage,
      weights: weightsOf(deployment.targetServiceRevision),
      circuitBreaker: breaker && { failures: breaker.failureCount ?? 0, threshold: breaker.threshold ?? 0 },
      triggeredAlarms: triggered !== undefined && triggered.length > 0 ? triggered : undefined,
    }),
  };
}

function weightsOf(revision: ServiceRevisionSummary | undefined): ServiceDeployment['weights'] {
  const { requestedProductionTrafficWeight: production, requestedTestTrafficWeight: test } = revision ?? {};
  return production === undefined && test === undefined ? undefined : present({ production, test });
}

export const toListedDeployment = (
  brief: ServiceDeploymentBrief,
  taskDefinition: string | undefined,
): ServiceDeployment => ({
  arn: brief.serviceDeploymentArn ?? '',
  status: brief.status ?? '',
  ...present({
    taskDefinition,
    statusReason: brief.statusReason,
    createdAt: instantOf(brief.createdAt),
    finishedAt: instantOf(brief.finishedAt),
  }),
});

export const toStoppedTask = (task: Task): StoppedTask => ({
  arn: task.taskArn ?? '',
  ...present({
    startedBy: task.startedBy,
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    stoppedAt: instantOf(task.stoppedAt),
  }),
  containers: (task.containers ?? []).map(({ name, exitCode, reason }) => ({
    name: name ?? '',
    ...present({ exitCode, reason }),
  })),
});

export const toEcsTask = (task: Task): EcsTask => ({
  ...toStoppedTask(task),
  status: task.lastStatus ?? '',
  ...present({ createdAt: instantOf(task.createdAt) }),
});
