import type { Duration, Instant } from '../duration.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rule } from '../policy/rule.ts';

/** What one look at a source gave. Rates are fractions, times are milliseconds, checks are the share of good ones. */
export type Reading =
  | { readonly kind: 'value'; readonly value: number; readonly samples: number }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'error'; readonly message: string };

/** One reading on the grid. A whole rollout is a list of these in the order of time: all that a judgement needs. */
export interface Sample {
  readonly series: string;
  readonly at: Instant;
  /** How far back the reading looked. */
  readonly window: Duration;
  readonly reading: Reading;
}

/** What is measured at each grid point: rules that need the same look share one. */
export interface Series {
  readonly key: string;
  readonly metric: string;
  readonly window: Duration;
  /** The window is stretched until it holds this many requests. */
  readonly minSamples: number;
}

export function seriesOf(rule: Rule, interval: Duration): Series {
  const [window, minSamples] = rule.kind === 'threshold' ? [rule.window, rule.minSamples] : [interval, 1];
  return { key: `${rule.metric}/${window}/${minSamples}`, metric: rule.metric, window, minSamples };
}

/** Every series that the rules of a policy need, once. */
export function allSeries(policy: Pick<Policy, 'rules' | 'interval'>): readonly Series[] {
  const series = policy.rules.map((rule) => seriesOf(rule, policy.interval));
  return [...new Map(series.map((each) => [each.key, each])).values()];
}
