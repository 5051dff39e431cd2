import { type Duration, formatDuration, milliseconds, minutes } from '../duration.ts';
import { shareBeyond } from '../policy/metric.ts';
import type { ComparisonRule } from '../policy/rule.ts';
import { type Compared, type Difference, type Test, compareArms, pairsOf, requestsFor } from './difference.ts';
import { type Timeline, slotsOf } from './point.ts';
import type { Standing } from './standing.ts';
import { signedPoints } from './words.ts';

/** PURE: where a rule against stable stands, always with the bound that was reached. */
export function standingOfComparison(rule: ComparisonRule, timeline: Timeline): Standing {
  const candidate = slotsOf(rule, 'candidate', timeline);
  const pairs = pairsOf(...inBad(rule, candidate, slotsOf(rule, 'stable', timeline)));
  const test = testOf(rule);
  const compared = compareArms(pairs, test);
  if (compared.worse !== undefined) {
    const { at, difference } = compared.worse;
    return { kind: 'failed', at, says: worseWords(rule, difference, test) };
  }
  if (pairs.length === 0) {
    return { kind: 'pending', says: `${rule.text}: no requests of both colors in the same time yet` };
  }
  const { upper } = compared.now;
  if (upper < test.margin) return { kind: 'passing' };
  const first = timeline.begin;
  const last = pairs.at(-1)?.at ?? first;
  const says = uncertainWords(rule, compared, { test, took: milliseconds(last - first) });
  // Nobody knows nearly enough: the step goes on instead of the release.
  return { kind: upper - baseOf(test) < rule.maxUncertainty ? 'inconclusive' : 'pending', says };
}

/** `<` compares what was good, so its counts are turned round; then worse is more, for every rule. */
function inBad<S extends { readonly requests: number; readonly bad: number }>(
  { comparator }: ComparisonRule,
  candidate: readonly S[],
  stable: readonly S[],
): readonly [readonly S[], readonly S[]] {
  if (comparator.startsWith('>')) return [candidate, stable];
  const turned = (slots: readonly S[]): readonly S[] =>
    slots.map((slot) => ({ ...slot, bad: slot.requests - slot.bad }));
  return [turned(candidate), turned(stable)];
}

/** A pass is one word of several: the absolute limits, the recheck and the next step still look. A failure is the last word. */
const PASS_DOUBT = 0.01;

/** `rate > stable + m`, `rate > stable + r%`, or for times: more slow requests than the percentile leaves. */
export function testOf({ metric, comparator, margin, alpha, minEvents }: ComparisonRule): Test {
  const beyond = shareBeyond(metric);
  const asked = { alpha, beta: PASS_DOUBT, minEvents, tau: tauOf(beyond) };
  if (beyond !== undefined) return { ...asked, factor: 1, margin: 0 };
  const up = comparator.startsWith('>');
  const plus = up ? margin.plus : -margin.plus;
  if (margin.of === 'points') return { ...asked, factor: 1, margin: plus };
  // good < (1 - r) * stable's good says the same of the bad ones: bad > (1 - r) * stable's bad + r.
  return up ? { ...asked, factor: 1 + plus, margin: 0 } : { ...asked, factor: 1 - plus, margin: plus };
}

/** Best for half a percentage point where half a percent fails, and for the like of it where 5 % are slow. */
const TAU = 0.004;
const tauOf = (beyond: number | undefined): number =>
  beyond === undefined ? TAU : TAU * Math.sqrt((beyond * (1 - beyond)) / (0.005 * 0.995));

/** What a difference of the candidate from stable itself would be, of which the factor takes a part away. */
const baseOf = ({ factor, margin }: Test): number => (factor === 1 ? 0 : margin);

const sure = (doubt: number): string => `${Number(((1 - doubt) * 100).toFixed(3))} % confidence`;

const counts = ({ candidate, stable }: Difference): string => `n=${candidate.requests}, stable n=${stable.requests}`;

function worseWords(rule: ComparisonRule, difference: Difference, test: Test): string {
  const { estimate, lower } = difference;
  const what =
    shareBeyond(rule.metric) === undefined
      ? `${rule.metric} is ${signedPoints(estimate)} from stable`
      : `${signedPoints(estimate)} more requests are slower than ${rule.margin.text}`;
  return `${rule.text}: ${what}, at least ${signedPoints(lower)} with ${sure(test.alpha)} (${counts(difference)})`;
}

interface Reached {
  readonly test: Test;
  /** From the first traffic to the last look. */
  readonly took: Duration;
}

/** `error-rate > stable + 0.1pp: at most +0.43 pp with 95 % confidence (n=3120, stable n=28050); ...` */
function uncertainWords(rule: ComparisonRule, { now }: Compared, { test, took }: Reached): string {
  const { candidate, stable, upper } = now;
  const reached = `${rule.text}: the candidate is at most ${signedPoints(upper)} worse with ${sure(test.beta)} (${counts(now)})`;
  const rate = (candidate.bad + stable.bad) / Math.max(1, candidate.requests + stable.requests);
  const size = test.factor === 1 ? test.margin : Math.abs(test.factor - 1) * rate;
  const ratio = stable.requests / Math.max(1, candidate.requests);
  const needed = size > 0 ? requestsFor(size, { alpha: test.beta, tau: test.tau, rate, ratio }) : undefined;
  if (needed === undefined || candidate.requests === 0) return reached;
  return `${reached}; ${rule.margin.text.replace(/^stable ?/, '')} needs about ${rounded(needed)} requests of the candidate (${wordsOfTime((needed / candidate.requests) * took)} at this rate)`;
}

/** Two digits are all that such a figure is good for. */
const rounded = (count: number): number => Number(count.toPrecision(2));

export function wordsOfTime(length: number): string {
  if (length > minutes(600)) return `${Math.round(length / minutes(60))}h`;
  return formatDuration(minutes(Math.max(1, Math.round(length / minutes(1)))));
}
