import { Refused } from '../refused.ts';
import { createCluster, describeClusters, listClusters } from './clusters.ts';
import type { Input } from './input.ts';
import {
  describeServiceDeployments,
  describeServiceRevisions,
  listServiceDeployments,
  stopServiceDeployment,
} from './service-deployments.ts';
import { createService, deleteService, describeServices, listServices, updateService } from './services.ts';
import { listTagsForResource, tagResource, untagResource } from './tags.ts';
import { describeTasks, listTasks, runTask, stopTask } from './tasks.ts';
import type { EcsContext, HandleEcs } from './types.ts';

type Output = Readonly<Record<string, unknown>>;
type Operation = (input: Input, context: EcsContext) => Output | Promise<Output>;

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['CreateCluster', createCluster],
  ['DescribeClusters', describeClusters],
  ['ListClusters', listClusters],
  ['CreateService', createService],
  ['UpdateService', updateService],
  ['DeleteService', deleteService],
  ['DescribeServices', describeServices],
  ['ListServices', listServices],
  ['ListTasks', listTasks],
  ['DescribeTasks', describeTasks],
  ['RunTask', runTask],
  ['StopTask', stopTask],
  ['ListServiceDeployments', listServiceDeployments],
  ['DescribeServiceDeployments', describeServiceDeployments],
  ['DescribeServiceRevisions', describeServiceRevisions],
  ['StopServiceDeployment', stopServiceDeployment],
  ['TagResource', tagResource],
  ['UntagResource', untagResource],
  ['ListTagsForResource', listTagsForResource],
]);

/**
 * The ECS API on the core. Task definitions (and their tags) are moto's: the front forwards those calls and does not come
 * here with them. What is not modelled is answered with an error that an SDK does not retry.
 */
export const handleEcs: HandleEcs = async (operation, input, context) => {
  const call = OPERATIONS.get(operation);
  if (call === undefined) {
    const message = `The sandbox does not model ecs:${operation}`;
    return { kind: 'error', code: 'UnsupportedFeatureException', message, status: 400 };
  }
  try {
    return { kind: 'output', output: await call(input, context) };
  } catch (error) {
    if (error instanceof Refused) return error.error;
    throw error;
  }
};
