import { type Instant, after, between, formatDuration, minutes } from '../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import { CloudFailure, mayPass, pauseBefore } from '../../../src/domain/retry-policy.ts';
import { type ShiftRecord, isInTraffic, isOver } from '../../../src/domain/shift/record.ts';
import { reconcile } from '../../../src/engine/reconcile.ts';
import { Superseded, shiftFence } from '../../../src/engine/shift/fence.ts';
import { decide } from './decide.ts';
import { act } from './execute/act.ts';
import type { Acting, Ports, Release } from './execute/acting.ts';
import { noteColor } from './execute/color.ts';
import { withdrawRequest } from './execute/gate.ts';
import { keptWords } from './execute/kept.ts';
import { type Memory, startMemory } from './execute/memory.ts';
import { observe } from './execute/observe.ts';
import { tidyUp } from './execute/tidy.ts';
import type { Move, Outcome } from './decide/moves.ts';
import type { Observation } from './decide/seen.ts';
import type { Story } from './report/story.ts';

export interface ShiftResult {
  readonly outcome: Outcome;
  /** As last read or written. */
  readonly record: ShiftRecord | undefined;
  readonly story: Story;
  readonly changed: 'yes' | 'no';
}

/** No answer for so long is an end: the job must not wait for its own time limit. */
const UNREACHABLE_FOR = minutes(10);
/** With growing pauses: a quarter of a minute for a shift, ten minutes for a way back. */
const MOST_FAILED_WRITES = 5;
const MOST_FAILED_RESTORES = 30;
/** Of a scaling that a way back waits for, whatever else is written meanwhile. */
const MOST_FAILED_SCALES = 3;

/** Walks the moves of `decide` over the ports until it is done. The same call begins, resumes, finishes and goes back. */
export async function execute(release: Release, ports: Ports, signal: AbortSignal): Promise<ShiftResult> {
  const memory = startMemory();
  const ended = new AbortController();
  const acting: Acting = { release, ports, memory, watchSignal: AbortSignal.any([signal, ended.signal]) };
  try {
    const outcome = await reconcile<Observation, Move, Outcome>({
      clock: ports.clock,
      log: ports.log,
      signal,
      observe: (inner) => look(acting, inner),
      decide: (seen, now) => decide(release.goal, seen, now),
      act: (move, seen, inner) => make(move, seen, acting, inner),
      isSilent: (move) => move.kind === 'measure' || (move.kind === 'record' && move.says === undefined),
    });
    await leaveNoRequest(outcome, acting, signal);
    await tidyAtTheEnd(acting, signal);
    return resultOf(outcome, memory);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof Superseded) return resultOf({ kind: 'superseded', by: thrown.by }, memory);
    throw thrown instanceof Failure ? await takenBack(thrown, acting, signal) : thrown;
  } finally {
    ended.abort();
    await Promise.all([memory.watching, memory.asking?.ended]);
  }
}

/** Only where this process brought a shift to its end: then nothing else is written any more. */
async function tidyAtTheEnd(acting: Acting, signal: AbortSignal): Promise<void> {
  const { memory, ports, release } = acting;
  if (memory.engaged === 'no' || memory.record === undefined || !isOver(memory.record.phase)) return;
  const fence = shiftFence({ journal: ports.journal, clock: ports.clock, me: release.goal.me });
  try {
    await noteColor(acting, fence, signal);
    await tidyUp(acting, fence, signal);
  } catch (thrown) {
    if (!(thrown instanceof Superseded)) throw thrown;
    // The shift had its end before: whoever begins the next one tidies at its own.
    ports.log.info(`Run ${thrown.by} began a shift meanwhile: what is left to tidy up is left to it`);
  }
}

/** Ends that leave the traffic to a person: nobody acts on an answer any more. */
async function leaveNoRequest(outcome: Outcome, acting: Acting, signal: AbortSignal): Promise<void> {
  if (outcome.kind !== 'drifted' && outcome.kind !== 'rollback-failed') return;
  const issue = acting.memory.record?.gate?.issue;
  if (issue === undefined || acting.memory.request === 'withdrawn') return;
  await withdrawRequest(
    { issue, says: `Not approved: the release ended without an answer (${outcome.kind}).` },
    acting,
    signal,
  );
}

const resultOf = (outcome: Outcome, memory: Memory): ShiftResult => ({
  outcome,
  record: memory.record,
  story: {
    events: memory.events,
    samples: memory.samples,
    hooked: memory.hooked,
    power: memory.power,
    unserved: [...memory.unserved.values()],
  },
  changed: memory.changed,
});

/** An answer that does not come now may come in a moment; everything else that a read throws is an end. */
async function look(acting: Acting, signal: AbortSignal): Promise<Observation> {
  const { memory, ports } = acting;
  try {
    const seen = await observe(acting, signal);
    memory.unreachableSince = undefined;
    memory.seen = seen;
    return seen;
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
    const now: Instant = ports.clock.now();
    memory.unreachableSince ??= now;
    if (between(memory.unreachableSince, now) > UNREACHABLE_FOR) throw thrown;
    ports.log.debug(thrown.message);
    return { kind: 'unreachable', why: thrown.facts.why ?? thrown.message, since: memory.unreachableSince };
  }
}

/**
 * Makes one move. A write that fails for a moment is decided anew from what is true then; one that fails for good is
 * trouble, which decide answers by going back, unless the shift had already been judged good.
 */
async function make(move: Move, seen: Observation, acting: Acting, signal: AbortSignal): Promise<void> {
  const { memory, ports } = acting;
  try {
    await act(move, seen, acting, signal);
    memory.failedWrites = 0;
    if (isRenewal(move)) Object.assign(memory, { failedRenewals: 0, renewalRestsUntil: undefined });
  } catch (thrown) {
    signal.throwIfAborted();
    // No record at all is no other run: the next look decides, as long as there is something to write it again from.
    if (thrown instanceof Superseded && thrown.isByNobody && memory.unwritten === undefined) return;
    const passing = thrown instanceof CloudFailure && mayPass(thrown.kind);
    if (!(thrown instanceof Failure) || (memory.engaged === 'no' && !passing)) throw thrown;
    if (passing && isRenewal(move) && restsBefore(thrown, acting)) return;
    if (move.kind === 'scale' && isBeforeReturn(memory.record)) return scaleFailed(thrown, { passing, acting }, signal);
    memory.failedWrites += 1;
    const phase = memory.record?.phase;
    const most = phase === 'rolling-back' ? MOST_FAILED_RESTORES : MOST_FAILED_WRITES;
    if (passing && memory.failedWrites < most) {
      const pause = pauseBefore(memory.failedWrites);
      ports.log.warning(onTheWay(thrown, `Trying again in ${formatDuration(pause)}`));
      return ports.clock.sleep(pause, signal);
    }
    if (memory.engaged === 'no' || phase === undefined || phase === 'switched' || phase === 'finishing') throw thrown;
    memory.failedWrites = 0;
    ports.log.warning(onTheWay(thrown, 'The shift ends here'));
    memory.trouble = thrown.message;
  }
}

/** Users may go where they belong without it, and wait for it: whether they do, and what is left then, is decided anew. */
async function scaleFailed(
  thrown: Failure,
  { passing, acting }: { readonly passing: boolean; readonly acting: Acting },
  signal: AbortSignal,
): Promise<void> {
  const { memory, ports } = acting;
  memory.failedScales += 1;
  if (passing && memory.failedScales < MOST_FAILED_SCALES) {
    const pause = pauseBefore(memory.failedScales);
    ports.log.warning(onTheWay(thrown, `Trying again in ${formatDuration(pause)}`));
    return ports.clock.sleep(pause, signal);
  }
  ports.log.warning(onTheWay(thrown, 'The way back goes on without scaling'));
  memory.unscaled = thrown.message;
}

const isBeforeReturn = (record: ShiftRecord | undefined): boolean =>
  record?.phase === 'rolling-back' && record.restoredAt === undefined;

/** Its advice is for a run that has ended; this one goes on. */
const onTheWay = ({ facts }: Failure, next: string): string => new Failure({ ...facts, next }).message;

const isRenewal = (move: Move): boolean => move.kind === 'record' && move.renews === true;

/**
 * A lease that cannot be renewed for a moment is still a lease: until it ends nobody else begins, so the shift is judged
 * on and a healthy release is not taken back for a tag. Answers whether there is time for another try before that.
 */
function restsBefore(failure: CloudFailure, { memory, ports }: Acting): boolean {
  memory.failedRenewals += 1;
  const pause = pauseBefore(memory.failedRenewals);
  const next = after(ports.clock.now(), pause);
  if (memory.record === undefined || next >= memory.record.leaseUntil) return false;
  memory.renewalRestsUntil = next;
  ports.log.warning(onTheWay(failure, `The lease still holds, and is renewed in ${formatDuration(pause)}`));
  return true;
}

/** The loop cannot go on. While the candidate has traffic that nobody judges any more, it is taken back by one write. */
async function takenBack(thrown: Failure, acting: Acting, signal: AbortSignal): Promise<Failure> {
  const { release, ports, memory } = acting;
  const { record } = memory;
  if (record === undefined || memory.engaged === 'no') return thrown;
  const what = thrown.message.replace(/\.$/, '');
  const next = 'Re-run: it tidies up first';
  const goesBack = record.phase === 'rolling-back';
  if (goesBack && record.restoredAt !== undefined)
    return new Failure({ what, now: `All traffic is on ${record.stable} again`, next }, { cause: thrown });
  if (!goesBack && (!isInTraffic(record.phase) || release.onCancel === 'leave')) return thrown;
  const kept = keptWords(acting);
  if (kept !== undefined) return new Failure({ what, now: kept }, { cause: thrown });
  if (ports.clock.now() >= record.leaseUntil) return thrown;
  try {
    await ports.router.restore(record.stable, signal);
    return new Failure({ what, now: `All traffic was taken back to ${record.stable}`, next }, { cause: thrown });
  } catch (second) {
    const now = `The candidate ${record.candidate} may still have ${record.percent} % of the traffic, and taking it back failed too: ${messageOf(second)}`;
    return new Failure(
      { what, now, next: `Give ${record.stable} all the weight on ${ports.router.name}` },
      { cause: thrown },
    );
  }
}
