import { clusterArn } from '../../core/arn.ts';
import type { Cluster, State } from '../../core/types.ts';
import { type Input, pageOf, picked, refuse, tagList, tagsIn, textIn, textsIn } from './input.ts';
import type { EcsContext } from './types.ts';

type Output = Readonly<Record<string, unknown>>;

const SETTINGS = ['settings', 'configuration', 'capacityProviders', 'defaultCapacityProviderStrategy'] as const;

export function createCluster(input: Input, context: EcsContext): Output {
  const name = textIn(input, 'clusterName') ?? 'default';
  if (!/^[\w-]{1,255}$/.test(name))
    refuse('Cluster name must have between 1 and 255 letters, numbers, hyphens, underscores.');
  const settings = picked(input, SETTINGS);
  const state = context.apply({ kind: 'cluster-created', name, tags: tagsIn(input), settings });
  const cluster = state.clusters[name];
  return cluster === undefined ? {} : { cluster: renderCluster(state, cluster, ['TAGS', 'SETTINGS']) };
}

export function describeClusters(input: Input, context: EcsContext): Output {
  const state = context.state();
  const asked = textsIn(input, 'clusters') ?? ['default'];
  if (asked.length > 100) refuse('At most 100 clusters can be described in one call.');
  const include = textsIn(input, 'include') ?? [];
  const found = asked.map((one) => {
    const name = one.split('/').at(-1) ?? '';
    return { arn: one.startsWith('arn:') ? one : clusterArn(state, name), cluster: state.clusters[name] };
  });
  return {
    clusters: found.flatMap(({ cluster }) => (cluster === undefined ? [] : [renderCluster(state, cluster, include)])),
    failures: found.flatMap(({ arn, cluster }) => (cluster === undefined ? [{ arn, reason: 'MISSING' }] : [])),
  };
}

export function listClusters(input: Input, context: EcsContext): Output {
  const all = Object.values(context.state().clusters).filter(({ status }) => status === 'ACTIVE');
  const { items, nextToken } = pageOf(all, input, 100);
  return { clusterArns: items.map(({ arn }) => arn), nextToken };
}

function renderCluster(state: State, cluster: Cluster, include: readonly string[]): Output {
  const tasks = Object.values(state.tasks).filter((task) => task.cluster === cluster.name);
  const services = Object.values(state.services).filter(
    (service) => service.cluster === cluster.name && service.status === 'ACTIVE',
  );
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: 0,
    runningTasksCount: tasks.filter(({ status }) => status === 'RUNNING').length,
    pendingTasksCount: tasks.filter(({ status }) => status === 'PROVISIONING' || status === 'PENDING').length,
    activeServicesCount: services.length,
    statistics: [],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
    ...cluster.settings,
    settings: include.includes('SETTINGS') ? (cluster.settings['settings'] ?? []) : [],
    tags: include.includes('TAGS') ? tagList(cluster.tags) : [],
  };
}
