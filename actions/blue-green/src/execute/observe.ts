import { seconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { CloudFailure } from '../../../../src/domain/retry-policy.ts';
import { type Live, type TargetHealth, taggedColor } from '../../../../src/domain/shift/live-color.ts';
import type { Scaling } from '../../../../src/domain/shift/scaling.ts';
import {
  type ShiftRecord,
  candidateAt,
  explainedSplits,
  hadTraffic,
  isAfterShift,
  isBeforeTraffic,
  isInTraffic,
  stableOnly,
} from '../../../../src/domain/shift/record.ts';
import { sameRecord } from '../../../../src/domain/shift/record-tags.ts';
import { countsAfter, standingAfter } from '../../../../src/domain/shift/target-loss.ts';
import { type Color, COLORS } from '../../../../src/domain/traffic-split.ts';
import { readTwiceIfLost } from '../../../../src/engine/shift/fence.ts';
import { withHeartbeat } from '../../../../src/engine/shift/heartbeat.ts';
import { liveOf } from '../../../../src/engine/shift/join-routes.ts';
import type { Acting } from './acting.ts';
import { asFound, faultOfGroups } from './found.ts';
import type { Memory } from './memory.ts';
import { faultOfPair, judgePair, servicesOf } from './scale.ts';
import { allAre, strayOf } from '../decide/routes.ts';
import { holdsScaling, sizeOf } from '../decide/scaling.ts';
import { isBigEnough } from '../decide/size.ts';
import type { Goal } from '../decide/goal.ts';
import type { Route, Seen } from '../decide/seen.ts';
import { ownTargets } from './own-targets.ts';
import { quietOf } from './quiet.ts';

export interface Looking extends Acting {
  /** Sizes of the services are wanted for themselves, whatever is decided. */
  readonly shows?: 'sizes';
  /** Takes what would keep a run from beginning, where that is only shown. */
  readonly faults?: Failure[] | undefined;
}

/** Reads what is true now, side by side. Services are read only where a decision needs their size. */
export async function observe(acting: Looking, signal: AbortSignal): Promise<Seen> {
  const { ports, memory } = acting;
  const [read, found, blue, green, sizes] = await Promise.all([
    recordOf(acting, signal),
    routesOf(acting, signal),
    healthOf('blue', acting, signal),
    healthOf('green', acting, signal),
    sizesOf(acting, signal),
  ]);
  const record = memory.unwritten ?? inFullWords(asFound(read, acting), memory.record);
  const fault = faultOfGroups(record, acting);
  if (fault !== undefined && acting.faults === undefined) throw fault;
  if (fault !== undefined) acting.faults?.push(fault);
  if (memory.record === undefined && record !== undefined && record.phase !== read?.phase)
    ports.log.warning(`Shift ${record.id} is taken as over: ${record.reason}`);
  // What a signal handler has to take back is known, though the record is gone.
  const lost = record === undefined && memory.engaged === 'yes' ? memory.record : undefined;
  memory.record = record ?? lost;
  const targets = { blue, green } satisfies Record<Color, TargetHealth>;
  const desired = mayWaitForTasks(record, targets, acting) ? await sizesIfRead(acting, signal) : sizes;
  memory.desired = desired;
  memory.size = sizeOf(acting.release.goal, { desired });
  // Not of a shift that is only found: it may be another one's, which this process takes back.
  if (memory.engaged === 'yes' && record !== undefined && isInTraffic(record.phase))
    noteHealth({ blue, green }[record.candidate], acting);
  const routes = await twiceUnlessExplained(found, { record, acting }, signal);
  const live = routes[0]?.live ?? 'none';
  return {
    kind: 'seen',
    routes,
    live,
    spread: await spreadOf(routes, { record, acting }, signal),
    seated: await seatedOf(live, { record, acting }, signal),
    record,
    engaged: memory.engaged === 'yes',
    lost,
    targets,
    own: await ownTargets(record, acting, signal),
    desired,
    candidateHealth: memory.candidateHealth,
    scaling: await scalingOf(record, acting, signal),
    tagged: memory.tagged,
    samples: memory.samples,
    served: ports.metrics.providers['requests'] === undefined ? 'no-source' : memory.served,
    deployed: memory.deployed,
    sources: memory.sources,
    checked: memory.checked,
    hooked: memory.hooked,
    gate: memory.asking && { before: memory.asking.before, view: memory.asking.view },
    request: memory.request,
    oldColor: await quietOf(acting, signal),
    renewal:
      memory.renewalRestsUntil !== undefined && ports.clock.now() < memory.renewalRestsUntil ? 'rests' : 'possible',
    unscaled: memory.unscaled,
    trouble: memory.trouble,
  };
}

/** Of a color that all traffic leaves by name nothing needs to be known: its region may be what is lost. */
async function healthOf(color: Color, { ports, release, memory }: Acting, signal: AbortSignal): Promise<TargetHealth> {
  const { mode, to } = release.goal;
  try {
    return await ports.targets.health(color, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CloudFailure) || mode !== 'rollback' || to === undefined || color === to) throw thrown;
    if (memory.unread !== color) ports.log.warning(`Nothing is known of ${color}, which is left: ${thrown.message}`);
    memory.unread = color;
    return { healthy: 0, total: 0, reasons: [thrown.facts.why ?? thrown.facts.what] };
  }
}

/** A process that holds the shift believes only a second look that it has lost it. */
const recordOf = ({ ports, memory, release }: Acting, signal: AbortSignal): Promise<ShiftRecord | undefined> =>
  memory.engaged === 'yes' ? readTwiceIfLost({ ...ports, me: release.goal.me }, signal) : ports.journal.read(signal);

/** Tags hold fewer characters than a reason may have: what this process wrote is known to it in full. */
const inFullWords = (read: ShiftRecord | undefined, known: ShiftRecord | undefined): ShiftRecord | undefined =>
  read !== undefined && known !== undefined && sameRecord(read, known) ? known : read;

export const routesOf = ({ ports }: Pick<Acting, 'ports'>, signal: AbortSignal): Promise<readonly Route[]> =>
  Promise.all(ports.routes.map(async (route) => ({ name: route.name, live: await liveOf(route, signal) })));

async function sizesOf(acting: Looking, signal: AbortSignal): Promise<Seen['desired']> {
  const { memory, release, shows } = acting;
  const { record, desired, engaged } = memory;
  if (record !== undefined && isInTraffic(record.phase) && desired !== undefined) return desired;
  const needsNone = shows === undefined && isOnTheWayBack(record, { goal: release.goal, engaged });
  return needsNone ? (desired ?? 'unknown') : desiredOf(acting, signal);
}

/** Before the traffic is there nothing may stand between users and a color that serves: not one read more than it takes. */
const isOnTheWayBack = (
  record: ShiftRecord | undefined,
  { goal, engaged }: { readonly goal: Goal; readonly engaged: Memory['engaged'] },
): boolean =>
  (record?.phase === 'rolling-back' && record.restoredAt === undefined) ||
  (goal.mode === 'rollback' && engaged === 'no');

/**
 * A way back after a shift, whose color may have been scaled down; where its targets are enough, their number is all that
 * is asked for. One that is left by name may be lost: nobody asks for it.
 */
function mayWaitForTasks(
  record: ShiftRecord | undefined,
  targets: Seen['targets'],
  { memory, release }: Acting,
): boolean {
  if (memory.unread !== undefined || !isOnTheWayBack(record, { goal: release.goal, engaged: memory.engaged }))
    return false;
  if (record?.phase === 'rolling-back') {
    const { candidate: from, stable: to } = record;
    return record.restoredAt === undefined && isAfterShift(record) && !isBigEnough({ targets }, { from, to });
  }
  return record === undefined || !(isInTraffic(record.phase) || isBeforeTraffic(record.phase));
}

/** Users do not wait for ECS: longer than its answers take, shorter than the tries of a client. */
const SIZES_WITHIN = seconds(5);

/** Whoever cannot read them goes back all the same, by what was read last. Sizes of services that are not those of the colors say nothing. */
async function sizesIfRead(acting: Looking, signal: AbortSignal): Promise<Seen['desired']> {
  const { memory, ports } = acting;
  const late = new CloudFailure('transient', { what: 'Could not read the services', why: 'ECS does not answer' });
  try {
    await withHeartbeat({ clock: ports.clock, every: SIZES_WITHIN, beat: () => Promise.reject(late) }, signal, async (inner) => {
      memory.sized = await desiredOf(acting, inner);
      if (memory.engaged === 'yes') await judgePair(acting, inner);
    }); // prettier-ignore
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    if (!(thrown instanceof CloudFailure)) memory.sized = undefined;
    noteSizeFault(thrown, acting);
  }
  return memory.sized ?? 'unknown';
}

/** Once: the way back goes on, look by look. */
function noteSizeFault({ facts }: Failure, { memory, ports }: Acting): void {
  const { what, why = 'no answer' } = facts;
  const { message } = new Failure({ what, why, now: 'The way back does not wait for the sizes of the services' });
  if (memory.sizeFault !== message) ports.log.warning(message);
  memory.sizeFault = message;
}

async function desiredOf({ ports, release, memory, faults }: Looking, signal: AbortSignal): Promise<Seen['desired']> {
  const { ecs } = release;
  if (ecs === undefined) return 'unknown';
  const pair = await servicesOf(ecs, ports, signal);
  memory.tagged = taggedColor(
    COLORS.flatMap((color) => (pair[color] === undefined ? [] : [pair[color].tags])),
    release.goal.colorTag,
  );
  // Before anything is written; what is under way was begun by whoever had them right. A way back touches no service before
  // the traffic is there, and asks then.
  if (memory.engaged === 'no' && release.goal.mode !== 'rollback') {
    const fault = await faultOfPair(pair, ports, signal);
    if (fault !== undefined && faults === undefined) throw fault;
    if (fault !== undefined) faults?.push(fault);
    memory.pair = 'judged';
  }
  return { blue: pair.blue?.desired ?? 0, green: pair.green?.desired ?? 0 };
}

/** A change of the candidate's healthy targets is evidence, and a line of the story. */
function noteHealth(seen: TargetHealth, { memory, ports }: Acting): void {
  const { candidateHealth, events, record, lastHealthy: before } = memory;
  const counts = countsAfter(before, seen);
  candidateHealth.push(...counts);
  memory.lastHealthy = seen;
  memory.standing = standingAfter(memory.standing, seen);
  const lowest = Math.min(...counts);
  if (before === undefined || counts.length === 0 || lowest >= before.healthy) return;
  const { healthy, total, reasons } = seen;
  const candidate = record?.candidate ?? 'The candidate';
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  const says =
    counts.length === 1
      ? `${candidate} has ${healthy} of ${total} healthy targets, ${before.healthy} before${why}`
      : `${candidate} lost ${before.healthy - lowest} of its ${before.healthy} healthy targets, and has ${healthy} of ${total} with what replaced them${why}`;
  ports.log.info(says);
  events.push({ at: ports.clock.now(), says, percent: events.at(-1)?.percent ?? 0 });
}

const NO_SCALING = { blue: 'none', green: 'none' } as const;

async function scalingOf(
  record: ShiftRecord | undefined,
  { ports, release, memory }: Acting,
  signal: AbortSignal,
): Promise<Readonly<Record<Color, Scaling>>> {
  const { ecs } = release;
  if (ecs === undefined || !needsScaling(record, { goal: release.goal, engaged: memory.engaged })) return NO_SCALING;
  if (memory.scaling !== undefined) return memory.scaling;
  const refs = COLORS.map((color) => ({ cluster: ecs.cluster, service: ecs.services[color] }));
  const [blue = 'none', green = 'none'] = await ports.autoscaling.read(refs, signal);
  memory.scaling = { blue, green };
  return memory.scaling;
}

function needsScaling(
  record: ShiftRecord | undefined,
  { goal, engaged }: { readonly goal: Goal; readonly engaged: Memory['engaged'] },
): boolean {
  if (isOnTheWayBack(record, { goal, engaged })) return false;
  const begins = goal.mode === 'run' || goal.mode === 'prepare' || goal.mode === 'shift';
  return (begins && goal.autoscaling === 'suspend') || (record !== undefined && holdsScaling(record));
}

interface Looked {
  readonly record: ShiftRecord | undefined;
  readonly acting: Acting;
}

/** A read may be a moment behind a write. Before somebody else is blamed for a split, it is read again. */
async function twiceUnlessExplained(
  routes: readonly Route[],
  { record, acting }: Looked,
  signal: AbortSignal,
): Promise<readonly Route[]> {
  if (acting.memory.engaged === 'no' || record === undefined) return routes;
  if (strayOf({ routes }, explainedSplits(record)) === undefined) return routes;
  await acting.ports.clock.sleep(seconds(1), signal);
  return routesOf(acting, signal);
}

/** Asked only while the candidate is prepared; once both colors stand in the rule, only a drift takes one out. */
async function seatedOf(live: Live, { record, acting }: Looked, signal: AbortSignal): Promise<'both' | 'missing'> {
  const { memory, ports } = acting;
  // Records of DNS are all there from the start: one that is missing is refused when the router is opened.
  if (ports.router.spread === 'with-time') return 'both';
  if (record?.phase !== 'preparing' || live === 'none' || memory.seated === 'both') return 'both';
  memory.seated = (await ports.router.confirm(live, signal)) === 'live' ? 'both' : 'missing';
  return memory.seated;
}

/** Asked only where weights were moved and something waits for it. */
async function spreadOf(
  routes: readonly Route[],
  { record, acting }: Looked,
  signal: AbortSignal,
): Promise<Seen['spread']> {
  const { router } = acting.ports;
  if (router.spread === 'at-once' || record === undefined) return 'everywhere';
  const moved =
    record.phase === 'shifting' ? record.percent > 0 : record.phase === 'rolling-back' && hadTraffic(record);
  if (!moved || acting.memory.engaged === 'no') return 'everywhere';
  const wanted = record.phase === 'shifting' ? candidateAt(record, record.percent) : stableOnly(record);
  if (!allAre({ routes }, wanted)) return 'everywhere';
  return (await router.confirm(wanted, signal)) === 'propagating' ? 'on-its-way' : 'everywhere';
}
