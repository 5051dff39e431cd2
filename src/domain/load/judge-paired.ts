import { compareArms } from '../analysis/difference.ts';
import { signedPoints } from '../analysis/words.ts';
import { instant } from '../duration.ts';
import { defaultMinSamples, shareBeyond } from '../policy/metric.ts';
import { type BlockPair, type PairedBlocks } from './blocks.ts';
import { shownMetric, showValue, valueOf } from './measured-value.ts';
import type { Measured } from './measured.ts';
import { FEWEST_BLOCKS, pairedInterval } from './paired-interval.ts';
import type { LoadRule } from './rule.ts';

export interface PairedOutcome {
  readonly outcome: 'kept' | 'broken' | 'unknown';
  readonly words: string;
}

/** Both sides of a load in the same minutes. */
export interface Paired {
  readonly blocks: PairedBlocks;
  readonly own: Measured;
  readonly stable: Measured;
}

type StableRule = LoadRule & { readonly limit: Extract<LoadRule['limit'], { readonly kind: 'stable' }> };

/** Chance of a wrong word on either side. */
const DOUBT = 0.05;
const SURE = '95 % confidence';
const TEST = { alpha: DOUBT, beta: DOUBT, minEvents: 5, tau: 0.004 };
const LONGER = 'Send more';

/** Rates are the same on both sides of a load by its making, and one that is to be smaller than stable's is no regression. */
export const isPairable = (rule: LoadRule): rule is StableRule =>
  rule.limit.kind === 'stable' && rule.metric !== 'requests' && rule.comparator.startsWith('>');

/**
 * PURE. A rule against the release that had the other half of the load. It is broken when the release is worse than the
 * margin for certain, kept when it is no worse for certain, and unknown in between: a difference of two samples alone is none.
 */
export function judgePaired(rule: StableRule, { blocks, own, stable }: Paired): PairedOutcome {
  const of = rule.scenario === undefined ? '' : ` of ${rule.scenario}`;
  const counts = `(n=${own.requests}, stable n=${stable.requests})`;
  const pairs = blocks.pairs(rule.scenario);
  if (rule.metric === 'error-rate') return judgeErrors(rule, pairs, { of, counts });
  const needed = defaultMinSamples(rule.metric);
  const fewest = Math.min(own.requests, stable.requests);
  if (fewest < needed)
    return {
      outcome: 'unknown',
      words: `${rule.text}${of} cannot be compared by ${fewest} answers of a side: it needs ${needed}. ${LONGER}`,
    };
  const { margin, plus, of: unit } = rule.limit;
  const below = shareBeyond(rule.metric);
  const interval = pairedInterval(pairs, {
    time: rule.time,
    of: below === undefined ? 'mean' : 1 - below,
    as: unit === 'share' ? 'ratio' : 'difference',
  });
  if (interval === undefined)
    return {
      outcome: 'unknown',
      words: `${rule.text}${of} cannot be compared: answers of both sides came in too few stretches of the load (it needs ${FEWEST_BLOCKS}). ${LONGER}`,
    };
  const limit = unit === 'share' ? 1 + plus : plus;
  const show = (value: number): string => (unit === 'share' ? `x${value.toFixed(2)}` : signedTime(rule, value));
  const seen = `${shownMetric(rule)}${of} ${showValue(rule, valueOf(rule, own))} beside stable ${showValue(rule, valueOf(rule, stable))}: ${show(interval.estimate)}`;
  const words = (bound: string): string => `${seen}, ${bound} with ${SURE}, limit ${margin} ${counts}`;
  if (interval.low > limit) return { outcome: 'broken', words: words(`at least ${show(interval.low)}`) };
  if (interval.high <= limit) return { outcome: 'kept', words: words(`at most ${show(interval.high)}`) };
  const between = words(`between ${show(interval.low)} and ${show(interval.high)}`);
  return { outcome: 'unknown', words: `${between}: that is not decided. ${LONGER}, or allow more` };
}

/** Errors are counted exactly: where next to nothing failed, what was drawn again and again would know too much. */
function judgeErrors(
  rule: StableRule,
  pairs: readonly BlockPair[],
  { of, counts }: { readonly of: string; readonly counts: string },
): PairedOutcome {
  const { margin, plus, of: unit } = rule.limit;
  const test = { ...TEST, ...(unit === 'share' ? { factor: 1 + plus, margin: 0 } : { factor: 1, margin: plus }) };
  const slots = pairs.map(({ own, stable }, index) => {
    const at = instant(index);
    const slot = ({ requests, errors }: typeof own) => ({ at, requests, bad: errors });
    return { at, candidate: slot(own), stable: slot(stable) };
  });
  const { now, worse } = compareArms(slots, test);
  const base = unit === 'share' ? `x${(1 + plus).toFixed(2)} of stable` : 'stable';
  const words = (bound: string): string =>
    `error-rate${of} ${signedPoints(now.estimate)} from ${base}, ${bound} with ${SURE}, limit ${margin} ${counts}`;
  if (worse !== undefined)
    return { outcome: 'broken', words: words(`at least ${signedPoints(worse.difference.lower)}`) };
  if (now.upper <= test.margin) return { outcome: 'kept', words: words(`at most ${signedPoints(now.upper)}`) };
  return {
    outcome: 'unknown',
    words: `${words(`at most ${signedPoints(now.upper)}`)}: that is not decided. ${LONGER}, or allow more`,
  };
}

const signedTime = (rule: LoadRule, value: number): string => `${value < 0 ? '' : '+'}${showValue(rule, value)}`;
