import { after, seconds } from '../../../../src/domain/duration.ts';
import { runHooks } from './hooks.ts';
import { giveBack } from './scaling.ts';
import { judgeAll } from './shift.ts';
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

/** The drain gate: the old color keeps its size until it gets no requests any more, or the drain time is over. */
export function decideFinishing(goal: Goal, seen: Seen, { record, now }: Held): Decision {
  const until = after(record.since, goal.drain);
  if (now < until && seen.oldColor !== 'quiet') {
    return { kind: 'wait', for: `${record.stable} to drain`, every: seconds(15), until };
  }
  if (tasksOf(seen, record.stable) > goal.oldDesired) {
    return move({ kind: 'scale', color: record.stable, desired: goal.oldDesired });
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

export const decideDone = (goal: Goal, seen: Seen, held: Held): Decision =>
  done({ kind: 'promoted', record: held.record, judgement: judgeAll(goal, seen, held) });
