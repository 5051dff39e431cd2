import { after, seconds } from '../../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { runHooks } from './hooks.ts';
import { giveBack } from './scaling.ts';
import { judgeAll } from './shift.ts';
import { enoughOf, lackWords, neededFor, wantedOf } from './size.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, done, drain, enter, move } from './moves.ts';
import { type Seen, leftWords, tasksOf } from './seen.ts';

export function decideSwitched(goal: Goal, seen: Seen, held: Held): Decision {
  const { record } = held;
  if (goal.mode === 'shift') {
    // The live color may follow its load again; the old one keeps its size as the way back.
    const given = giveBack(seen, held, [record.candidate]);
    return given ?? done({ kind: 'switched', record, judgement: judgeAll(goal, seen, held) });
  }
  return drain(held);
}

/**
 * The drain gate: the old color keeps its size until it gets no requests any more, or the drain time is over, and in any
 * case until the new one has the targets that it needs. Nothing is judged any more, and without the old color nothing can
 * be taken back.
 */
export function decideFinishing(goal: Goal, seen: Seen, { record, now }: Held): Decision {
  const until = after(record.since, goal.drain);
  if (now < until && seen.oldColor !== 'quiet') {
    return { kind: 'wait', for: `${record.stable} to drain`, every: seconds(15), until };
  }
  if (tasksOf(seen, record.stable) > goal.oldDesired) {
    const lacks = whatLacks(goal, seen, record);
    if (lacks === undefined) return move({ kind: 'scale', color: record.stable, desired: goal.oldDesired });
    const late = after(until, goal.prepareWithin);
    if (now < late) {
      const what = `${record.candidate} to be healthy before ${record.stable} is scaled down: ${lacks}`;
      return { kind: 'wait', for: what, every: seconds(15), until: late };
    }
    // The live color may follow its load; what it was for the old one is known to whoever ends the drain.
    return giveBack(seen, { record, now }, [record.candidate]) ?? done({ kind: 'not-drained', record, why: lacks });
  }
  const given = giveBack(seen, { record, now });
  if (given !== undefined) return given;
  const hook = runHooks(goal, { record, now }, 'after-promote');
  if (hook !== undefined) return hook;
  return enter(
    record,
    { phase: 'done' },
    { now, says: `${record.candidate} is the live color${leftWords(seen, record.stable)}` },
  );
}

/** What the live color lacks to be left alone: as before its first traffic, and half of what stands beside it. */
function whatLacks(goal: Goal, seen: Seen, { candidate, stable }: ShiftRecord): string | undefined {
  const half = enoughOf(neededFor(seen, { from: stable, to: candidate }));
  const needed = Math.max(wantedOf(goal, seen.targets[candidate], tasksOf(seen, candidate)), half);
  return seen.targets[candidate].healthy >= needed ? undefined : lackWords(seen, candidate, needed);
}

export const decideDone = (goal: Goal, seen: Seen, held: Held): Decision =>
  done({ kind: 'promoted', record: held.record, judgement: judgeAll(goal, seen, held) });
