import { seconds } from '../../../../src/domain/duration.ts';
import { type ShiftRecord, hadTraffic, leaseIsDue, stableOnly } from '../../../../src/domain/shift/record.ts';
import { NO_HOOKS_DONE } from '../../../../src/domain/shift/hooks.ts';
import { runHooks } from './hooks.ts';
import { allAre } from './routes.ts';
import { giveBack } from './scaling.ts';
import { begin } from './start.ts';
import { withdraw } from './withdraw.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, done, enter, move, renew } from './moves.ts';
import { type Seen, leftWords, tasksOf } from './seen.ts';

/** Detects: from here on everything serves the return of the traffic. */
export const rollBack = ({ record, now }: Held, reason: string): Decision =>
  enter(
    record,
    { phase: 'rolling-back', reason, detectedAt: now, hooks: NO_HOOKS_DONE },
    { now, says: `Rolling back to ${record.stable}: ${reason}` },
  );

/**
 * The same of a shift that another process left. One that was cancelled has taken its traffic back by itself: then the
 * candidate has 0 % when this is seen, and no time passes from here until users are back.
 */
export function rollBackFound(seen: Seen, held: Held, reason: string): Decision {
  const { record } = held;
  if (!hadTraffic(record) || !allAre(seen, stableOnly(record))) return rollBack(held, reason);
  const trafficAt = record.trafficAt ?? record.since;
  return rollBack({ ...held, record: { ...record, from: 0, percent: 0, trafficAt } }, reason);
}

/** Traffic first, verified; then autoscaling, which users need for the color that they are on; then the candidate; then commands; then words. */
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
    return move({ kind: 'restore', color: record.stable, says: `All traffic to ${record.stable}` });
  }
  // Nothing is scaled down, and nobody is told that it is over, before everybody follows.
  if (seen.spread === 'on-its-way') {
    if (leaseIsDue(record, now) && seen.renewal === 'possible') return renew(held);
    return { kind: 'wait', for: `${record.stable} to be everybody's again`, every: seconds(5) };
  }
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
  if (tasksOf(seen, record.candidate) > goal.oldDesired && !isOthersToScale(goal, record)) {
    return move({ kind: 'scale', color: record.candidate, desired: goal.oldDesired });
  }
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
