import { after, seconds } from '../../../../src/domain/duration.ts';
import {
  type ShiftRecord,
  goingBack,
  hadTraffic,
  isAfterShift,
  leaseIsDue,
  stableOnly,
} from '../../../../src/domain/shift/record.ts';
import { NO_HOOKS_DONE } from '../../../../src/domain/shift/hooks.ts';
import { runHooks } from './hooks.ts';
import { allAre } from './routes.ts';
import { giveBack } from './scaling.ts';
import { carries, enoughOf, isLeaving, isTooSmall, lackWords, neededFor } from './size.ts';
import { begin } from './start.ts';
import { withdraw } from './withdraw.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, done, enter, move, renew } from './moves.ts';
import { type Seen, leftWords, tasksOf } from './seen.ts';

/** Detects: from here on everything serves the return of the traffic. */
export const rollBack = ({ record, now }: Held, reason: string): Decision =>
  enter(
    goingBack(record),
    { phase: 'rolling-back', reason, detectedAt: now, hooks: NO_HOOKS_DONE },
    { now, says: `Rolling back to ${record.stable}: ${reason}` },
  );

/**
 * The same of a shift that another process left. One that was cancelled has taken its traffic back by itself: then the
 * candidate has 0 % when this is seen, and no time passes from here until users are back.
 */
export function rollBackFound(seen: Seen, held: Held, reason: string): Decision {
  const record = goingBack(held.record);
  if (!hadTraffic(record) || !allAre(seen, stableOnly(record))) return rollBack(held, reason);
  const trafficAt = record.trafficAt ?? record.since;
  const from = isAfterShift(record) ? record.from : 0;
  // The mark of where it came from stands in `from` now; the phase would set it anew, from a percent that is gone.
  return rollBack({ ...held, record: { ...record, phase: 'rolling-back', from, percent: 0, trafficAt } }, reason);
}

/** Traffic first, as soon as there is somebody to take it, verified; then autoscaling, which users need for the color that they are on; then the candidate; then commands; then words. */
export function decideRollingBack(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  const { live, trouble, targets } = seen;
  if (!allAre(seen, stableOnly(record))) {
    if (trouble !== undefined) return done({ kind: 'rollback-failed', record, live, why: trouble });
    if (targets[record.stable].healthy === 0 && targets[record.candidate].healthy > 0) {
      return done({
        kind: 'rollback-failed',
        record,
        live,
        why: `${record.stable} has no healthy target to go back to`,
      });
    }
    return (
      growFirst(goal, seen, held) ??
      move({ kind: 'restore', color: record.stable, says: `All traffic to ${record.stable}` })
    );
  }
  // Nothing is scaled down, and nobody is told that it is over, before everybody follows.
  if (seen.spread === 'on-its-way')
    return waitHeld(seen, held, { for: `${record.stable} to be everybody's again`, every: seconds(5) });
  // Whoever cannot even note it, for good, does not try for ever: the traffic is back.
  if (record.restoredAt === undefined && trouble === undefined) {
    return enter(
      record,
      { phase: 'rolling-back', restoredAt: now },
      { now, says: `${record.stable} ${restoredWords(record)}` },
    );
  }
  // Scaling down is tidying: when it fails, the rollback itself has still succeeded.
  if (trouble !== undefined) return done({ kind: 'rolled-back', record, left: trouble });
  const given = giveBack(seen, held);
  if (given !== undefined) return given;
  const sized = resize(goal, seen, held);
  if (sized !== undefined) return sized;
  const withdrawn = withdraw(seen, held);
  if (withdrawn !== undefined) return withdrawn;
  const hook = runHooks(goal, held, 'after-rollback');
  if (hook !== undefined) return hook;
  return enter(
    record,
    { phase: 'rolled-back', gate: undefined },
    { now, says: `Shift ${record.id} is rolled back${leftWords(seen, record.candidate)}` },
  );
}

type Wait = Extract<Decision, { kind: 'wait' }>;

const whileHeld = (seen: Seen, held: Held, next: Decision): Decision =>
  leaseIsDue(held.record, held.now) && seen.renewal === 'possible' ? renew(held) : next;

const waitHeld = (seen: Seen, held: Held, wait: Omit<Wait, 'kind'>): Decision =>
  whileHeld(seen, held, { kind: 'wait', ...wait });

/**
 * After a shift the color to go back to may have one task, where the live one has ten: while that one serves, nothing is
 * won by sending everybody to the one. From half of its targets on traffic goes at once, and growing comes behind it: who
 * asks for a way back wants to leave. undefined: traffic may go, because enough stands there, nobody serves where it is, or
 * no more can be had than stands there.
 */
function growFirst(goal: Goal, seen: Seen, held: Held): Decision | undefined {
  const { record, now } = held;
  const shift = { from: record.candidate, to: record.stable };
  if (!isAfterShift(record) || seen.desired === 'unknown' || !isTooSmall(seen, shift)) return undefined;
  const until = after(record.since, goal.prepareWithin);
  // Whoever may not scale, or is undone by somebody else, goes by what the color has, as if nobody had tried.
  const grown = now < until && seen.unscaled === undefined ? grow(seen, record) : undefined;
  if (grown !== undefined) return whileHeld(seen, held, grown);
  const needed = neededFor(seen, shift);
  if (seen.targets[shift.to].healthy >= enoughOf(needed)) return undefined;
  const lacks = `${lackWords(seen, shift.to, needed)}, and ${shift.from}`;
  if (now < until) return waitHeld(seen, held, { for: `healthy targets: ${lacks} serves`, every: seconds(2), until });
  return done({ kind: 'rollback-failed', record, live: seen.live, why: `${lacks} still serves${unscaledWords(seen)}` });
}

const unscaledWords = ({ unscaled }: Seen): string =>
  unscaled === undefined ? '' : `; it could not be scaled up: ${unscaled}`;

/** Whether a way back keeps its users where they are for now: whoever stops it must not do what it waits to avoid. */
export const keepsUsers = (goal: Goal, seen: Seen, held: Held): boolean =>
  held.record.phase === 'rolling-back' &&
  !allAre(seen, stableOnly(held.record)) &&
  growFirst(goal, seen, held) !== undefined;

const grow = (seen: Seen, { candidate, stable }: ShiftRecord): Decision | undefined =>
  tasksOf(seen, stable) < tasksOf(seen, candidate)
    ? move({ kind: 'scale', color: stable, desired: tasksOf(seen, candidate) })
    : undefined;

/** The color that was left is scaled down when the other one carries what it carried; undefined: nothing is to be scaled. */
function resize(goal: Goal, seen: Seen, held: Held): Decision | undefined {
  const { record, now } = held;
  const { candidate: from, stable: to } = record;
  if (isOthersToScale(goal, record)) return undefined;
  const until = after(record.since, goal.prepareWithin);
  // The traffic had to go at once, or was not kept from going by the last few.
  const grown = isAfterShift(record) ? grow(seen, record) : undefined;
  if (grown !== undefined && now < until) return whileHeld(seen, held, grown);
  if (tasksOf(seen, from) <= goal.oldDesired) return undefined;
  if (grown === undefined && carries(seen, { from, to }))
    return move({ kind: 'scale', color: from, desired: goal.oldDesired });
  const wants = `${to} wants ${tasksOf(seen, to)} tasks`;
  const isSmall = grown !== undefined || isLeaving(seen, to);
  const lacks = isSmall ? wants : lackWords(seen, to, neededFor(seen, { from, to }));
  if (now < until) return waitHeld(seen, held, { for: `${to} to carry the load: ${lacks}`, every: seconds(5), until });
  return done({
    kind: 'rolled-back',
    record,
    left: `${from} keeps its ${tasksOf(seen, from)} tasks, because ${lacks}; the next run, or mode: reconcile, scales it down when there are enough`,
  });
}

function restoredWords(record: ShiftRecord): string {
  // It kept it, or both weights were 0 and it got it by this.
  if (!hadTraffic(record)) return 'has all traffic';
  return record.percent === 0 ? 'has all traffic already' : 'has all traffic again';
}

/** The end, unless what was rolled back was somebody else's shift in the way of this one. */
export function decideRolledBack(goal: Goal, seen: Seen, { record, now }: Held): Decision {
  return isInTheWay(goal, record) ? begin(goal, seen, now) : done({ kind: 'rolled-back', record, left: undefined });
}

/** It is taken back only so that this run can begin a shift of its own. */
const isInTheWay = (goal: Goal, record: ShiftRecord): boolean =>
  (goal.mode === 'run' || goal.mode === 'prepare') && goal.images !== record.images;

/** With `deploy: none`, what stands on that color by now is the release of this run, deployed by a step before it. */
const isOthersToScale = (goal: Goal, record: ShiftRecord): boolean =>
  goal.deploy === 'none' && isInTheWay(goal, record);
