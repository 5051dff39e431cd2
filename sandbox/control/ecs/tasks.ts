import { isDeepStrictEqual } from 'node:util';
import type { Cluster, OneOff, RunSpec, State, Task, TaskTemplate } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { clusterIn, serviceIn, taskIn } from './find.ts';
import {
  type Input,
  needText,
  numberIn,
  objectIn,
  objectsIn,
  pageOf,
  picked,
  refuse,
  tagsIn,
  textIn,
  textsIn,
} from './input.ts';
import { renderTask } from './render-task.ts';
import { checkLaunch, checkTagSettings, checkVolumes, launchTypeOf } from './launch.ts';
import { checkNetwork } from './services.ts';
import { findTaskDefinition } from './task-definition.ts';
import type { EcsContext } from './types.ts';

type Output = Readonly<Record<string, unknown>>;

export function listTasks(input: Input, context: EcsContext): Output {
  const state = context.state();
  const cluster = clusterIn(state, input);
  const matching = Object.values(state.tasks).filter(taskFilter(state, cluster, input));
  const { items, nextToken } = pageOf(matching, input, 100);
  return { taskArns: items.map(({ arn }) => arn), nextToken };
}

const OTHER_FILTERS = ['serviceName', 'family', 'containerInstance', 'launchType'] as const;

function taskFilter(state: State, cluster: Cluster, input: Input): (task: Task) => boolean {
  const startedBy = textIn(input, 'startedBy');
  if (startedBy !== undefined && OTHER_FILTERS.some((name) => input[name] !== undefined)) {
    refuse('startedBy must be the only filter.');
  }
  const service = input['serviceName'] === undefined ? undefined : serviceIn(state, input, 'serviceName');
  const family = textIn(input, 'family');
  const launchType = textIn(input, 'launchType') ?? 'FARGATE';
  const desiredStatus = textIn(input, 'desiredStatus') ?? 'RUNNING';
  if (!['RUNNING', 'PENDING', 'STOPPED'].includes(desiredStatus)) refuse(`Invalid desiredStatus: ${desiredStatus}`);
  return (task) =>
    task.cluster === cluster.name &&
    task.desiredStatus === desiredStatus &&
    launchType === 'FARGATE' &&
    input['containerInstance'] === undefined &&
    (startedBy === undefined || task.startedBy === startedBy) &&
    (service === undefined || task.serviceArn === service.arn) &&
    (family === undefined || task.template.family === family);
}

export function describeTasks(input: Input, context: EcsContext): Output {
  const state = context.state();
  const cluster = clusterIn(state, input);
  const asked = textsIn(input, 'tasks') ?? [];
  if (asked.length === 0) refuse('Tasks cannot be empty.');
  if (asked.length > 100) refuse('At most 100 tasks can be described in one call.');
  const tags = textsIn(input, 'include')?.includes('TAGS') === true ? 'with-tags' : 'without-tags';
  const found = asked.map((one) => ({ one, task: taskIn(state, cluster, one) }));
  return {
    tasks: found.flatMap(({ task }) => (task === undefined ? [] : [renderTask(state, task, tags)])),
    failures: found.flatMap(({ one, task }) =>
      task === undefined ? [{ arn: arnOf(state, cluster, one), reason: 'MISSING' }] : [],
    ),
  };
}

const arnOf = ({ world }: State, cluster: Cluster, idOrArn: string): string =>
  idOrArn.startsWith('arn:') ? idOrArn : `arn:aws:ecs:${world.region}:${world.account}:task/${cluster.name}/${idOrArn}`;

const SETTINGS = [
  'launchType',
  'capacityProviderStrategy',
  'networkConfiguration',
  'platformVersion',
  'enableExecuteCommand',
  'enableECSManagedTags',
  'propagateTags',
  'volumeConfigurations',
  'clientToken',
] as const;

export async function runTask(input: Input, context: EcsContext): Promise<Output> {
  const cluster = clusterIn(context.state(), input);
  checkLaunch(input);
  checkTagSettings(input, 'task');
  const count = numberIn(input, 'count') ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > 10) refuse('count must be between 1 and 10.');
  const ref = needText(input, 'taskDefinition', 'TaskDefinition can not be blank.');
  const { template, status, networkMode, launchVolumes } = await findTaskDefinition(context, ref);
  // UpdateService reports the same as a ClientException.
  if (status !== 'ACTIVE') refuse('TaskDefinition is inactive');
  checkNetwork(networkMode, input);
  checkVolumes(input, launchVolumes);
  const run = runSpec(input, template);
  const before = context.state();
  const repeated = sameToken(before, textIn(input, 'clientToken'));
  if (repeated.length > 0) return answer(before, sameRequest(repeated, run));
  const after = context.apply({ kind: 'tasks-run', cluster: cluster.name, count, run });
  return answer(
    after,
    Object.values(after.tasks).filter(({ id }) => before.tasks[id] === undefined),
  );
}

const answer = (state: State, tasks: readonly Task[]): Output => ({
  tasks: tasks.map((task) => renderTask(state, task, 'with-tags')),
  failures: [],
});

const sameToken = (state: State, token: string | undefined): readonly Task[] =>
  token === undefined ? [] : Object.values(state.tasks).filter(({ settings }) => settings['clientToken'] === token);

const askedBy = ({ template, overrides, settings, startedBy, tags }: Task | RunSpec): object => ({
  definition: template.taskDefinitionArn,
  overrides,
  settings,
  startedBy,
  tags,
});

/** A client token makes RunTask idempotent; the same token for something else is a mistake of the caller. */
function sameRequest(tasks: readonly Task[], run: RunSpec): readonly Task[] {
  const same = tasks.every((task) => isDeepStrictEqual(askedBy(task), askedBy(run)));
  if (same) return tasks;
  throw new Refused('ConflictException', 'The clientToken was used for a RunTask call with other parameters.');
}

function runSpec(input: Input, template: TaskTemplate): RunSpec {
  const overrides = objectIn(input, 'overrides') ?? {};
  const containers = objectsIn(overrides, 'containerOverrides') ?? [];
  for (const one of containers) {
    const name = textIn(one, 'name') ?? '';
    if (!template.containers.some((container) => container.name === name)) {
      refuse(`Override for container named ${name} is not a container in the TaskDefinition.`);
    }
  }
  const main = template.containers.find(({ essential }) => essential) ?? template.containers[0];
  const changes = containers.find((one) => one['name'] === main?.name) ?? {};
  const changed = (objectsIn(changes, 'environment') ?? []).map((entry) => [
    textIn(entry, 'name') ?? '',
    textIn(entry, 'value') ?? '',
  ]);
  const environment = Object.fromEntries(changed) as Readonly<Record<string, string>>;
  const startedBy = textIn(input, 'startedBy');
  if (startedBy !== undefined && startedBy.length > 128) refuse('startedBy must have at most 128 characters.');
  return {
    template,
    group: textIn(input, 'group'),
    startedBy,
    overrides: picked(overrides, ['containerOverrides', 'cpu', 'memory', 'taskRoleArn', 'executionRoleArn']),
    environment,
    tags: tagsIn(input),
    settings: { ...launchTypeOf(input), ...picked(input, SETTINGS) },
    oneOff: oneOffOf(textsIn(changes, 'command') ?? main?.command ?? [], { ...main?.environment, ...environment }),
  };
}

/** The demo image's command `migrate` comes to an end, after MIGRATE_MS and with MIGRATE_EXIT_CODE; every other one serves. */
function oneOffOf(command: readonly string[], environment: Readonly<Record<string, string>>): OneOff | undefined {
  if (!command.includes('migrate')) return undefined;
  const { MIGRATE_MS = '3000', MIGRATE_EXIT_CODE = '0' } = environment;
  return { command, length: Number(MIGRATE_MS), exitCode: Number(MIGRATE_EXIT_CODE) };
}

export function stopTask(input: Input, context: EcsContext): Output {
  const cluster = clusterIn(context.state(), input);
  const task = taskIn(context.state(), cluster, needText(input, 'task', 'Task cannot be empty.'));
  if (task === undefined) refuse('The referenced task was not found.');
  const reason = textIn(input, 'reason') ?? 'Task stopped by user';
  const state = context.apply({ kind: 'task-stop-requested', id: task.id, reason });
  return { task: renderTask(state, state.tasks[task.id] ?? task, 'with-tags') };
}
