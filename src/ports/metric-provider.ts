import type { Arm } from '../domain/analysis/sample.ts';
import type { Duration, Instant } from '../domain/duration.ts';

export type { Arm };

export interface MetricQuery {
  /** `error-rate`, `p95`, `health`, ... or a name of the user's. */
  readonly metric: string;
  readonly arm: Arm;
  /** Milliseconds: of a time, the share of requests that took longer is wanted too, where the source counts them. */
  readonly above?: number;
}

export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * Rates are fractions (0.05 is 5 %), times are milliseconds, `health` is the share of good checks.
 * `no-data`, `unreachable` and zero are three different things and never turn into each other.
 */
export type Measurement =
  | { readonly kind: 'value'; readonly value: number; readonly samples: number; readonly slower?: number }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'unreachable'; readonly cause: unknown };

export interface MetricProvider {
  /** As messages name it: `web http://metrics.internal/api`. */
  readonly name: string;
  /** The source knows whole periods only, each of them `delay` after its end. Absent: any window, at once. */
  readonly periods?: { readonly length: Duration; readonly delay: Duration };
  /** Whether it can be asked about the past, so that a resumed run measures what the dead one had measured. */
  readonly memory: 'kept' | 'none';
  measure(query: MetricQuery, window: Window, signal: AbortSignal): Promise<Measurement>;
}
