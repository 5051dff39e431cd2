import {
  type ShiftRecord,
  explainedSplits,
  formatRun,
  isResting,
  stableOnly,
} from '../../../../src/domain/shift/record.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import { rollBackFound } from './rollback.ts';
import { strayOf } from './routes.ts';
import { holdsScaling } from './scaling.ts';
import { begin, isOwnWayBack, noWayBack } from './start.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, done, drain, enter, refused } from './moves.ts';
import type { Seen } from './seen.ts';

/** A shift that nobody works on any more, or rests between two jobs: goes on with it, goes back, or leaves it alone. */
export function decideTakeover(goal: Goal, seen: Seen, found: Held): Decision {
  const { record } = found;
  if (goal.expectedShift !== undefined && goal.expectedShift !== record.id && !isOwnWayBack(goal, record)) {
    return refused(`shift ${record.id} is recorded, not ${goal.expectedShift}`, 'Prepare the release again');
  }
  const held: Held = { ...found, record: { ...record, run: goal.me } };
  if (goal.mode === 'rollback') return goBackTo(goal, seen, held);
  if (goal.mode === 'settle') return settle(held);
  switch (record.phase) {
    case 'preparing':
    case 'prepared':
      return takeBeforeTraffic(goal, seen, held);
    case 'shifting':
    case 'judging':
    case 'rechecking':
      return takeInTraffic(goal, seen, { ...found, mine: held });
    case 'switched':
    case 'finishing':
      return takeSwitched(goal, seen, held);
    case 'rolling-back':
      return enter(
        held.record,
        { phase: 'rolling-back' },
        { now: held.now, says: `Going on with the rollback of shift ${record.id}` },
      );
    case 'done':
    case 'rolled-back':
      return begin(goal, seen, held.now);
    default:
      return unreachable(record.phase);
  }
}

/** At once, but never to nobody: a color that was drained already has no target any more. */
function goBackTo(goal: Goal, seen: Seen, held: Held): Decision {
  const { record } = held;
  if (goal.to !== undefined && goal.to !== record.stable) {
    const shift = `shift ${record.id} is under way (${record.phase}) and goes back to ${record.stable}`;
    return refused(`${shift}, not to ${goal.to}`, `Go back without to-color first, then to ${goal.to}`);
  }
  const drift = goal.onBusy === 'leave' ? driftOf(seen, record) : undefined;
  if (drift !== undefined) return drift;
  const none = record.phase === 'finishing' ? noWayBack(seen, { to: record.stable, record }) : undefined;
  return none ?? rollBackFound(seen, held, goal.because);
}

/** Neither the shift nor a way back of it led users where they are: somebody else did. */
function driftOf(seen: Seen, record: ShiftRecord): Decision | undefined {
  const expected = explainedSplits(record);
  const stray = strayOf(seen, [...expected, stableOnly(record)]);
  return stray && done({ kind: 'drifted', record, route: stray.name, live: stray.live, expected });
}

/** Of a shift that rests or only drains: autoscaling is given back, and the phase stays for whoever goes on with it. */
function settle({ record, now }: Held): Decision {
  const { phase } = record;
  if (!holdsScaling(record) || !(isResting(phase) || phase === 'finishing')) return done({ kind: 'unchanged', record });
  return enter(record, { phase }, { now, says: `Giving back the autoscaling that shift ${record.id} holds` });
}

function takeBeforeTraffic(goal: Goal, seen: Seen, { record, now }: Held): Decision {
  switch (goal.mode) {
    case 'run':
    case 'prepare':
      return begin(goal, seen, now);
    case 'shift':
      if (record.phase === 'prepared' && hasImages(goal, record)) {
        // Hours may lie between the two jobs (an approval): the deadline of the policy begins with the shift.
        return enter(record, { phase: 'prepared', begunAt: now }, { now, says: `Shift ${record.id} goes on` });
      }
      return refused(
        record.phase === 'prepared'
          ? `shift ${record.id} was prepared with other images`
          : `shift ${record.id} is not prepared yet`,
        'Run mode: prepare with the images to release',
      );
    case 'finish':
      return refused(`shift ${record.id} has no traffic yet (${record.phase})`, 'Run mode: shift first');
    case 'rollback':
      return rollBackFound(seen, { record, now }, goal.because);
    case 'settle':
      return settle({ record, now });
    default:
      return unreachable(goal.mode);
  }
}

/** Modes that bring no images of their own go on with the recorded ones. */
const hasImages = (goal: Goal, record: { readonly images: string }): boolean =>
  goal.images === undefined || goal.images === record.images;

function takeInTraffic(goal: Goal, seen: Seen, { record, now, mine }: Held & { readonly mine: Held }): Decision {
  const stopped = `run ${formatRun(record.run)} stopped at ${record.percent} % without an end`;
  const drift = driftOf(seen, record);
  if (drift !== undefined) return drift;
  const explained = strayOf(seen, explainedSplits(record)) === undefined;
  if (goal.onStale === 'fail')
    return refused(stopped, 'Go back by mode: rollback, or set on-stale to rollback or resume');
  if (goal.mode === 'finish')
    return refused(`shift ${record.id} is not judged yet (${record.phase})`, 'Go back by mode: rollback');
  // Traffic that the record does not explain, all of it on stable: a cancelled run took it back. Nothing is left to resume.
  if (goal.onStale === 'resume' && hasImages(goal, record) && goal.mode !== 'prepare' && explained) {
    return enter(mine.record, { phase: record.phase }, { now, says: `${stopped}; resuming there` });
  }
  return rollBackFound(seen, mine, stopped);
}

/** Judged good, not drained yet: nothing is judged again, and other images may take the old color as it is. */
function takeSwitched(goal: Goal, seen: Seen, { record, now }: Held): Decision {
  if (goal.mode === 'shift') {
    return hasImages(goal, record)
      ? done({ kind: 'switched', record, judgement: undefined })
      : refused(
          `shift ${record.id} has all traffic with other images and was never finished`,
          'Run mode: prepare with the images to release',
        );
  }
  if (goal.mode !== 'finish' && !hasImages(goal, record)) return begin(goal, seen, now);
  if (goal.mode === 'prepare') return done({ kind: 'unchanged', record });
  return drain({ record, now }, `Shift ${record.id} is judged good; going on with it`);
}
