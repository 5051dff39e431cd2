import { clusterArn } from '../../core/arn.ts';
import type {
  DeploymentConfiguration,
  LoadBalancerBinding,
  NativeStrategy,
  ServiceView,
  State,
} from '../../core/types.ts';
import { seconds, tagList } from './input.ts';

type Output = Readonly<Record<string, unknown>>;

const shownSettings = [
  'launchType',
  'capacityProviderStrategy',
  'networkConfiguration',
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
] as const;

const settingsOf = (settings: Output, names: readonly string[]): Output =>
  Object.fromEntries(names.filter((name) => settings[name] !== undefined).map((name) => [name, settings[name]]));

export function renderConfiguration(configuration: DeploymentConfiguration): Output {
  const { enable, rollback, resetOnHealthyTask, threshold } = configuration.circuitBreaker;
  const { alarms } = configuration;
  return {
    deploymentCircuitBreaker: { enable, rollback, resetOnHealthyTask, thresholdConfiguration: threshold },
    maximumPercent: configuration.maximumPercent,
    minimumHealthyPercent: configuration.minimumHealthyPercent,
    ...renderStrategy(configuration.strategy),
    ...(alarms === undefined ? {} : { alarms: { alarmNames: alarms.names, enable: true, rollback: alarms.rollback } }),
  };
}

function renderStrategy(strategy: NativeStrategy | undefined): Output {
  if (strategy === undefined) return { strategy: 'ROLLING', bakeTimeInMinutes: 0 };
  const shown = { strategy: strategy.kind, bakeTimeInMinutes: strategy.bake / 60_000 };
  switch (strategy.kind) {
    case 'BLUE_GREEN':
      return shown;
    case 'LINEAR': {
      const { share, stepBake } = strategy;
      return { ...shown, linearConfiguration: { stepPercent: share, stepBakeTimeInMinutes: stepBake / 60_000 } };
    }
    case 'CANARY': {
      const { share, stepBake } = strategy;
      return { ...shown, canaryConfiguration: { canaryPercent: share, canaryBakeTimeInMinutes: stepBake / 60_000 } };
    }
  }
}

/** In the words of the API. */
export const renderBindings = (bindings: readonly LoadBalancerBinding[]): readonly Output[] =>
  bindings.map(({ swap, ...binding }) => (swap === undefined ? binding : { ...binding, advancedConfiguration: swap }));

/** One entry of `services`, as DescribeServices, CreateService, UpdateService and DeleteService answer. */
export function renderService(state: State, view: ServiceView, tags: 'with-tags' | 'without-tags'): Output {
  const { service } = view;
  const primary = view.deployments[0];
  return {
    ...service.settings,
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: clusterArn(state, service.cluster),
    loadBalancers: renderBindings(service.loadBalancers),
    serviceRegistries: service.settings['serviceRegistries'] ?? [],
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: view.running,
    pendingCount: view.pending,
    platformVersion: service.settings['platformVersion'] ?? 'LATEST',
    platformFamily: 'Linux',
    taskDefinition: primary?.taskDefinitionArn ?? lastDefinition(state, service.arn),
    deploymentConfiguration: renderConfiguration(service.configuration),
    deployments: view.deployments.map((deployment) =>
      renderDeployment(state.revisions[deployment.revisionArn]?.settings ?? {}, service.configuration, deployment),
    ),
    roleArn: `arn:aws:iam::${state.world.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS`,
    events: service.events.map(({ id, at, message }) => ({ id, createdAt: seconds(at), message })),
    createdAt: seconds(service.createdAt),
    currentServiceDeployment: service.currentServiceDeployment,
    currentServiceRevisions: view.deployments.map(({ revisionArn, desired, running, pending }) => ({
      arn: revisionArn,
      requestedTaskCount: desired,
      runningTaskCount: running,
      pendingTaskCount: pending,
    })),
    placementConstraints: service.settings['placementConstraints'] ?? [],
    placementStrategy: service.settings['placementStrategy'] ?? [],
    ...(service.loadBalancers.length > 0
      ? { healthCheckGracePeriodSeconds: service.healthCheckGracePeriod / 1_000 }
      : {}),
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    createdBy: `arn:aws:iam::${state.world.account}:root`,
    enableECSManagedTags: service.settings['enableECSManagedTags'] ?? false,
    propagateTags: service.settings['propagateTags'] ?? 'NONE',
    enableExecuteCommand: service.settings['enableExecuteCommand'] ?? false,
    availabilityZoneRebalancing: service.settings['availabilityZoneRebalancing'] ?? 'DISABLED',
    ...(tags === 'with-tags' ? { tags: tagList(service.tags) } : {}),
  };
}

function lastDefinition(state: State, serviceArn: string): string | undefined {
  const revisions = Object.values(state.revisions).filter((revision) => revision.serviceArn === serviceArn);
  return revisions.at(-1)?.template.taskDefinitionArn;
}

function renderDeployment(
  settings: Output,
  configuration: DeploymentConfiguration,
  deployment: ServiceView['deployments'][number],
): Output {
  const { rolloutState, rolloutStateReason } = deployment;
  return {
    ...settingsOf(settings, shownSettings),
    id: deployment.id,
    status: deployment.status,
    taskDefinition: deployment.taskDefinitionArn,
    desiredCount: deployment.desired,
    pendingCount: deployment.pending,
    runningCount: deployment.running,
    failedTasks: deployment.failedTasks,
    createdAt: seconds(deployment.createdAt),
    updatedAt: seconds(deployment.updatedAt),
    // The service shows the version that LATEST stands for.
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    // SDK documentation: only for services that use the rolling update.
    ...(configuration.strategy === undefined ? { rolloutState, rolloutStateReason } : {}),
  };
}
