import type { Instant } from '../duration.ts';
import { binomialTail, upperBound } from './binomial.ts';
import type { Slot } from './point.ts';

/** Requests of both arms in the same stretch of time. */
export interface Pair {
  readonly at: Instant;
  readonly candidate: Slot;
  readonly stable: Slot;
}

/** Slots of both arms that were measured at the same moment. */
export function pairsOf(candidate: readonly Slot[], stable: readonly Slot[]): readonly Pair[] {
  const beside = new Map(stable.map((slot) => [slot.at, slot]));
  return candidate.flatMap((slot) => {
    const other = beside.get(slot.at);
    return other === undefined ? [] : [{ at: slot.at, candidate: slot, stable: other }];
  });
}

export interface Test {
  /** The candidate is compared with so many times stable: 1, or 1.1 for `stable + 10%`. */
  readonly factor: number;
  /** A fraction. */
  readonly margin: number;
  /** Chance that the lower bound is ever above the true difference. */
  readonly alpha: number;
  /** The same of the upper bound: that of letting pass what is worse than the margin. */
  readonly beta: number;
  readonly minEvents: number;
  /** Size of the differences that the test is best at. It must not depend on what is measured. */
  readonly tau: number;
}

export interface Difference {
  /** Rate of the candidate less `factor` times that of stable, with the bounds that hold at all looks at once. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  readonly candidate: Count;
  readonly stable: Count;
}

export interface Count {
  readonly requests: number;
  readonly bad: number;
}

export interface Compared {
  readonly now: Difference;
  /** The first look at which the candidate was worse than the margin for certain. */
  readonly worse: { readonly at: Instant; readonly difference: Difference } | undefined;
}

/** Fewer requests of either arm say nothing about a rate. */
const MIN_REQUESTS = 50;
/** What few events seem to say must also be as rare as this by exact counting: their distribution is skewed. */
const EXACT_DOUBT = 0.0005;

/**
 * Risk difference over all pairs (Mantel and Haenszel's weights, so that a change of the split or of the load does not
 * look like a difference), with the always-valid bounds of a normal mixture (mSPRT: Robbins 1970; Johari et al., Always
 * valid inference, 2015). The looks may come at any time, so a run that was killed and resumed judges as validly.
 */
export function compareArms(pairs: readonly Pair[], test: Test): Compared {
  let sums = NOTHING;
  let worse: Compared['worse'];
  for (const pair of pairs) {
    sums = add(sums, pair, test);
    if (worse !== undefined || !isEnough(sums, test)) continue;
    if (intervalOf(sums, test).lower > test.margin) worse = { at: pair.at, difference: differenceOf(sums, test) };
  }
  return { now: differenceOf(sums, test), worse };
}

function isEnough({ candidate, stable }: Sums, { minEvents, factor }: Test): boolean {
  if (candidate.bad < minEvents || Math.min(candidate.requests, stable.requests) < MIN_REQUESTS) return false;
  const n = Math.round(candidate.bad + stable.bad);
  const p = (factor * candidate.requests) / (factor * candidate.requests + stable.requests);
  // Of all bad requests, so many would fall on the candidate by its share of the requests alone.
  return binomialTail({ n, k: Math.floor(candidate.bad + 1e-6), p }) <= EXACT_DOUBT;
}

interface Sums {
  readonly weight: number;
  readonly difference: number;
  readonly variance: number;
  readonly candidate: Count;
  readonly stable: Count;
}

const NONE: Count = { requests: 0, bad: 0 };
const NOTHING: Sums = { weight: 0, difference: 0, variance: 0, candidate: NONE, stable: NONE };

function add(sums: Sums, { candidate, stable }: Pair, { factor }: Test): Sums {
  const all = candidate.requests + stable.requests;
  if (candidate.requests === 0 || stable.requests === 0) return sums;
  const weight = (candidate.requests * stable.requests) / all;
  const rate = (candidate.bad + stable.bad) / all;
  // The variance of a rate estimated from the same requests is too small by (all - 1) / all.
  const spread = all > 1 ? (rate * (1 - rate) * all) / (all - 1) : 0;
  return {
    weight: sums.weight + weight,
    difference:
      sums.difference + weight * (candidate.bad / candidate.requests - (factor * stable.bad) / stable.requests),
    variance: sums.variance + weight ** 2 * spread * (1 / candidate.requests + factor ** 2 / stable.requests),
    candidate: plus(sums.candidate, candidate),
    stable: plus(sums.stable, stable),
  };
}

const plus = (a: Count, b: Count): Count => ({ requests: a.requests + b.requests, bad: a.bad + b.bad });

function intervalOf({ weight, difference, variance, candidate, stable }: Sums, { alpha, beta, tau }: Test) {
  const estimate = difference / weight;
  // Where next to nothing failed, the spread that was seen is too small to be believed.
  const rate = (candidate.bad + stable.bad + 1) / (candidate.requests + stable.requests + 2);
  const spread = Math.max(variance / weight ** 2, (rate * (1 - rate)) / weight);
  const lower = Math.max(-1, estimate - radiusOf(spread, { alpha, tau }));
  return { estimate, lower, upper: estimate + radiusOf(spread, { alpha: beta, tau }) };
}

function differenceOf(sums: Sums, test: Test): Difference {
  const { weight, candidate, stable } = sums;
  if (weight === 0) return { estimate: 0, lower: -1, upper: 1, candidate, stable };
  const { estimate, lower, upper } = intervalOf(sums, test);
  // No bound is better than what the candidate's own requests allow by exact counting: none bad of 30 still allows 10 %.
  const k = Math.min(candidate.requests, Math.ceil(candidate.bad));
  const counted = upperBound({ n: candidate.requests, k, confidence: 1 - test.beta });
  const least = counted - (test.factor * stable.bad) / stable.requests;
  return { estimate, lower, upper: Math.min(1, Math.max(upper, least)), candidate, stable };
}

/** Half the width of the bounds for a variance of the estimate: each side is left with probability alpha at most, ever. */
export function radiusOf(variance: number, { alpha, tau }: Pick<Test, 'alpha' | 'tau'>): number {
  const tau2 = tau ** 2;
  const doubt = Math.log(1 / (2 * alpha)) + Math.log((variance + tau2) / variance) / 2;
  return Math.sqrt(((2 * variance * (variance + tau2)) / tau2) * doubt);
}

interface Sizing extends Pick<Test, 'alpha' | 'tau'> {
  readonly rate: number;
  /** Requests of stable for one of the candidate. */
  readonly ratio: number;
}

/** Requests of the candidate until a difference of `size` shows. undefined: more than anybody has. */
export function requestsFor(size: number, sizing: Sizing): number | undefined {
  let [low, high] = [1, 1];
  while (sizeSeen(high, sizing) > size) {
    if (high > 1e12) return undefined;
    [low, high] = [high, high * 2];
  }
  while (high - low > Math.max(1, low / 1_000)) {
    const middle = Math.floor((low + high) / 2);
    if (sizeSeen(middle, sizing) > size) low = middle;
    else high = middle;
  }
  return high;
}

/** One-sided, four times of five. */
const POWER = 0.8416;

/** The smallest difference that so many requests of the candidate show in four cases of five. */
export function sizeSeen(requests: number, { rate, ratio, ...test }: Sizing): number {
  const floor = Math.max(rate, 1 / (requests * (1 + ratio) + 2));
  const variance = (floor * (1 - floor) * (1 + 1 / ratio)) / requests;
  return radiusOf(variance, test) + POWER * Math.sqrt(variance);
}
