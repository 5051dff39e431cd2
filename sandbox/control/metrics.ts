import { parseDuration } from '../../src/domain/duration.ts';
import type { MeasuredLoadBalancers, WindowCounts } from '../plane/types.ts';

/** What the `web` metric provider reads. Rates are fractions, times milliseconds; null is "nothing was served", never 0. */
export interface TargetGroupMetrics {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly mean: number | null;
}

export type MetricsAnswer =
  | { readonly status: 200; readonly body: TargetGroupMetrics }
  | { readonly status: 400 | 404; readonly body: { readonly message: string } };

export function metricsAnswer(
  query: URLSearchParams,
  from: { readonly balancers: MeasuredLoadBalancers; arnOf(name: string): string | undefined },
): MetricsAnswer {
  const name = query.get('target-group') ?? '';
  const arn = from.arnOf(name);
  if (arn === undefined) return { status: 404, body: { message: `no target group is called '${name}'` } };
  const length = parseDuration(query.get('window') ?? '');
  const span = { from: Number(query.get('from') ?? Number.NaN), to: Number(query.get('to') ?? Number.NaN) };
  if (length !== undefined) return { status: 200, body: metricsOf(from.balancers.window(arn, length)) };
  if (span.from < span.to) return { status: 200, body: metricsOf(from.balancers.range(arn, span)) };
  return { status: 400, body: { message: 'give window=30s, or from and to in epoch milliseconds' } };
}

export function metricsOf(counts: WindowCounts): TargetGroupMetrics {
  // A client that left before the answer says nothing about the target.
  const requests = counts.requests - counts.clientClosed;
  const times = counts.responseTimes.toSorted((a, b) => a - b);
  const sum = times.reduce((total, time) => total + time, 0);
  return {
    requests,
    errors: counts.errors,
    errorRate: requests > 0 ? counts.errors / requests : null,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    p99: percentile(times, 0.99),
    mean: times.length > 0 ? sum / times.length : null,
  };
}

/** Nearest rank: the smallest time that `share` of all are not above. */
const percentile = (sorted: readonly number[], share: number): number | null =>
  sorted[Math.ceil(sorted.length * share) - 1] ?? null;
