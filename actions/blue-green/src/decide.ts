import { type Instant, after, formatDuration, seconds } from '../../../src/domain/duration.ts';
import { claimOf } from '../../../src/domain/shift/claim.ts';
import { type Phase, explainedSplits, formatRun, leaseIsDue } from '../../../src/domain/shift/record.ts';
import { lifeWords, stageWords } from '../../../src/domain/shift/record-words.ts';
import { isWornOut, lossOf } from '../../../src/domain/shift/target-loss.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import { decideDone, decideFinishing, decideSwitched } from './decide/finish.ts';
import { decideLost } from './decide/lost.ts';
import { decidePrepared, decidePreparing } from './decide/prepare.ts';
import { decideRolledBack, decideRollingBack, rollBack } from './decide/rollback.ts';
import { decideJudging, decideRechecking, decideShifting, judgeAll } from './decide/shift.ts';
import { strayOf } from './decide/routes.ts';
import { unservedWords } from './decide/served.ts';
import { giveBack, hold, sizeOf } from './decide/scaling.ts';
import { decideStart } from './decide/start.ts';
import { decideTakeover } from './decide/takeover.ts';
import type { Goal } from './decide/goal.ts';
import { type Decision, type Held, done, refused, renew } from './decide/moves.ts';
import type { Observation, Seen } from './decide/seen.ts';

/*
 * Safe states. Every write of weights is preceded by the record that explains it, both colors stay in the rule, and the
 * old color stays at full size until the drain gate: at whatever moment a process dies, users meet a valid split.
 *
 * Process dead (post runs): traffic goes back to stable and the candidate is scaled down, unless the shift had already
 * been judged good (`switched`, `finishing`): then the candidate keeps the traffic, both colors stay, and `finish` or the
 * next run drains the old one.
 * Runner dead (post does not run): the split stays as it was and both colors serve. The lease ends after 90 s; the next
 * run with the same images goes back or resumes by `on-stale`, one with other images goes back first.
 * Cancelled (SIGINT): one write takes the traffic back to stable; post, or the next run, does the rest.
 */
export function decide(goal: Goal, seen: Observation, now: Instant): Decision {
  if (seen.kind === 'unreachable') {
    // Nothing can be read, so nothing can be judged or written: the split stands still until it can.
    return { kind: 'wait', for: `the cloud to answer again (${seen.why})`, every: seconds(5) };
  }
  const { record } = seen;
  const claim = claimOf(record, { me: goal.me, engaged: seen.engaged }, now);
  if (claim === 'lost') return decideLost(seen, now);
  if (record === undefined || claim === 'free') return decideStart(goal, seen, now);
  switch (claim) {
    case 'busy':
      // Going back is the one thing that does not wait for whoever is at work: that run finds its record gone and stops.
      if (goal.mode === 'rollback' && goal.onBusy === 'take') return decideTakeover(goal, seen, { record, now });
      return refused(
        `shift ${record.id} of run ${formatRun(record.run)} is under way (${stageWords(record)}; ${lifeWords(record, now)})`,
        'Wait until it has ended or is taken for dead, or go back by mode: rollback',
      );
    case 'abandoned':
      return decideTakeover(goal, seen, { record, now });
    case 'mine':
      return decideMine(goal, seen, { record, now });
    default:
      return unreachable(claim);
  }
}

function decideMine(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  if (goal.mode === 'settle') return giveBack(seen, held) ?? done({ kind: 'unchanged', record });
  if (record.phase === 'rolling-back') return decideRollingBack(goal, seen, held);
  if (record.phase === 'rolled-back') return decideRolledBack(goal, seen, held);
  if (record.phase === 'done') return decideDone(goal, seen, held);
  const stop = whatStops(goal, seen, held);
  if (stop !== undefined) return stop;
  if (leaseIsDue(record, now) && seen.renewal === 'possible') {
    return renew(held);
  }
  const holding = hold(goal, seen, held);
  if (holding !== undefined) return holding;
  switch (record.phase) {
    case 'preparing':
      return decidePreparing(goal, seen, held);
    case 'prepared':
      return decidePrepared(goal, seen, held);
    case 'shifting':
      return decideShifting(goal, seen, held);
    case 'judging':
      return decideJudging(goal, seen, held);
    case 'rechecking':
      return decideRechecking(goal, seen, held);
    case 'switched':
      return decideSwitched(goal, seen, held);
    case 'finishing':
      return decideFinishing(goal, seen, held);
    default:
      return unreachable(record.phase);
  }
}

/** Phases that count against the deadline of the policy. */
const TIMED: readonly Phase[] = ['preparing', 'shifting', 'judging', 'rechecking'];

/** What ends any phase: somebody else moved the traffic, a write failed for good, the deadline passed, the candidate is gone. */
function whatStops(goal: Goal, seen: Seen, held: Held): Decision | undefined {
  const { record, now } = held;
  const expected = explainedSplits(record);
  const stray = strayOf(seen, expected);
  if (stray !== undefined) {
    // The traffic is not this shift's any more, and neither is what it held.
    return giveBack(seen, held) ?? done({ kind: 'drifted', record, route: stray.name, live: stray.live, expected });
  }
  if (seen.trouble !== undefined) return rollBack(held, seen.trouble);
  if (TIMED.includes(record.phase) && now >= after(record.begunAt, goal.policy.deadline)) {
    return rollBack(held, lateWords(goal, seen, held));
  }
  const { [record.candidate]: candidate, [record.stable]: stable } = seen.targets;
  const hasTraffic = seen.routes.some(({ live }) => live !== 'none' && live[record.candidate] > 0);
  if (hasTraffic && candidate.healthy === 0 && stable.healthy > 0) {
    const reasons = candidate.reasons.join(', ');
    return rollBack(held, `${record.candidate} has no healthy target${reasons === '' ? '' : ` (${reasons})`}`);
  }
  const loss = lossOf(seen.candidateHealth, sizeOf(goal, seen));
  if (hasTraffic && loss !== undefined && isWornOut(loss) && stable.healthy > 0) {
    return rollBack(
      held,
      `${record.candidate} lost ${loss.lost} healthy targets since its traffic began, and never had more than ${loss.most}: what replaces them does not stay healthy`,
    );
  }
  return undefined;
}

/** What was waited for comes first: the deadline alone would hide an outage of the source. */
function lateWords(goal: Goal, seen: Seen, held: Held): string {
  const late = `the deadline of ${formatDuration(goal.policy.deadline)} passed at ${held.record.percent} %`;
  const unserved = unservedWords(seen, held.record);
  if (unserved !== undefined) return `${unserved}; ${late}`;
  const verdict = judgeAll(goal, seen, held)?.verdict;
  return verdict !== undefined && 'says' in verdict ? `${verdict.says}; ${late}` : late;
}
