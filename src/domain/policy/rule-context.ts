import type { Duration } from '../duration.ts';

export interface RuleContext {
  /** Names a rule may use. */
  readonly metrics: readonly string[];
  readonly interval: Duration;
  /** Comparisons with stable that can fail the release. */
  readonly comparing: number;
  /** By metric: whether its source counts slow requests, and whether it can tell stable from the candidate. */
  readonly sources: Readonly<Record<string, { readonly countsSlow: boolean; readonly knowsStable: boolean }>>;
}
