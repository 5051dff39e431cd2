import { serviceArn } from '../../core/arn.ts';
import type { Cluster, Service, State, Task } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { type Input, needText, textIn } from './input.ts';

const lastPart = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? '';
const isArn = (text: string): boolean => text.startsWith('arn:');

/** The cluster of the call: a name or an ARN, `default` when it is left out. */
export function clusterIn(state: State, input: Input): Cluster {
  const given = textIn(input, 'cluster') ?? 'default';
  const cluster = state.clusters[lastPart(given)];
  const same = cluster !== undefined && (!isArn(given) || given === cluster.arn);
  if (!same || cluster.status !== 'ACTIVE') throw new Refused('ClusterNotFoundException', 'Cluster not found.');
  return cluster;
}

/** The ARN that a name or an ARN stands for in this cluster. */
export const serviceArnOf = (state: State, cluster: Cluster, nameOrArn: string): string =>
  isArn(nameOrArn) ? nameOrArn : serviceArn(state, cluster.name, nameOrArn);

/** The service of the call, whatever its status. */
export function serviceIn(state: State, input: Input, member: string): Service {
  const cluster = clusterIn(state, input);
  const given = needText(input, member, 'Service cannot be empty.');
  const service = state.services[serviceArnOf(state, cluster, given)];
  if (service === undefined || service.cluster !== cluster.name) {
    throw new Refused('ServiceNotFoundException', 'Service not found.');
  }
  return service;
}

export function activeServiceIn(state: State, input: Input, member: string): Service {
  const service = serviceIn(state, input, member);
  if (service.status !== 'ACTIVE') throw new Refused('ServiceNotActiveException', 'Service was not ACTIVE.');
  return service;
}

/** `service/CLUSTER/NAME`, as Application Auto Scaling writes it; undefined: there is no such service. */
export function serviceArnOfId(state: State, id: string): string | undefined {
  const [, cluster = '', name = ''] = /^service\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
  const arn = serviceArn(state, cluster, name);
  return state.services[arn] === undefined ? undefined : arn;
}

/** A task by id or ARN; those of other clusters are not seen. */
export function taskIn(state: State, cluster: Cluster, idOrArn: string): Task | undefined {
  const task = state.tasks[lastPart(idOrArn)];
  const same = task?.cluster === cluster.name && (!isArn(idOrArn) || task.arn === idOrArn);
  return same ? task : undefined;
}
