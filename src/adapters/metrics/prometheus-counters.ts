import type { Window } from '../../ports/metric-provider.ts';
import type { PrometheusData, RawSeries } from './prometheus-answer.ts';

/** Cumulative counts of a histogram, by rising upper bound in seconds; the last one is +Inf. */
export type Buckets = readonly { readonly le: number; readonly count: number }[];

/**
 * What all counters rose by in a window, exactly: from the last sample at or before its beginning to the last one at or
 * before its end, so that windows side by side add up to the whole. A series without an earlier sample is new and counts
 * from 0; a fall is a restart, after which the value counts whole.
 */
export const increaseIn = (data: PrometheusData, window: Window): number =>
  data.kind === 'matrix' ? data.series.reduce((sum, series) => sum + riseOf(series, window), 0) : 0;

function riseOf({ samples }: RawSeries, { from, to }: Window): number {
  const seen = samples.filter(([at, value]) => at <= to && Number.isFinite(value));
  let previous = seen.findLast(([at]) => at <= from)?.[1] ?? 0;
  let rise = 0;
  for (const [, value] of seen.filter(([at]) => at > from)) {
    rise += value >= previous ? value - previous : value;
    previous = value;
  }
  return rise;
}

/** The same by the label `le`, over all series. */
export function increasesByLe(data: PrometheusData, window: Window): Buckets {
  const counts = new Map<number, number>();
  for (const series of data.kind === 'matrix' ? data.series : []) {
    const text = series.labels['le'];
    if (text === undefined) continue;
    const le = text === '+Inf' ? Infinity : Number(text);
    counts.set(le, (counts.get(le) ?? 0) + riseOf(series, window));
  }
  return [...counts].map(([le, count]) => ({ le, count })).sort((a, b) => a.le - b.le);
}

/** As histogram_quantile: evenly spread inside a bucket; in the last one, its lower bound, because it has no upper one. */
export function quantileOf(buckets: Buckets, quantile: number): number {
  const total = buckets.at(-1)?.count ?? 0;
  const rank = quantile * total;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const [below, at] = [buckets[index - 1] ?? { le: 0, count: 0 }, buckets[index]];
  if (at === undefined || at.le === Infinity) return below.le;
  const inside = at.count - below.count;
  return inside > 0 ? below.le + ((at.le - below.le) * (rank - below.count)) / inside : at.le;
}

/** Exact where a bucket ends at the limit; else evenly spread inside the bucket, as the quantile is. */
export function shareAbove(buckets: Buckets, limit: number): number {
  const total = buckets.at(-1)?.count ?? 0;
  const index = buckets.findIndex(({ le }) => le >= limit);
  const [below, at] = [buckets[index - 1] ?? { le: 0, count: 0 }, buckets[index]];
  if (!(total > 0)) return 0;
  if (at === undefined) return 0;
  if (at.le === Infinity) return (total - below.count) / total;
  const reached = below.count + ((at.count - below.count) * (limit - below.le)) / (at.le - below.le);
  return Math.max(0, (total - reached) / total);
}
