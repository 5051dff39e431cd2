import type { Instant } from '../domain/duration.ts';

/** `stable` is what served before, `candidate` what is judged. */
export type Arm = 'stable' | 'candidate';

export interface MetricQuery {
  /** `error-rate`, `p95`, `health`, ... or a name of the user's. */
  readonly metric: string;
  readonly arm: Arm;
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
  | { readonly kind: 'value'; readonly value: number; readonly samples: number }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'unreachable'; readonly cause: unknown };

export interface MetricProvider {
  /** As messages name it: `web http://metrics.internal/api`. */
  readonly name: string;
  measure(query: MetricQuery, window: Window, signal: AbortSignal): Promise<Measurement>;
}
