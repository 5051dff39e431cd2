import { type Instant, before, between, formatTimeOfDay, minutes, seconds } from '../../domain/duration.ts';
import { type Evidence, describeStops, diagnose, eventsAfter, likelyCauseOf } from '../../domain/ecs/diagnosis.ts';
import { messageOf } from '../../domain/failure.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import { judgedByRecord } from '../../domain/ecs/strategy.ts';
import { needsRecord, readsFirst, serviceIsDue } from '../../domain/ecs/what-to-read.ts';
import { tailsOf } from './last-lines.ts';
import type { EcsService, Need, ServiceDeployment, StoppedTask, TaskDefinition } from '../../ports/ecs.ts';
import type { Following, RolloutTools } from './rollout.ts';

export type Sighting =
  | { readonly kind: 'seen'; readonly service: EcsService; readonly serviceDeployment?: ServiceDeployment }
  /** Throttled or unanswered, `times` in a row, after the adapter's own repeats: nothing is known, and waiting may help. */
  | { readonly kind: 'unreadable'; readonly why: string; readonly times: number };

/** Reads one deployment again and again, prints what is new, and remembers what a diagnosis needs. */
export interface ServiceWatcher {
  /** `always`: whoever undoes the deployment has to know what ECS says of it now. */
  look(signal: AbortSignal, record?: 'when-needed' | 'always'): Promise<Sighting>;
  /** With what was learnt since: the id of the deployment and the ARN of ECS's record. */
  following(): Following;
  learn(deploymentId: string | undefined): void;
  /** As the last look showed it. */
  lastSeen(): EcsService | undefined;
  diagnosis(signal: AbortSignal): Promise<readonly string[]>;
}

/** The clock of the runner and that of ECS may differ by this much. */
const CLOCK_SKEW = minutes(5);
/** ECS usually names its record in the answer of UpdateService. If it has not by then, the list is asked, and again each time. */
const ASK_LIST_EVERY = seconds(10);

interface Memory {
  following: Following;
  readonly events: Set<string>;
  readonly stops: Map<string, StoppedTask>;
  failedSeen: number;
  listAskedAt: Instant;
  unreadable: number;
  /** ECS's record of ours, and when it was read. */
  record: { readonly seen: ServiceDeployment; readonly at: Instant } | undefined;
  stopsUnreadable: boolean;
  /** Last lines of containers of the first tasks that stopped. */
  readonly tails: string[];
  definition: TaskDefinition | undefined;
  last: { readonly service: EcsService; readonly serviceDeployment?: ServiceDeployment } | undefined;
  /** When the service was read last; absent: it has to be read at the next look. */
  serviceAt: Instant | undefined;
  missingSince: Instant | undefined;
}

/** A service that was there and is MISSING: a lagging read would show it again within this time. */
const GONE_AFTER = seconds(30);

function isStale(memory: Memory, { kind }: CloudFailure, { clock }: RolloutTools): boolean {
  if (kind !== 'not-found') return false;
  memory.missingSince ??= clock.now();
  return between(memory.missingSince, clock.now()) < GONE_AFTER;
}

export function watchService(start: Following, tools: RolloutTools): ServiceWatcher {
  const memory: Memory = {
    following: start,
    events: new Set(),
    stops: new Map(),
    failedSeen: 0,
    listAskedAt: start.startedAt,
    unreadable: 0,
    record: undefined,
    stopsUnreadable: false,
    tails: [],
    definition: undefined,
    last: undefined,
    serviceAt: undefined,
    missingSince: undefined,
  };
  return {
    following: () => memory.following,
    learn(deploymentId) {
      if (deploymentId !== undefined) memory.following = { ...memory.following, deploymentId };
    },
    lastSeen: () => memory.last?.service,
    async look(signal, record = 'when-needed') {
      try {
        const just = record === 'always' ? undefined : await lookAtRecord(memory, tools, signal);
        if (just?.says === 'nothing-new' && memory.last !== undefined) return { kind: 'seen', ...memory.last };
        const [service] = await tools.ecs.describeServices([memory.following.ref], signal);
        if (service === undefined)
          return { kind: 'unreadable', why: 'ECS answered without the service', times: ++memory.unreadable };
        memory.serviceAt = tools.clock.now();
        memory.missingSince = undefined;
        const serviceDeployment = await readRecord(memory, { service, record, just: just?.record }, tools, signal);
        memory.last = { service, ...(serviceDeployment === undefined ? {} : { serviceDeployment }) };
        memory.unreadable = 0;
        printEvents(memory, service, tools);
        await noteStops(memory, service, tools, signal);
        return { kind: 'seen', ...memory.last };
      } catch (thrown) {
        if (!(thrown instanceof CloudFailure) || !(mayPass(thrown.kind) || isStale(memory, thrown, tools)))
          throw thrown;
        return { kind: 'unreadable', why: thrown.facts.why ?? thrown.message, times: ++memory.unreadable };
      }
    },
    async diagnosis(signal) {
      if (memory.last === undefined) return [];
      await readTails(memory, await readStops(memory, tools, signal), tools, signal);
      const evidence: Evidence = {
        ...memory.last,
        tasks: [...memory.stops.values()],
        tails: memory.tails,
        after: start,
      };
      return diagnose(evidence);
    },
  };
}

interface RecordLook {
  readonly says: 'nothing-new' | 'read-the-service';
  readonly record: ServiceDeployment | undefined;
}

/** The record alone, where that shows the end; undefined: the service has to be read first. */
async function lookAtRecord(
  memory: Memory,
  { ecs, clock }: RolloutTools,
  signal: AbortSignal,
): Promise<RecordLook | undefined> {
  const { last, serviceAt, following, record: before } = memory;
  const { deploymentId, serviceDeploymentArn: arn } = following;
  if (last === undefined || serviceAt === undefined || before === undefined || arn === undefined) return undefined;
  const service = { seen: last.service, at: serviceAt };
  if (readsFirst({ service, record: before.seen, deploymentId, now: clock.now() }) === 'service') return undefined;
  const [record] = await ecs.describeServiceDeployments([arn], signal, 'must');
  note(memory, record, clock.now());
  const due = serviceIsDue(before.seen, record);
  if (record === undefined || due === 'now') return { says: 'read-the-service', record };
  if (due === 'next-look') memory.serviceAt = undefined;
  memory.unreadable = 0;
  memory.last = { service: last.service, serviceDeployment: record };
  return { says: 'nothing-new', record };
}

interface RecordWish {
  readonly service: EcsService;
  readonly record: 'when-needed' | 'always';
  /** Read in this look already. */
  readonly just: ServiceDeployment | undefined;
}

/** ECS's record of our deployment: one that was not there before and whose revision is ours. */
async function readRecord(
  memory: Memory,
  { service, record: wanted, just }: RecordWish,
  { ecs, clock }: RolloutTools,
  signal: AbortSignal,
): Promise<ServiceDeployment | undefined> {
  const { following } = memory;
  // Whoever goes back must not stop for it: only the confirmation of the way back needs it, and asks by itself.
  const need: Need = wanted === 'when-needed' && judgedByRecord(service) ? 'must' : 'may';
  if (following.serviceDeploymentArn !== undefined) {
    if (just !== undefined) return just;
    const known = memory.record;
    const { deploymentId } = following;
    const age = between(known?.at ?? following.startedAt, clock.now());
    const question = { service, deploymentId, record: known?.seen, age };
    if (wanted === 'when-needed' && !needsRecord(question)) return known?.seen;
    const [found] = await ecs.describeServiceDeployments([following.serviceDeploymentArn], signal, need);
    return note(memory, found, clock.now());
  }
  const isOurs = (record: ServiceDeployment | undefined): record is ServiceDeployment =>
    record !== undefined &&
    record.arn !== following.earlierServiceDeployment &&
    record.taskDefinition === following.taskDefinition;
  const named = service.currentServiceDeployment;
  let [record] =
    named === undefined || named === following.earlierServiceDeployment
      ? []
      : await ecs.describeServiceDeployments([named], signal, need);
  if (!isOurs(record) && between(memory.listAskedAt, clock.now()) >= ASK_LIST_EVERY) {
    memory.listAskedAt = clock.now();
    const listed = await ecs.listServiceDeployments(following.ref, signal, {
      createdAfter: before(following.startedAt, CLOCK_SKEW),
      need,
    });
    record = listed.find(isOurs);
  }
  if (!isOurs(record)) return undefined;
  memory.following = { ...following, serviceDeploymentArn: record.arn };
  return note(memory, record, clock.now());
}

function note(memory: Memory, seen: ServiceDeployment | undefined, at: Instant): ServiceDeployment | undefined {
  memory.record = seen === undefined ? undefined : { seen, at };
  return seen;
}

/** Events tell a person more than counts do: printed once each, from the start of ours. */
function printEvents(memory: Memory, service: EcsService, { log }: RolloutTools): void {
  const fresh = eventsAfter(service, memory.following).filter(({ id }) => !memory.events.has(id));
  if (fresh.length === 0) return;
  for (const { id } of fresh) memory.events.add(id);
  log.verbatim(
    `Events of ${service.ref.service}:`,
    fresh.map(({ at, message }) => `${formatTimeOfDay(at)} ${message}`).join('\n'),
  );
}

/** ECS forgets a stopped task after about an hour, and a deployment may run longer: so they are read when they happen. */
async function noteStops(memory: Memory, service: EcsService, tools: RolloutTools, signal: AbortSignal): Promise<void> {
  const ours = service.deployments.find(({ id }) => id === memory.following.deploymentId);
  if (ours === undefined || ours.failed <= memory.failedSeen) return;
  memory.failedSeen = ours.failed;
  const fresh = await readStops(memory, tools, signal);
  if (fresh.length === 0) return;
  const stops = describeStops(fresh);
  const likely = likelyCauseOf(fresh);
  const tails = await readTails(memory, fresh, tools, signal);
  const lines = [...stops, ...tails, ...(likely === undefined ? [] : [likely])];
  tools.log.verbatim(`Tasks of ${service.ref.service} that stopped:`, lines.join('\n'));
}

/** Of the first tasks that stopped, once: those that fail alike print alike. */
async function readTails(
  memory: Memory,
  fresh: readonly StoppedTask[],
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (tools.logs === undefined || memory.tails.length > 0) return [];
  try {
    memory.definition ??= await tools.ecs.describeTaskDefinition(memory.following.taskDefinition, signal);
    const { body } = memory.definition;
    memory.tails.push(
      ...(await tailsOf(
        fresh.slice(0, 2).map((task) => ({ task, body })),
        tools,
        signal,
      )),
    );
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CloudFailure)) throw thrown;
    memory.tails.push(`The log lines of its containers cannot be shown: ${thrown.message}`);
  }
  return memory.tails;
}

/** A diagnosis is help, not judgement: where it may not be read, the rollout goes on, and it is said once. */
async function readStops(
  memory: Memory,
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<readonly StoppedTask[]> {
  const { ref, deploymentId } = memory.following;
  try {
    const tasks = await ecs.stoppedTasks(ref, signal);
    const fresh = tasks.filter(
      ({ arn, startedBy }) => !memory.stops.has(arn) && (deploymentId === undefined || startedBy === deploymentId),
    );
    for (const task of fresh) memory.stops.set(task.arn, task);
    return fresh;
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CloudFailure)) throw thrown;
    if (!memory.stopsUnreadable) log.warning(`${messageOf(thrown)} The reasons of stopped tasks cannot be shown`);
    memory.stopsUnreadable = true;
    return [];
  }
}
