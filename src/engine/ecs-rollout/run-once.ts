import { canonicalJson } from '../../domain/canonical-json.ts';
import { after, formatDuration, between, minutes, seconds } from '../../domain/duration.ts';
import { lastPart, revisionName } from '../../domain/ecs/arn.ts';
import { describeStops, likelyCauseOf } from '../../domain/ecs/diagnosis.ts';
import {
  type Moment,
  type TaskRecord,
  decideTask,
  exitCodeOf,
  placementFor,
  readRecords,
  startedBy,
  volumesFor,
  withRecord,
} from '../../domain/ecs/one-off-task.ts';
import type { EcsService, EcsTask, ServiceSettings, TaskDefinition } from '../../domain/ecs/service.ts';
import { imagesOf } from '../../domain/ecs/task-definition.ts';
import type { TaskWish } from '../../domain/ecs/task-wish.ts';
import { DeadlinePassed, Failure } from '../../domain/failure.ts';
import { isPinned } from '../../domain/image-reference.ts';
import { nearestOf } from '../../domain/inputs.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import { unreachable } from '../../domain/unreachable.ts';
import type { Sha256 } from '../../ports/digest.ts';
import type { EcsTasks, TaskOrder } from '../../ports/ecs-tasks.ts';
import { until } from '../until.ts';
import { tailsOf } from './last-lines.ts';
import type { RolloutTools, Verification } from './rollout.ts';

export interface OneOffTools extends RolloutTools {
  readonly tasks: EcsTasks;
  readonly sha256: Sha256;
}

/** One task of one release. */
export interface OneOffOrder {
  readonly moment: Moment;
  readonly wish: TaskWish;
  readonly service: EcsService;
  readonly definition: Pick<TaskDefinition, 'arn' | 'body'>;
  /** Absent: the only one. */
  readonly container?: string;
  /** What the release makes of the service: volumes of the service are those of the task too. */
  readonly settings?: ServiceSettings;
  /** `<run id>/<attempt>`: an image by tag is a new one in every workflow run. */
  readonly run: string;
}

const LOOK_EVERY = seconds(5);

/**
 * Runs the task once for this image and command, in the network of the service, and waits for its end. One that succeeded
 * before is not run again, one that a killed run left is followed, one that failed is repeated as a new attempt.
 *
 * Safe state, process or runner dead: the task goes on alone; the tags of the service name it before it starts, so the next
 * run finds it by `startedBy`, or asks for it by the same client token, for which ECS starts one task in 24 h.
 */
export async function runOnce(order: OneOffOrder, tools: OneOffTools, signal: AbortSignal): Promise<Verification> {
  const { moment, wish, service } = order;
  const container = containerOf(order);
  const key = keyOf({ ...order, container }, tools);
  const record = readRecords(service, moment).find((each) => each.key === key);
  const found = record?.state.kind === 'started' ? await findTasks(order, record, tools, signal) : [];
  const decision = decideTask(record, found, tools.clock.now());
  switch (decision.kind) {
    case 'remembered':
      tools.log.info(`The ${moment} task of this image ended with exit code 0 before; it is not run again`);
      return { kind: 'good' };
    case 'follow':
      tools.log.info(`Following the ${moment} task ${lastPart(decision.task.arn)} that an earlier run started`);
      return follow({ ...order, container, key, attempt: decision.attempt }, decision.task, tools, signal);
    case 'unknown':
      if (wish.onUnknown === 'fail') throw forgotten(order, decision.why);
      tools.log.warning(`${decision.why}; on-unknown: ${wish.onUnknown}`);
      if (wish.onUnknown === 'skip') return { kind: 'good' };
      return start({ ...order, container, key, attempt: decision.attempt + 1 }, 'no', tools, signal);
    case 'run':
      return start({ ...order, container, key, attempt: decision.attempt }, decision.begun, tools, signal);
    default:
      return unreachable(decision);
  }
}

/** PURE. What a dry run says of it; an earlier one that is not over is found by the run itself. */
export function describeOneOff(order: OneOffOrder, tools: Pick<OneOffTools, 'sha256'>): string {
  const { moment, wish, service } = order;
  const container = containerOf(order);
  const key = keyOf({ ...order, container }, tools);
  const record = readRecords(service, moment).find((each) => each.key === key);
  if (record?.state.kind === 'ended' && record.state.exitCode === 0)
    return `Leave the ${moment} task out: it ended with exit code 0 for this image before`;
  const command = wish.command === undefined ? 'its own command' : wish.command.join(' ');
  const where = placeOf(order);
  return `Run the ${moment} task once: ${command} in container ${container}, ${formatDuration(wish.timeout)} at most${where}`;
}

/** What is not as the service's own tasks have it, and what it is launched with. */
function placeOf({ wish, service, definition: { body }, settings }: OneOffOrder): string {
  const volumes = volumesFor(service, wish, { body, settings }).map(({ name }) => name);
  const told: readonly (readonly [what: string, value: string | undefined])[] = [
    ['launch type', wish.launchType],
    ['capacity providers', wish.capacityProviders?.map(({ capacityProvider }) => capacityProvider).join(', ')],
    ['platform version', wish.platformVersion],
    ['subnets', wish.subnets?.join(', ')],
    ['security groups', wish.securityGroups?.join(', ')],
    ['public address', wish.assignPublicIp],
    ['volumes', volumes.length === 0 ? undefined : volumes.join(', ')],
    ['tags', wish.tags?.map(({ key, value }) => `${key}=${value}`).join(', ')],
    ['tags propagated from', wish.propagateTags],
    ['tags managed by ECS', wish.managedTags?.toString()],
  ];
  return told.flatMap(([what, value]) => (value === undefined ? [] : [`; ${what} ${value}`])).join('');
}

interface Known extends OneOffOrder {
  readonly container: string;
  readonly key: string;
  readonly attempt: number;
}

/** Image and command name the task; by tag, only within one workflow run. */
function keyOf(
  { definition, wish, container, run }: Omit<Known, 'key' | 'attempt'>,
  { sha256 }: Pick<OneOffTools, 'sha256'>,
): string {
  const image = imagesOf(definition.body)[container] ?? '';
  const named = isPinned(image) ? image.slice(image.indexOf('@')) : `${image} in run ${run.split('/')[0]}`;
  return sha256(canonicalJson([named, container, wish.command ?? []])).slice(0, 12);
}

function containerOf({ definition, wish, container, moment }: OneOffOrder): string {
  const names = Object.keys(imagesOf(definition.body));
  const wanted = wish.container ?? container ?? (names.length === 1 ? names[0] : undefined);
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  const nearest = wanted === undefined ? undefined : nearestOf(wanted, names);
  throw new Failure({
    what:
      wanted === undefined
        ? `${revisionName(definition.arn)} has ${names.length} containers, and the ${moment} task names none`
        : `${revisionName(definition.arn)} has no container ${wanted}, which the ${moment} task names`,
    why: `its containers are ${names.join(', ')}`,
    now: 'The service was not changed',
    next: nearest === undefined ? `Set container in ${moment}-task` : `Did you mean ${nearest}?`,
  });
}

const forgotten = ({ moment, service, wish }: OneOffOrder, why: string): Failure =>
  new Failure({
    what: `Whether the ${moment} task of ${service.ref.service} ended well is not known`,
    why,
    now: 'The service was not changed',
    next: `Look at its log${wish.command === undefined ? '' : ` (${wish.command.join(' ')})`}, then set on-unknown in ${moment}-task to skip or run, and re-run`,
  });

function findTasks(
  { moment, service }: OneOffOrder,
  record: TaskRecord,
  { tasks }: OneOffTools,
  signal: AbortSignal,
): Promise<readonly EcsTask[]> {
  return tasks.find({ cluster: service.ref.cluster, startedBy: startedBy(moment, record) }, signal);
}

async function start(
  known: Known,
  begun: 'yes' | 'no',
  tools: OneOffTools,
  signal: AbortSignal,
): Promise<Verification> {
  const { moment, wish, service, definition, container, key, attempt } = known;
  if (begun === 'no') await note(known, { kind: 'started', at: tools.clock.now() }, tools, signal);
  const command = wish.command === undefined ? '' : `: ${wish.command.join(' ')}`;
  const again = attempt === 1 ? '' : ` (attempt ${attempt})`;
  tools.log.info(
    `Running the ${moment} task in container ${container} of ${revisionName(definition.arn)}${again}${command}`,
  );
  const task = await tools.tasks.run(
    {
      cluster: service.ref.cluster,
      taskDefinition: definition.arn,
      placement: placementFor(service, wish),
      ...taskSettings(known),
      override: {
        container,
        environment: wish.environment,
        ...(wish.command === undefined ? {} : { command: wish.command }),
      },
      startedBy: startedBy(moment, known),
      clientToken: tools.sha256(`${service.arn} ${moment} ${key} ${attempt}`),
    },
    signal,
  );
  return follow(known, task, tools, signal);
}

/** Nothing is sent that nobody asked for. */
function taskSettings({
  service,
  wish,
  definition: { body },
  settings,
}: Known): Pick<TaskOrder, 'volumes' | 'propagateTags' | 'managedTags' | 'tags'> {
  const volumes = volumesFor(service, wish, { body, settings });
  const { propagateTags, managedTags, tags } = wish;
  return {
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(propagateTags === undefined ? {} : { propagateTags }),
    ...(managedTags === undefined ? {} : { managedTags }),
    ...(tags === undefined ? {} : { tags }),
  };
}

async function follow(known: Known, first: EcsTask, tools: OneOffTools, signal: AbortSignal): Promise<Verification> {
  const { moment, wish, definition } = known;
  const startedAt = first.createdAt ?? tools.clock.now();
  const deadline = after(tools.clock.now(), wish.timeout);
  const task = await awaitEnd(known, { first, deadline }, tools, signal);
  const name = `the ${moment} task ${lastPart(first.arn)}`;
  if (task === 'running') {
    const reason = `${name} still runs after ${formatDuration(between(startedAt, tools.clock.now()))}`;
    const lines = ['It was not stopped: the next run follows it, or raise timeout of the task'];
    return { kind: 'bad', reason, lines };
  }
  if (task === undefined) {
    const lines = ['ECS does not show it any more; the next run says what may be done'];
    return { kind: 'bad', reason: `${name} is gone and its exit code with it`, lines };
  }
  const exitCode = exitCodeOf(task, definition.body);
  await note(known, { kind: 'ended', exitCode }, tools, signal);
  if (exitCode === 0) {
    tools.log.info(`The ${moment} task ended well after ${formatDuration(between(startedAt, tools.clock.now()))}`);
    return { kind: 'good' };
  }
  const tails = await tailsOf([{ task, body: definition.body }], tools, signal);
  const stops = describeStops([task]);
  const seen = [...stops, ...tails];
  const likely = likelyCauseOf([task]);
  const told = exitCode === -1 ? `${name} did not start` : `${name} ended with exit code ${exitCode}`;
  return { kind: 'bad', reason: told, lines: likely === undefined ? seen : [likely, ...seen] };
}

/** The stopped task; `running`: not at its end by the deadline; undefined: ECS forgot it meanwhile. */
async function awaitEnd(
  { service }: Known,
  { first, deadline }: { readonly first: EcsTask; readonly deadline: ReturnType<typeof after> },
  { tasks, clock, log }: OneOffTools,
  signal: AbortSignal,
): Promise<EcsTask | 'running' | undefined> {
  // A task that was just started may not be listed yet.
  const visibleBy = after(clock.now(), minutes(1));
  let status = '';
  const look = async (): Promise<{ readonly ended: EcsTask | undefined } | undefined> => {
    try {
      const task = await tasks.describe({ cluster: service.ref.cluster, arn: first.arn }, signal);
      if (task === undefined) return clock.now() < visibleBy ? undefined : { ended: undefined };
      if (task.status !== status) log.info(`Task ${lastPart(task.arn)} is ${task.status}`);
      status = task.status;
      return task.status === 'STOPPED' ? { ended: task } : undefined;
    } catch (thrown) {
      if (thrown instanceof CloudFailure && mayPass(thrown.kind)) return undefined;
      throw thrown;
    }
  };
  try {
    return (await until(clock, { every: LOOK_EVERY, deadline, signal }, look)).ended;
  } catch (thrown) {
    if (thrown instanceof DeadlinePassed) return 'running';
    throw thrown;
  }
}

/** What is written down is read again first: another task of this moment may have been noted meanwhile. */
async function note(
  { moment, service, key, attempt }: Known,
  state: TaskRecord['state'],
  { ecs }: OneOffTools,
  signal: AbortSignal,
): Promise<void> {
  const [now] = await ecs.describeServices([service.ref], signal);
  await ecs.tagService(
    service.arn,
    withRecord(readRecords(now ?? service, moment), { key, attempt, state }, moment),
    signal,
  );
}
