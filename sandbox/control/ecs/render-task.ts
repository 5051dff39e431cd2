import { clusterArn } from '../../core/arn.ts';
import type { ContainerTemplate, State, Task } from '../../core/types.ts';
import { seconds, tagList } from './input.ts';

type Output = Readonly<Record<string, unknown>>;

const ZONES = ['a', 'b', 'c'] as const;

/** One entry of `tasks`. */
export function renderTask(state: State, task: Task, tags: 'with-tags' | 'without-tags'): Output {
  const { settings } = task;
  return {
    attachments: [attachment(task)],
    attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    availabilityZone: `${state.world.region}${ZONES[Number.parseInt(task.id.slice(-2), 16) % ZONES.length] ?? 'a'}`,
    clusterArn: clusterArn(state, task.cluster),
    connectivity: task.pendingAt === undefined ? undefined : 'CONNECTED',
    connectivityAt: seconds(task.pendingAt),
    containers: task.template.containers.map((container) => renderContainer(task, container)),
    cpu: task.template.cpu,
    memory: task.template.memory,
    createdAt: seconds(task.createdAt),
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: settings['enableExecuteCommand'] ?? false,
    executionStoppedAt: seconds(task.executionStoppedAt),
    group: task.group,
    healthStatus: 'UNKNOWN',
    inferenceAccelerators: [],
    lastStatus: task.status,
    launchType: settings['launchType'],
    capacityProviderName: providerOf(settings),
    overrides: { containerOverrides: task.template.containers.map(({ name }) => ({ name })), ...task.overrides },
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    pullStartedAt: seconds(task.pendingAt),
    pullStoppedAt: seconds(task.startedAt),
    startedAt: seconds(task.startedAt),
    startedBy: task.startedBy,
    stopCode: task.stopCode,
    stoppedAt: seconds(task.stoppedAt),
    stoppedReason: task.stoppedReason,
    stoppingAt: seconds(task.stoppingAt),
    taskArn: task.arn,
    taskDefinitionArn: task.template.taskDefinitionArn,
    version: VERSIONS[task.status],
    ephemeralStorage: { sizeInGiB: 20 },
    ...(tags === 'with-tags' ? { tags: tagList(task.tags) } : { tags: [] }),
  };
}

/** The first of the strategy: base and weights are for more tasks than one. */
function providerOf({ capacityProviderStrategy }: Task['settings']): unknown {
  const [first] = (capacityProviderStrategy ?? []) as readonly Output[];
  return first?.['capacityProvider'];
}

/** Grows with every change of state, as the service's number does. */
const VERSIONS: Readonly<Record<Task['status'], number>> = {
  PROVISIONING: 1,
  PENDING: 2,
  RUNNING: 3,
  DEACTIVATING: 4,
  STOPPING: 5,
  DEPROVISIONING: 6,
  STOPPED: 7,
};

function attachment(task: Task): Output {
  const id = `${task.id.slice(0, 8)}-${task.id.slice(8, 12)}-4${task.id.slice(13, 16)}-8${task.id.slice(17, 20)}-${task.id.slice(20)}`;
  const deleted = task.status === 'STOPPED' || task.status === 'DEPROVISIONING';
  return {
    id,
    type: 'ElasticNetworkInterface',
    status: deleted ? 'DELETED' : task.status === 'PROVISIONING' ? 'PRECREATED' : 'ATTACHED',
    details: [
      { name: 'networkInterfaceId', value: `eni-0${task.id.slice(0, 16)}` },
      { name: 'privateIPv4Address', value: task.ip },
    ],
  };
}

/** The main container is the process; the others run as long as it does and end with 0. */
function renderContainer(task: Task, container: ContainerTemplate): Output {
  const main = container.name === task.mainContainer;
  const over = task.executionStoppedAt !== undefined || task.status === 'STOPPED' || task.status === 'DEPROVISIONING';
  const otherExit = over && task.startedAt !== undefined ? 0 : undefined;
  return {
    containerArn: `${task.arn.replace(':task/', ':container/')}/${container.name}`,
    taskArn: task.arn,
    name: container.name,
    image: container.image,
    imageDigest: container.image.split('@')[1],
    runtimeId: `${task.id}-${container.name}`,
    lastStatus: over ? 'STOPPED' : task.startedAt === undefined ? 'PENDING' : 'RUNNING',
    exitCode: main ? task.exitCode : otherExit,
    reason: main ? task.containerReason : undefined,
    networkBindings: [],
    networkInterfaces: [{ attachmentId: attachment(task)['id'], privateIpv4Address: task.ip }],
    healthStatus: 'UNKNOWN',
    cpu: '0',
  };
}
