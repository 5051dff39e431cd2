/** What a metric's numbers are, which says the units of its limits and how many requests one value needs. */
export type MetricKind = 'checks' | 'rate' | 'time' | 'throughput' | 'own';

const BUILT_IN: Readonly<Record<string, MetricKind>> = {
  health: 'checks',
  'error-rate': 'rate',
  p50: 'time',
  p95: 'time',
  p99: 'time',
  mean: 'time',
  requests: 'throughput',
};

export const BUILT_IN_METRICS = Object.keys(BUILT_IN);
export const isBuiltIn = (metric: string): boolean => Object.hasOwn(BUILT_IN, metric);
/** A metric that is not built in is the user's own: any unit fits, and one value stands for itself. */
export const kindOf = (metric: string): MetricKind => (isBuiltIn(metric) ? (BUILT_IN[metric] ?? 'own') : 'own');

/** Share of the requests that a percentile leaves above itself: 0.05 for p95. undefined: the metric is no percentile. */
export function shareBeyond(metric: string): number | undefined {
  const percentile = /^p(\d\d)$/.exec(metric);
  return isBuiltIn(metric) && percentile ? (100 - Number(percentile[1])) / 100 : undefined;
}

/**
 * Requests that a value needs before it is believed. Rates: 20, so that one failed request of five is not 20 %.
 * Percentiles: 10 / (1 - p), the rule by which CloudWatch calls a percentile meaningful (percentiles-with-low-samples).
 */
export function defaultMinSamples(metric: string): number {
  const beyond = shareBeyond(metric);
  if (beyond !== undefined) return Math.round(10 / beyond);
  const kind = kindOf(metric);
  return kind === 'rate' || kind === 'time' ? 20 : 1;
}
