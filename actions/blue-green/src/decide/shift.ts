import { type Judgement, judge } from '../../../../src/domain/analysis/judge.ts';
import { lastValue } from '../../../../src/domain/analysis/words.ts';
import {
  type Instant,
  after,
  between,
  formatDuration,
  instant,
  milliseconds,
  seconds,
} from '../../../../src/domain/duration.ts';
import { candidateAt, leaseFrom } from '../../../../src/domain/shift/record.ts';
import { decideGate, gateBefore, openGate, waitOf } from './gate.ts';
import { allAre } from './routes.ts';
import { rollBack } from './rollback.ts';
import { decideServed } from './served.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, drain, enter, move } from './moves.ts';
import type { Seen } from './seen.ts';

/** `ready`: what is told before it. */
export const firstStep = (goal: Goal, held: Held, ready?: string): Decision =>
  step(goal, held, { percent: goal.policy.steps[0] ?? 100, before: ready === undefined ? '' : `${ready}. ` });

interface Step {
  readonly percent: number;
  readonly before?: string;
}

function step(goal: Goal, { record, now }: Held, { percent, before = '' }: Step): Decision {
  const says = `${before}Weight ${record.percent} -> ${percent}, bake ${formatDuration(goal.policy.bake)}`;
  return enter(record, { phase: 'shifting', from: record.percent, percent, gate: undefined }, { now, says });
}

export function decideShifting(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  const wanted = candidateAt(record, record.percent);
  if (!allAre(seen, wanted)) {
    return move({ kind: 'weigh', split: wanted, says: `Giving ${record.candidate} ${record.percent} %` });
  }
  if (seen.spread === 'on-its-way') return decideOnItsWay(goal, seen, held);
  const change = { phase: 'judging', trafficAt: record.trafficAt ?? now } as const;
  return enter(record, change, { now, says: `${record.candidate} serves ${record.percent} % since now` });
}

/** Users arrive before the last of them can: what they meet may already fail the release, but nothing passes it yet. */
function decideOnItsWay(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  const what = `${record.percent} % to reach everybody`;
  if (record.trafficAt === undefined) {
    // Nothing of the candidate was seen before: what is measured counts from here.
    const says = `${record.candidate} is given ${record.percent} % since now`;
    return move({ kind: 'record', record: { ...record, trafficAt: now, leaseUntil: leaseFrom(now) }, says });
  }
  const until = after(now, goal.policy.deadline);
  const judged = decideJudged(goal, seen, { ...held, from: record.trafficAt, until, what });
  return judged === 'go on' ? { kind: 'wait', for: what, every: LOOK_EVERY } : judged;
}

export function decideJudging(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  const { steps, bake } = goal.policy;
  const gated = decideGate(goal, seen, held);
  if (gated !== undefined) return gated;
  // People take their time; what the candidate does meanwhile is judged like the bake itself.
  const stretch = waitOf(seen, held) ?? { until: after(record.since, bake), what: `the bake at ${record.percent} %` };
  const judged = decideJudged(goal, seen, { ...held, ...stretch, from: record.since });
  if (judged !== 'go on') return judged;
  const unserved = decideServed(goal, seen, held);
  if (unserved !== undefined) return unserved;
  const next = steps.find((percent) => percent > record.percent);
  if (next === undefined)
    return enter(record, { phase: 'rechecking' }, { now, says: `All steps are judged good; ${wordsOfRecheck(goal)}` });
  const gate = gateBefore(goal, next);
  return gate === undefined || record.gate?.before === next
    ? step(goal, held, { percent: next, before: wordsOfApproval(seen, next) })
    : openGate(goal, gate, held);
}

const wordsOfApproval = ({ gate }: Seen, percent: number): string =>
  gate?.before === percent && gate.view.kind === 'approved' ? `${gate.view.says}; ` : '';

const wordsOfRecheck = ({ policy: { recheck }, checks }: Goal): string => {
  const looks = recheck
    ? `rechecking after ${formatDuration(recheck.after)} for ${formatDuration(recheck.for)}`
    : 'no recheck';
  return checks === 'given' ? `${looks}, then the checks once more` : looks;
};

export function decideRechecking(goal: Goal, seen: Seen, held: Held): Decision {
  const { record, now } = held;
  const { recheck } = goal.policy;
  if (recheck !== undefined && recheck.for > 0) {
    const from = after(record.since, recheck.after);
    const judged = decideJudged(goal, seen, { ...held, from, until: after(from, recheck.for), what: 'the recheck' });
    if (judged !== 'go on') return judged;
  }
  if (goal.checks === 'given' && seen.checked.after === undefined) return move({ kind: 'check', moment: 'after' });
  if (seen.checked.after?.kind === 'bad') return rollBack(held, seen.checked.after.why);
  const good = `${record.candidate} is judged good at 100 %`;
  // `switched` waits for another job, as `prepared` does: only a shift that is one of several jobs rests there.
  return goal.mode === 'shift' ? enter(record, { phase: 'switched' }, { now, says: good }) : drain(held, good);
}

/**
 * Between two measurements, too: targets that are gone, weights that somebody else moved and the end of a way through DNS
 * are seen by the look itself, and users wait for it.
 */
const LOOK_EVERY = seconds(5);

/** A stretch of judged time. */
interface Stretch extends Held {
  readonly from: Instant;
  readonly until: Instant;
  readonly what: string;
}

/** Measures on the grid, rolls back at the first failure, and goes on only when time is over and nothing is in doubt. */
function decideJudged(goal: Goal, seen: Seen, stretch: Stretch): Decision | 'go on' {
  const { record, now, until } = stretch;
  const begin = record.trafficAt ?? record.since;
  const grid = gridPoints({ begin, interval: goal.policy.interval, now });
  const last = seen.samples.at(-1)?.at ?? begin;
  if (grid.latest > last) return move({ kind: 'measure', at: grid.latest, begin });
  const judgement = judge(goal.policy, { samples: seen.samples, begin, since: stretch.from });
  const { verdict } = judgement;
  if (verdict.kind === 'failed') return rollBack(stretch, verdict.says);
  const every = milliseconds(Math.min(between(now, grid.next), LOOK_EVERY));
  if (now < until) {
    const left = milliseconds(Math.min(every, between(now, until)));
    return { kind: 'wait', for: stretch.what, detail: valuesOf(judgement), every: left, until };
  }
  if (verdict.kind === 'passing') return 'go on';
  if (verdict.kind === 'inconclusive' && goal.policy.onInconclusive === 'continue') return 'go on';
  if (verdict.kind === 'inconclusive' && goal.policy.onInconclusive === 'rollback') {
    return rollBack(stretch, `inconclusive: ${verdict.says}`);
  }
  const deadline = after(record.begunAt, goal.policy.deadline);
  return { kind: 'wait', for: `certainty at ${record.percent} %`, detail: verdict.says, every, until: deadline };
}

/** `error-rate 0.4 % (n=412), health good`: the last values, for the line that is shown while waiting. */
const valuesOf = ({ findings }: Judgement): string =>
  [
    ...new Set(
      findings.flatMap(({ rule, last }) => (last === undefined ? [] : [`${rule.metric} ${lastValue(rule, last)}`])),
    ),
  ].join(', ');

/** A fixed grid from the first traffic on; slots that were missed are skipped, so a resumed run meets the same points. */
function gridPoints({
  begin,
  interval,
  now,
}: {
  readonly begin: Instant;
  readonly interval: number;
  readonly now: Instant;
}): {
  readonly latest: Instant;
  readonly next: Instant;
} {
  const latest = instant(begin + Math.floor((now - begin) / interval) * interval);
  return { latest, next: instant(latest + interval) };
}

/** Everything that was measured, judged as one: the verdict of the whole shift. */
export function judgeAll(goal: Goal, seen: Seen, { record }: Held): Judgement | undefined {
  if (record.trafficAt === undefined || seen.samples.length === 0) return undefined;
  return judge(goal.policy, { samples: seen.samples, begin: record.trafficAt, since: record.trafficAt });
}
