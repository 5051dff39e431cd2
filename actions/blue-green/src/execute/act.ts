import { type Sample, allSeries, withShare } from '../../../../src/domain/analysis/sample.ts';
import { type Instant, after, between, formatInstant } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { CloudFailure } from '../../../../src/domain/retry-policy.ts';
import type { ChecksResult } from '../../../../src/domain/checks/result.ts';
import type { RolloutResult } from '../../../../src/domain/ecs/result.ts';
import type { EcsServiceRef } from '../../../../src/domain/ecs/service.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';
import { stillHolds } from '../../../../src/domain/shift/claim.ts';
import { groupsWords } from '../../../../src/domain/shift/groups.ts';
import { type ShiftRecord, formatRun, isInTraffic } from '../../../../src/domain/shift/record.ts';
import { lossOf, withTargets } from '../../../../src/domain/shift/target-loss.ts';
import { sameRecord } from '../../../../src/domain/shift/record-tags.ts';
import { type Color, otherColor } from '../../../../src/domain/traffic-split.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import { runChecks } from '../../../../src/engine/checks/run-checks.ts';
import { type Prepared, inspectPrepared } from '../../../../src/engine/ecs-rollout/preflight.ts';
import { deployImage } from '../../../../src/engine/ecs-rollout/deploy-image.ts';
import {
  type Fence,
  Superseded,
  fencedAutoscaling,
  fencedEcs,
  fencedRouter,
  shiftFence,
} from '../../../../src/engine/shift/fence.ts';
import { measureGrid } from '../../../../src/engine/shift/measure.ts';
import type { Acting, Release } from './acting.ts';
import { startShift } from './memory.ts';
import { type Fenced, beating } from './beat.ts';
import { askRequests, notePower } from './flow.ts';
import { asFound } from './found.ts';
import { beginAsking, withdrawRequest } from './gate.ts';
import { hook } from './hook.ts';
import { keptWords } from './kept.ts';
import { judgePair, scale } from './scale.ts';
import { askSources } from './sources.ts';
import { tidyUp } from './tidy.ts';
import type { Move } from '../decide/moves.ts';
import type { CheckMoment, Observation, Result } from '../decide/seen.ts';

/** Makes one move. Every write is behind the fence; what it left is read back by the next observation. */
export async function act(move: Move, seen: Observation, acting: Acting, signal: AbortSignal): Promise<void> {
  const { ports, release } = acting;
  const holder = { journal: ports.journal, clock: ports.clock, me: release.goal.me };
  const fence: Fence = shiftFence(holder);
  switch (move.kind) {
    case 'record':
      return record(move, seen, { ...acting, fence }, signal);
    case 'weigh':
      ports.log.info(move.says);
      return fencedRouter(ports.router, fence).apply(move.split, signal);
    case 'restore':
      return restore(move, { ...acting, fence: shiftFence({ ...holder, proof: 'the-lease' }) }, signal);
    case 'deploy':
      return deploy(move.color, { ...acting, fence }, signal);
    case 'check':
      return check(move.moment, { ...acting, fence }, signal);
    case 'ask-sources':
      return askSources({ ...acting, fence }, signal);
    case 'ask-requests':
      return askRequests(acting, signal);
    case 'hook':
      return hook(move, { ...acting, fence }, signal);
    case 'ask':
      return beginAsking(move, acting);
    case 'withdraw':
      return withdrawRequest(move, acting, signal);
    case 'measure':
      return measure(move, { ...acting, fence }, signal);
    case 'scale': {
      const scaling = { ...move, ref: serviceOf(release, move.color) };
      return beating({ ...acting, fence }, signal, async (inner) => {
        await judgePair(acting, inner);
        await scale(scaling, { ...acting, fence }, inner);
      });
    }
    case 'autoscale': {
      await judgePair(acting, signal);
      ports.log.info(move.says);
      acting.memory.scaling = undefined;
      return fencedAutoscaling(ports.autoscaling, fence).suspend(
        serviceOf(release, move.color),
        move.suspended,
        signal,
      );
    }
    default:
      return unreachable(move);
  }
}

/** Traffic first; then what it took from users is noted, which must not stand in the way of what follows. */
async function restore(
  { color, says }: Extract<Move, { kind: 'restore' }>,
  { ports, fence }: Fenced,
  signal: AbortSignal,
): Promise<void> {
  ports.log.info(says);
  const router = fencedRouter(ports.router, fence);
  await router.restore(color, signal);
  try {
    await router.noteDropped(signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    ports.log.warning(thrown.message);
  }
}

/** A resumed shift measures its whole past in one move, which may take longer than a lease lasts. */
async function measure(
  { at, begin }: Extract<Move, { kind: 'measure' }>,
  acting: Fenced,
  signal: AbortSignal,
): Promise<void> {
  const { ports, release, memory } = acting;
  const { policy } = release.goal;
  const { interval } = policy;
  const look = { providers: ports.metrics.providers, at, begin, interval, measured: memory.samples };
  const take = (inner: AbortSignal) => measureGrid(allSeries(policy), look, inner);
  const hasPast = memory.samples.length === 0 && between(begin, at) > interval;
  const taken = hasPast ? await beating(acting, signal, take) : await take(signal);
  const { record, shares } = memory;
  // From here on the weights are those of the record, in a run that goes on with it as well.
  if (record !== undefined && shares.at(-1)?.since !== record.since)
    shares.push({ since: record.since, percent: record.percent });
  memory.samples.push(...taken.map((sample) => withShare(withLosses(sample, { at, policy }, memory), shares)));
}

/** What the load balancer says of the candidate's targets belongs to its health, beside what a check of one of them says. */
function withLosses(
  sample: Sample,
  now: { readonly at: Instant; readonly policy: Policy },
  { candidateHealth, size, standing }: Acting['memory'],
): Sample {
  const isHealth = allSeries(now.policy).some(
    ({ key, metric, arm }) => key === sample.series && metric === 'health' && arm === 'candidate',
  );
  // Points of before, which a resumed run measures again, know nothing of the targets of now.
  if (!isHealth || sample.at !== now.at) return sample;
  return { ...sample, reading: withTargets(sample.reading, lossOf(candidateHealth, size), standing) };
}

type Recording = Extract<Move, { kind: 'record' }>;

async function record(wished: Recording, seen: Observation, acting: Fenced, signal: AbortSignal): Promise<void> {
  const { memory, ports, fence } = acting;
  const groups = wished.record.groups ?? groupsWords(ports.targets);
  const move = { ...wished, record: { ...wished.record, groups } };
  // A record that is gone proves nothing to the fence: that it still is has to be enough.
  const isLost = seen.kind === 'seen' && seen.lost !== undefined;
  if (memory.engaged === 'yes' && !isLost) await fence(signal);
  else if (await changedSince(seen, acting, signal)) return;
  const before = memory.changed;
  const isNone = ports.willChange();
  memory.changed = 'yes';
  try {
    await ports.journal.write(move.record, signal);
    memory.unwritten = undefined;
  } catch (thrown) {
    // No right is the one answer that no lost write can be behind: what conflicts may be an earlier try of this very write.
    if (thrown instanceof CloudFailure && thrown.kind === 'access-denied') {
      isNone();
      memory.changed = before;
    }
    signal.throwIfAborted();
    if (memory.engaged === 'no' || move.record.phase !== 'rolling-back' || !(thrown instanceof Failure)) throw thrown;
    // Going back does not wait for tags: what they should say is kept in mind instead.
    ports.log.warning(thrown.message);
    memory.unwritten = move.record;
  }
  // Not of a shift in traffic that is taken over: it may have to go back, and what it remembers is needed then.
  const begins = memory.engaged === 'no' && (move.record.phase === 'preparing' || move.record.phase === 'prepared');
  await taken(move, acting);
  if (move.says !== undefined && move.record.phase === 'shifting' && move.record.from === 0)
    await notePower(acting, signal);
  if (begins) await tidyUp(acting, fence, signal);
}

/** Between the look and the first write another run may have begun. Tags have no compare-and-set; this makes the gap short. */
async function changedSince(seen: Observation, acting: Acting, signal: AbortSignal): Promise<boolean> {
  const found = seen.kind === 'seen' ? seen.record : undefined;
  const read = await acting.ports.journal.read(signal);
  return !sameRecord(asFound(read, acting), found);
}

/** The record stands: this process holds the shift, and knows what a signal handler would have to take back. */
async function taken(move: Recording, acting: Acting): Promise<void> {
  const { memory, ports, release } = acting;
  const { record: written } = move;
  const begins = memory.engaged === 'no' || memory.record?.id !== written.id;
  if (memory.record?.id !== written.id) Object.assign(memory, startShift());
  memory.engaged = 'yes';
  if (memory.record?.phase !== written.phase) {
    memory.trouble = undefined;
    memory.unscaled = undefined;
    // Somebody may have changed it since: what is given back is compared with what is there now.
    if (!isInTraffic(written.phase)) memory.scaling = undefined;
  }
  memory.record = written;
  // From here on an answer would come too late: whoever goes back has decided.
  if (written.phase === 'rolling-back') memory.asking?.stop.abort();
  if (begins) release.onCandidate(written.candidate);
  if (move.says !== undefined) {
    ports.log.info(move.says);
    memory.events.push({ at: ports.clock.now(), says: move.says, percent: percentAfter(written) });
  }
  ports.onCancel(restoringFrom(written, acting));
  if (isInTraffic(written.phase)) memory.watching ??= ports.metrics.run(acting.watchSignal);
}

const percentAfter = ({ phase, percent, from, restoredAt }: ShiftRecord): number => {
  if (phase === 'shifting') return from;
  if (phase === 'rolled-back' || restoredAt !== undefined) return 0;
  return percent;
};

/** The one write of a signal handler. It asks nobody: while the lease lasts, no other run may have begun. */
function restoringFrom(held: ShiftRecord, acting: Acting): ((signal: AbortSignal) => Promise<string>) | undefined {
  const { ports, release, memory } = acting;
  // Nothing is due, and whoever stops a run asks first of all where users are.
  if (held.phase === 'preparing' || held.phase === 'prepared')
    return () => Promise.resolve(`${held.candidate} got no traffic: all of it stays on ${held.stable}`);
  const goesBack = held.phase === 'rolling-back' && held.restoredAt === undefined;
  if (!goesBack && (!isInTraffic(held.phase) || release.onCancel === 'leave')) return undefined;
  return async (signal) => {
    const { record } = memory;
    if (!stillHolds(record, release.goal.me)) throw new Superseded(record);
    // Of now: work that has no turns of its own renews the lease beside it.
    if (record !== undefined && ports.clock.now() >= record.leaseUntil) throw leaseEnded(record);
    const kept = keptWords(acting);
    if (kept !== undefined) return kept;
    await ports.router.restore(held.stable, signal);
    return `All traffic is back on ${held.stable}`;
  };
}

const leaseEnded = ({ id, leaseUntil, stable }: ShiftRecord): Failure =>
  new Failure({
    what: `Could not take the traffic back to ${stable}`,
    why: `the lease of shift ${id} ended at ${formatInstant(leaseUntil)}, so another run may have taken over`,
    next: 'Look at it by mode: status, or go back by mode: rollback',
  });

/** Only asked where a decision needs a service, which it never does where none is known. */
function serviceOf({ ecs }: Release, color: Color): EcsServiceRef {
  if (ecs === undefined) throw new TypeError('a service that is changed is known');
  return { cluster: ecs.cluster, service: ecs.services[color] };
}

/** Rolls the image out to the idle color, at weight 0. What happens to it is a result; what keeps it from starting, too. */
async function deploy(color: Color, acting: Fenced, signal: AbortSignal): Promise<void> {
  const { ports, release, memory, fence } = acting;
  const { goal, images } = release;
  if (images === undefined) throw new TypeError('a mode that deploys has an image');
  const known = memory.desired === 'unknown' ? undefined : memory.desired;
  const desired = release.desiredCount ?? Math.max(1, known?.[otherColor(color)] ?? 1);
  const ref = serviceOf(release, color);
  const { service } = ref;
  ports.log.info(`Deploying to ${service}, ${desired} ${desired === 1 ? 'task' : 'tasks'}`);
  const request = {
    ref,
    images,
    desired,
    tags: { 'sluice:shift-id': memory.record?.id ?? goal.shiftId },
    writer: { release: goal.shiftId, run: formatRun(goal.me) },
    deadline: after(ports.clock.now(), goal.prepareWithin),
    onFailure: 'leave',
    onConflict: 'wait',
    // Both colors run at once: what the candidate would lack is known before it is begun.
    inspect: (prepared: Prepared, inner: AbortSignal) => inspectPrepared({ ...prepared, desired }, ports, inner),
  } as const;
  const tools = { ecs: fencedEcs(ports.ecs, fence), clock: ports.clock, log: ports.log };
  memory.deployed = await beating(acting, signal, async (inner): Promise<Result> => {
    const result = await deployImage(request, tools, inner);
    if (result.diagnosis.length > 0) ports.log.verbatim(`What was seen of ${service}`, result.diagnosis.join('\n'));
    if (result.outcome === 'succeeded' || result.outcome === 'unchanged') return { kind: 'good' };
    return { kind: 'bad', why: `${service} was not deployed (${result.outcome}): ${whyOf(result)}` };
  });
}

/** With the likely cause and the first tasks that stopped, which stand at its head: `tasks failed to start` alone helps nobody. */
const whyOf = ({ reason, diagnosis }: RolloutResult): string =>
  [reason, ...diagnosis.slice(0, 2)].map((line) => line.replace(/\.$/, '')).join('; ');

async function check(moment: CheckMoment, acting: Fenced, signal: AbortSignal): Promise<void> {
  const { ports, release, memory } = acting;
  const candidate = memory.record && release.candidateOf?.(memory.record.candidate);
  const target = moment === 'before' ? candidate : (release.users ?? candidate);
  if (release.checks === undefined || target === undefined) throw new TypeError('checks have a document and a target');
  const request = { document: release.checks, target };
  ports.log.info(
    moment === 'before' ? `Checking the candidate at ${target.url}` : `Checking ${target.url} after the switch`,
  );
  const result = await beating(acting, signal, (inner) => runChecks(request, ports, inner));
  memory.checked = { ...memory.checked, [moment]: resultOfChecks(result) };
}

function resultOfChecks({ verdict, checks }: ChecksResult): Result {
  if (verdict === 'pass' || verdict === 'warn') return { kind: 'good' };
  const failed = checks
    .filter((each) => each.verdict === 'fail')
    .map(({ name, reasons }) => `check ${name} failed: ${reasons.join(', ')}`);
  return { kind: 'bad', why: failed.length === 0 ? 'no check was made' : failed.join('; ') };
}
