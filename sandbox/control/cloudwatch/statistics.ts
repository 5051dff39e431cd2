import type { WindowCounts } from '../../plane/types.ts';

/** What one period of a metric holds: single values, or a count of them. */
export interface Measured {
  readonly values: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Metrics that a load balancer reports of itself or of a target group; undefined in a period in which it reports nothing. */
export function measuredOf(metric: string, counts: WindowCounts, of: 'balancer' | 'group'): Measured | undefined {
  switch (metric) {
    case 'HTTPCode_ELB_5XX_Count':
      // Its own answers are reported of the load balancer alone.
      return of === 'balancer' ? counter(counts.connectionErrors + counts.unanswered) : undefined;
    case 'RequestCount':
      return counter(counts.requests);
    case 'HTTPCode_Target_2XX_Count':
      return counter(counts.status2xx);
    case 'HTTPCode_Target_3XX_Count':
      return counter(counts.status3xx);
    case 'HTTPCode_Target_4XX_Count':
      return counter(counts.status4xx);
    case 'HTTPCode_Target_5XX_Count':
      return counter(counts.status5xx);
    case 'TargetConnectionErrorCount':
      return counter(counts.connectionErrors);
    case 'TargetResponseTime': {
      // In seconds, as CloudWatch shows it.
      const values = counts.responseTimes.map((time) => time / 1_000).toSorted((a, b) => a - b);
      if (values.length === 0) return undefined;
      return { values, sum: values.reduce((all, value) => all + value, 0), count: values.length };
    }
    default:
      return undefined;
  }
}

/** "There is a nonzero value" is the criterion under which each of them is reported (load-balancer-cloudwatch-metrics). */
const counter = (value: number): Measured | undefined =>
  value > 0 ? { values: [value], sum: value, count: 1 } : undefined;

const PERCENTILE = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/;
/** `PR(:0.5)`: the share of values up to 0.5, in percent; `PR(0.1:0.5)` between the two. */
const RANK = /^PR\((\d*\.?\d*):(\d*\.?\d*)\)$/;

export const isStatistic = (stat: string): boolean =>
  ['Sum', 'SampleCount', 'Average', 'Minimum', 'Maximum'].includes(stat) || PERCENTILE.test(stat) || RANK.test(stat);

export function statisticOf(stat: string, { values, sum, count }: Measured): number {
  switch (stat) {
    case 'Sum':
      return sum;
    case 'SampleCount':
      return count;
    case 'Average':
      return sum / count;
    case 'Minimum':
      return Math.min(...values);
    case 'Maximum':
      return Math.max(...values);
  }
  const [, percent] = PERCENTILE.exec(stat) ?? [];
  // Nearest rank, over every single value.
  if (percent !== undefined)
    return values[Math.max(0, Math.ceil((values.length * Number(percent)) / 100 - 1e-9) - 1)] ?? 0;
  const [, from = '', to = ''] = RANK.exec(stat) ?? [];
  const inside = values.filter((value) => (from === '' || value > Number(from)) && (to === '' || value <= Number(to)));
  return (100 * inside.length) / values.length;
}
