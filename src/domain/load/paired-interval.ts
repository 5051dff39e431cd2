import { type Block, type BlockPair, type Spread, timeOf } from './blocks.ts';

/** Between what and what a comparison lies, each bound with 95 % confidence. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  readonly time: 'response' | 'service';
  /** `mean`, or the share of answers that a percentile has below it. */
  readonly of: 'mean' | number;
  /** `ratio`: own / stable. `difference`: own - stable, in milliseconds. */
  readonly as: 'ratio' | 'difference';
}

/** Fewer say nothing about how much they differ. */
export const FEWEST_BLOCKS = 10;
const REPLICATES = 500;
const TAIL = 0.05;
/** The normal distribution's 95 %. */
const Z = 1.6449;

/**
 * Bootstrap over the stretches of a load that two releases share (Efron 1979; by blocks, because what happens to a
 * machine lasts: Künsch 1989). Each replicate draws whole stretches with both of their sides, so that what hit both of
 * them stays paired. Percentile bounds, widened for few stretches (Hesterberg, What Teachers Should Know About the
 * Bootstrap, 2015, 5.3). The draws are the same ones at every call: the same load gets the same verdict.
 * undefined: too few stretches, or nothing on one side.
 */
export function pairedInterval(pairs: readonly BlockPair[], comparison: Comparison): Interval | undefined {
  const both = pairs.filter(({ own, stable }) => own.requests > 0 && stable.requests > 0);
  if (both.length < FEWEST_BLOCKS) return undefined;
  const sides = [both.map(({ own }) => own), both.map(({ stable }) => stable)] as const;
  const [own, stable] = sides.map((blocks) => statisticOf(blocks, comparison)) as [Statistic, Statistic];
  const compare = (weights: Weights): number =>
    comparison.as === 'ratio' ? Math.log(own(weights) / stable(weights)) : own(weights) - stable(weights);
  const estimate = compare(new Uint16Array(both.length).fill(1));
  const next = draws();
  const drawn = Array.from({ length: REPLICATES }, () => {
    const weights = new Uint16Array(both.length);
    for (let draw = 0; draw < both.length; draw++) weights[next() % both.length]! += 1;
    return compare(weights);
  }).sort((a, b) => a - b);
  const wider = widening(both.length);
  const at = (share: number): number => drawn[Math.min(REPLICATES - 1, Math.floor(share * REPLICATES))] ?? estimate;
  const shown = comparison.as === 'ratio' ? Math.exp : (value: number): number => value;
  return {
    estimate: shown(estimate),
    low: shown(estimate - wider * Math.max(0, estimate - at(TAIL))),
    high: shown(estimate + wider * Math.max(0, at(1 - TAIL) - estimate)),
  };
}

/** Of Student's t over the normal one (Cornish and Fisher's first term), and of the spread of so few over the true one. */
function widening(blocks: number): number {
  const t = Z + (Z ** 3 + Z) / (4 * (blocks - 1));
  return (t / Z) * Math.sqrt(blocks / (blocks - 1));
}

type Weights = Uint16Array;
type Statistic = (weights: Weights) => number;

function statisticOf(blocks: readonly Block[], { time, of }: Comparison): Statistic {
  const spreads = blocks.map((block) => block[time]);
  const requests = blocks.map((block) => block.requests);
  return of === 'mean' ? meanOf(spreads, requests) : percentileOf(spreads, of);
}

const meanOf =
  (spreads: readonly Spread[], requests: readonly number[]): Statistic =>
  (weights) => {
    let sum = 0;
    let count = 0;
    for (let block = 0; block < spreads.length; block++) {
      const weight = weights[block] ?? 0;
      sum += weight * (spreads[block]?.sum ?? 0);
      count += weight * (requests[block] ?? 0);
    }
    return sum / count;
  };

function percentileOf(spreads: readonly Spread[], share: number): Statistic {
  const buckets = [...new Set(spreads.flatMap(({ counts }) => [...counts.keys()]))].sort((a, b) => a - b);
  const places = new Map(buckets.map((bucket, index) => [bucket, index]));
  const rows = spreads.map(({ counts }) => ({
    places: Uint32Array.from(counts.keys(), (bucket) => places.get(bucket) ?? 0),
    counts: Float64Array.from(counts.values()),
    total: [...counts.values()].reduce((sum, each) => sum + each, 0),
  }));
  const sum = new Float64Array(buckets.length);
  return (weights) => {
    sum.fill(0);
    let total = 0;
    for (const [block, row] of rows.entries()) {
      const weight = weights[block] ?? 0;
      if (weight === 0) continue;
      total += weight * row.total;
      for (let entry = 0; entry < row.places.length; entry++)
        sum[row.places[entry] ?? 0]! += weight * (row.counts[entry] ?? 0);
    }
    const rank = Math.ceil(total * share);
    let below = 0;
    for (let index = 0; index < sum.length; index++) {
      below += sum[index] ?? 0;
      if (below >= rank) return timeOf(buckets[index] ?? 0);
    }
    return Number.NaN;
  };
}

/** Marsaglia's xorshift with a fixed seed: chance is not asked here. */
function draws(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
