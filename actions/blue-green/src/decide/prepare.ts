import { after, seconds } from '../../../../src/domain/duration.ts';
import { stableOnly } from '../../../../src/domain/shift/record.ts';
import { rollBack } from './rollback.ts';
import { giveBack } from './scaling.ts';
import { firstStep } from './shift.ts';
import { isLeaving, leavingWords, wantedOf } from './size.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, done, enter, move } from './moves.ts';
import { type Seen, tasksOf } from './seen.ts';

/** Weight 0: the idle target group into the rule, the candidate deployed, its targets healthy, its checks good. */
export function decidePreparing(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  if (seen.seated === 'missing') {
    // A target group that stands in no rule reports its targets as unused and never as healthy.
    return move({ kind: 'weigh', split: stableOnly(record), says: `${record.candidate} into the rule at weight 0` });
  }
  if (seen.deployed === undefined && goal.deploy === 'ecs') return move({ kind: 'deploy', color: record.candidate });
  if (seen.deployed?.kind === 'bad') return rollBack(held, seen.deployed.why);
  const lacking = whatLacks(goal, seen, held);
  if (lacking !== undefined) {
    const until = after(record.since, goal.prepareWithin);
    if (now >= until) return rollBack(held, lacking);
    return { kind: 'wait', for: `healthy targets: ${lacking}`, every: seconds(2), until };
  }
  if (goal.checks === 'given' && seen.checked.before === undefined) return move({ kind: 'check', moment: 'before' });
  if (seen.checked.before?.kind === 'bad') return rollBack(held, seen.checked.before.why);
  const ready = `${record.candidate} is ready at weight 0`;
  // `prepared` waits for another job, which a run does not: one that dies here is nobody's, and no rest between two jobs.
  if (goal.mode === 'run') return whileSeen(seen, held) ?? firstStep(goal, held, ready);
  return enter(record, { phase: 'prepared' }, { now, says: ready });
}

export function decidePrepared(goal: Goal, seen: Seen, held: Held): Decision {
  // Hours may go by before the next job: nothing is held meanwhile.
  if (goal.mode === 'prepare') return giveBack(seen, held) ?? done({ kind: 'prepared', record: held.record });
  const lacking = whatLacks(goal, seen, held);
  if (lacking !== undefined) return rollBack(held, lacking);
  return whileSeen(seen, held) ?? firstStep(goal, held);
}

/** Nobody is sent where nothing could be seen of them; undefined: the sources of the rules answer. */
function whileSeen({ sources }: Seen, held: Held): Decision | undefined {
  if (sources === undefined) return move({ kind: 'ask-sources' });
  return sources.kind === 'good' ? undefined : rollBack(held, `nothing could be judged: ${sources.why}`);
}

/** What the candidate lacks to take traffic: `green has 1 of 2 healthy targets (1 initial)`. */
function whatLacks(goal: Goal, seen: Seen, { record: { candidate } }: Held): string | undefined {
  const health = seen.own ?? seen.targets[candidate];
  const { healthy, reasons } = health;
  if (goal.deploy === 'none' && isLeaving(seen, candidate)) return leavingWords(candidate);
  const needed = wantedOf(goal, health, tasksOf(seen, candidate));
  if (healthy >= needed) return undefined;
  return `${candidate} has ${healthy} of ${needed} healthy targets${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`;
}
