import {
  type ECSClient,
  type Task,
  DescribeContainerInstancesCommand,
  DescribeTasksCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import type { Ecs, EcsServiceRef, TaskPlace } from '../../ports/ecs.ts';
import { callAws } from './errors.ts';

/** Limit of DescribeTasks and of DescribeContainerInstances. */
const A_CALL = 100;

/**
 * Tasks by the deployment that started them. A task whose place is not shown (yet) has none: nothing is counted for it.
 * DescribeContainerInstances is called for tasks without an address of their own alone, which Fargate does not have.
 */
export function placesOf(client: ECSClient): Pick<Ecs, 'placesOf'> {
  return {
    async placesOf(ref, deployment, signal) {
      const running = await runningTasks(client, ref, signal);
      const own = running.filter(({ startedBy, lastStatus }) => startedBy === deployment && lastStatus === 'RUNNING');
      const addresses = own.map(addressesOf);
      const bound = own.filter((_, index) => addresses[index]?.length === 0);
      const instances = await instancesOf(client, { ref, tasks: bound }, signal);
      return [
        ...addresses.flat().map((address) => ({ address })),
        ...bound.flatMap(({ containerInstanceArn = '', containers = [] }) => {
          const instance = instances.get(containerInstanceArn);
          const ports = containers.flatMap(({ networkBindings = [] }) =>
            networkBindings.map(({ hostPort }) => hostPort),
          );
          if (instance === undefined) return [];
          return ports.flatMap((port) => (port === undefined ? [] : [{ instance, port }]));
        }),
      ] satisfies readonly TaskPlace[];
    },
  };
}

const whatOf = ({ cluster, service }: EcsServiceRef): string =>
  `Could not read where the tasks of ECS service ${service} in cluster ${cluster} run`;

async function runningTasks(client: ECSClient, ref: EcsServiceRef, signal: AbortSignal): Promise<readonly Task[]> {
  const what = whatOf(ref);
  const { cluster, service: serviceName } = ref;
  const tasks: Task[] = [];
  let nextToken: string | undefined;
  do {
    const page = { cluster, serviceName, maxResults: A_CALL, ...(nextToken === undefined ? {} : { nextToken }) };
    const listed = await callAws({ action: 'ecs:ListTasks', what }, signal, () =>
      client.send(new ListTasksCommand(page), { abortSignal: signal }),
    );
    const { taskArns = [] } = listed;
    if (taskArns.length > 0) {
      const described = await callAws({ action: 'ecs:DescribeTasks', what }, signal, () =>
        client.send(new DescribeTasksCommand({ cluster, tasks: taskArns }), { abortSignal: signal }),
      );
      tasks.push(...(described.tasks ?? []));
    }
    ({ nextToken } = listed);
  } while (nextToken !== undefined);
  return tasks;
}

/** Of the network interface that the task has for itself (`awsvpc`). */
const addressesOf = ({ attachments = [] }: Task): readonly string[] =>
  attachments
    .filter(({ type }) => type === 'ElasticNetworkInterface')
    .flatMap(({ details = [] }) => details)
    .flatMap(({ name, value }) =>
      (name === 'privateIPv4Address' || name === 'privateIPv6Address') && value !== undefined ? [value] : [],
    );

/** EC2 instance by ARN of the container instance. */
async function instancesOf(
  client: ECSClient,
  { ref, tasks }: { readonly ref: EcsServiceRef; readonly tasks: readonly Task[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const arns = [...new Set(tasks.flatMap(({ containerInstanceArn }) => containerInstanceArn ?? []))];
  const found = new Map<string, string>();
  for (let start = 0; start < arns.length; start += A_CALL) {
    const containerInstances = arns.slice(start, start + A_CALL);
    const command = new DescribeContainerInstancesCommand({ cluster: ref.cluster, containerInstances });
    const answer = await callAws({ action: 'ecs:DescribeContainerInstances', what: whatOf(ref) }, signal, () =>
      client.send(command, { abortSignal: signal }),
    );
    for (const { containerInstanceArn, ec2InstanceId } of answer.containerInstances ?? [])
      if (containerInstanceArn !== undefined && ec2InstanceId !== undefined)
        found.set(containerInstanceArn, ec2InstanceId);
  }
  return found;
}
