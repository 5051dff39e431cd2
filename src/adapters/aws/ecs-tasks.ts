import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
} from '@aws-sdk/client-ecs';
import { revisionName } from '../../domain/ecs/arn.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { EcsTask, EcsTasks, TaskOrder } from '../../ports/ecs-tasks.ts';
import { toEcsTask, volumesInput } from './ecs-shapes.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

/** The port of single tasks over the SDK. */
export function ecsTasksOf(session: Pick<AwsSession, 'clientConfig'>): EcsTasks {
  const client = new ECSClient(session.clientConfig);
  return {
    async run(order, signal) {
      const what = `Could not run a task of ${revisionName(order.taskDefinition)} in cluster ${order.cluster}`;
      const answer = await callAws({ action: 'ecs:RunTask', what, now: 'The service was not changed' }, signal, () =>
        client.send(new RunTaskCommand(inputOf(order)), { abortSignal: signal }),
      );
      const [task] = answer.tasks ?? [];
      if (task !== undefined) return toEcsTask(task);
      const [failure] = answer.failures ?? [];
      const why = `ECS says ${failure?.reason ?? 'nothing of it'}${failure?.detail === undefined ? '' : ` (${failure.detail})`}`;
      throw new CloudFailure('invalid', { what, why, now: 'The service was not changed' });
    },
    async describe({ cluster, arn }, signal) {
      const [task] = await describe(client, { cluster, tasks: [arn] }, signal);
      return task;
    },
    async find({ cluster, startedBy }, signal) {
      const what = `Could not look for earlier tasks in cluster ${cluster}`;
      const tasks: string[] = [];
      for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
        // startedBy must be the only filter but for the status.
        const command = new ListTasksCommand({ cluster, startedBy, desiredStatus });
        const listed = await callAws({ action: 'ecs:ListTasks', what }, signal, () =>
          client.send(command, { abortSignal: signal }),
        );
        tasks.push(...(listed.taskArns ?? []));
      }
      return tasks.length === 0 ? [] : describe(client, { cluster, tasks }, signal);
    },
  };
}

const inputOf = ({
  cluster,
  taskDefinition,
  placement,
  override,
  startedBy,
  clientToken,
  ...asked
}: TaskOrder): RunTaskCommandInput => ({
  cluster,
  taskDefinition,
  count: 1,
  startedBy,
  clientToken,
  // In the words of the API already: what the service has, and a strategy excludes the launch type.
  ...({
    ...placement,
    ...(Array.isArray(placement.capacityProviderStrategy) ? { launchType: undefined } : {}),
  } as Partial<RunTaskCommandInput>),
  ...(asked.volumes === undefined ? {} : { volumeConfigurations: volumesInput(asked.volumes) }),
  ...(asked.propagateTags === undefined ? {} : { propagateTags: asked.propagateTags }),
  ...(asked.managedTags === undefined ? {} : { enableECSManagedTags: asked.managedTags }),
  ...(asked.tags === undefined ? {} : { tags: [...asked.tags] }),
  overrides: {
    containerOverrides: [
      {
        name: override.container,
        ...(override.command === undefined ? {} : { command: [...override.command] }),
        environment: Object.entries(override.environment).map(([name, value]) => ({ name, value })),
      },
    ],
  },
});

async function describe(
  client: ECSClient,
  { cluster, tasks }: { readonly cluster: string; readonly tasks: string[] },
  signal: AbortSignal,
): Promise<readonly EcsTask[]> {
  const what = `Could not read tasks of cluster ${cluster}`;
  const answer = await callAws({ action: 'ecs:DescribeTasks', what }, signal, () =>
    client.send(new DescribeTasksCommand({ cluster, tasks }), { abortSignal: signal }),
  );
  return (answer.tasks ?? []).map(toEcsTask);
}
