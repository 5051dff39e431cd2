import { clusterArn, serviceArn } from './arn.ts';
import { deploy } from './deployments.ts';
import { abandon } from './service-deployments.ts';
import { createTask, stopTask } from './tasks.ts';
import { putService, putTask, type Turn, wake } from './turn.ts';
import type { Event, RunSpec, Service, ServiceView, State, Task } from './types.ts';

type Of<K extends Event['kind']> = Event & { readonly kind: K };

export function createCluster(turn: Turn, { name, tags, settings }: Of<'cluster-created'>): void {
  const known = turn.state.clusters[name];
  // CreateCluster of what exists answers with what is there.
  if (known?.status === 'ACTIVE') return;
  const cluster = { name, arn: clusterArn(turn.state, name), status: 'ACTIVE', tags, settings } as const;
  turn.state = { ...turn.state, clusters: { ...turn.state.clusters, [name]: cluster } };
}

export function createService(turn: Turn, { cluster, name, spec, tags }: Of<'service-created'>): void {
  const arn = serviceArn(turn.state, cluster, name);
  const known = turn.state.services[arn];
  if (known !== undefined && known.status !== 'INACTIVE') return;
  putService(turn, {
    arn,
    name,
    cluster,
    status: 'ACTIVE',
    desiredCount: spec.desiredCount,
    configuration: spec.configuration,
    healthCheckGracePeriod: spec.healthCheckGracePeriod,
    loadBalancers: spec.loadBalancers,
    settings: spec.settings,
    tags,
    createdAt: turn.now,
    deployments: [],
    lastCompletedRevision: undefined,
    currentServiceDeployment: undefined,
    events: [],
    scheduleAt: undefined,
    steady: false,
    beforeUpdate: undefined,
  });
  deploy(turn, arn, spec);
}

export function updateService(turn: Turn, { serviceArn: arn, spec, deploys }: Of<'service-updated'>): void {
  const service = turn.state.services[arn];
  if (service?.status !== 'ACTIVE') return;
  putService(turn, {
    ...service,
    beforeUpdate: viewOf(turn.state, service),
    desiredCount: spec.desiredCount,
    configuration: spec.configuration,
    healthCheckGracePeriod: spec.healthCheckGracePeriod,
    settings: spec.settings,
    steady: false,
  });
  if (deploys === 'new-deployment') deploy(turn, arn, spec);
  wake(turn, arn);
}

/** DRAINING until the last task is gone, then INACTIVE. */
export function deleteService(turn: Turn, arn: string): void {
  const service = turn.state.services[arn];
  if (service?.status !== 'ACTIVE') return;
  putService(turn, { ...service, status: 'DRAINING', desiredCount: 0 });
  abandon(turn, arn);
  wake(turn, arn);
}

export function runTasksOnce(turn: Turn, { cluster, count, run }: Of<'tasks-run'>): void {
  for (let left = count; left > 0; left--) createTask(turn, standalone(cluster, run));
}

const standalone = (cluster: string, { group, ...run }: RunSpec) => ({
  ...run,
  cluster,
  group: group ?? `family:${run.template.family}`,
  serviceArn: undefined,
  loadBalancers: [],
});

export function stopTaskByUser(turn: Turn, { id, reason }: Of<'task-stop-requested'>): void {
  stopTask(turn, id, { code: 'UserInitiated', reason, drain: 'none' });
  wake(turn, turn.state.tasks[id]?.serviceArn);
}

/** Services, clusters and tasks carry tags; a change replaces values and takes the removed keys away. */
export function tag(turn: Turn, { resourceArn, tags, removed }: Of<'tagged'>): void {
  const { state } = turn;
  const changed = (before: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries({ ...before, ...tags }).filter(([key]) => !removed.includes(key)));
  const service = state.services[resourceArn];
  if (service !== undefined) putService(turn, { ...service, tags: changed(service.tags) });
  const task = Object.values(state.tasks).find(({ arn }) => arn === resourceArn);
  if (task !== undefined) putTask(turn, { ...task, tags: changed(task.tags) });
  const cluster = Object.values(state.clusters).find(({ arn }) => arn === resourceArn);
  if (cluster === undefined) return;
  turn.state = {
    ...state,
    clusters: { ...state.clusters, [cluster.name]: { ...cluster, tags: changed(cluster.tags) } },
  };
}

const isRunning = (task: Task): boolean => task.status === 'RUNNING' && task.desiredStatus === 'RUNNING';
const isPending = (task: Task): boolean =>
  (task.status === 'PROVISIONING' || task.status === 'PENDING') && task.desiredStatus === 'RUNNING';

/** A service with its counts, as DescribeServices shows it. */
export function viewOf(state: State, service: Service): ServiceView {
  const { beforeUpdate: _, ...shown } = service;
  const tasks = Object.values(state.tasks).filter((task) => task.serviceArn === service.arn);
  const deployments = service.deployments.map((deployment) => {
    const own = tasks.filter(({ startedBy }) => startedBy === deployment.id);
    const running = own.filter(isRunning).length;
    const pending = own.filter(isPending).length;
    return {
      ...deployment,
      desired: deployment.status === 'PRIMARY' ? service.desiredCount : running + pending,
      running,
      pending,
      taskDefinitionArn: state.revisions[deployment.revisionArn]?.template.taskDefinitionArn ?? '',
    };
  });
  return {
    service: shown,
    running: tasks.filter(isRunning).length,
    pending: tasks.filter(isPending).length,
    deployments,
  };
}
