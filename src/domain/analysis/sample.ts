import { type Duration, type Instant, before } from '../duration.ts';
import { shareBeyond } from '../policy/metric.ts';
import type { Policy } from '../policy/policy.ts';
import type { ComparisonRule, Rule, ThresholdRule } from '../policy/rule.ts';

/** `stable` is what served before, `candidate` what is judged. */
export type Arm = 'stable' | 'candidate';

/** What one look at a source gave. Rates are fractions, times are milliseconds, checks are the share of good ones. */
export type Reading =
  | {
      readonly kind: 'value';
      readonly value: number;
      readonly samples: number;
      /** Of a time: the share of requests that took longer than the limit that was asked about, where the source counts. */
      readonly slower?: number;
    }
  | { readonly kind: 'no-data' }
  /** The first period of the source is not over: there was nothing that it could have known. */
  | { readonly kind: 'not-yet' }
  | { readonly kind: 'error'; readonly message: string };

/** One reading on the grid. A whole rollout is a list of these in the order of time: all that a judgement needs. */
export interface Sample {
  readonly series: string;
  readonly at: Instant;
  /** How far back the reading looked. */
  readonly window: Duration;
  /** Where the window ends; absent: at `at`. Earlier where a source knows whole periods only. */
  readonly to?: Instant;
  /** Of the traffic, that the candidate had in that window; absent: not known, or all of it. */
  readonly percent?: number;
  readonly reading: Reading;
}

/** What the candidate has of the traffic from a moment on. */
export interface Share {
  readonly since: Instant;
  readonly percent: number;
}

/** Says what the candidate had as the window began; nothing of a window from before all that is known. */
export function withShare(sample: Sample, shares: readonly Share[]): Sample {
  const begin = before(endOf(sample), sample.window);
  const share = shares.findLast(({ since }) => since <= begin);
  return share === undefined ? sample : { ...sample, percent: share.percent };
}

export const endOf = ({ at, to }: Sample): Instant => to ?? at;

/** A time, or so much from what stable has in the same window. */
export type Above = number | { readonly series: string; readonly plus: number; readonly of: 'share' | 'milliseconds' };

/** What is measured at each grid point: rules that need the same look share one. */
export interface Series {
  readonly key: string;
  readonly metric: string;
  readonly arm: Arm;
  readonly window: Duration;
  /** The window is stretched until it holds this many requests. */
  readonly minSamples: number;
  /** The share of requests slower than this is asked for. */
  readonly above?: Above;
}

/** The look that the last value of a rule is shown from. */
export function seriesOf(rule: Rule, interval: Duration): Series {
  switch (rule.kind) {
    case 'threshold':
      return series({ rule, arm: 'candidate', window: rule.window, minSamples: rule.minSamples });
    case 'streak':
      return series({ rule, arm: 'candidate', window: interval, minSamples: 1 });
    case 'comparison':
      return slotSeries(rule, { arm: 'candidate', interval });
  }
}

/** The same look at stable: an incident that both have is nobody's release. Rules that only warn do without. */
export const stableSeriesOf = (rule: Rule, interval: Duration): Series | undefined =>
  rule.level === 'warn' || rule.kind === 'comparison'
    ? undefined
    : series({
        rule,
        arm: 'stable',
        window: rule.kind === 'streak' ? interval : rule.window,
        minSamples: rule.kind === 'streak' ? 1 : rule.minSamples,
      });

/** Looks that do not overlap, so that their requests can be added up. */
export const slotSeries = (
  rule: ThresholdRule | ComparisonRule,
  { arm, interval }: { readonly arm: Arm; readonly interval: Duration },
): Series => series({ rule, arm, window: interval, minSamples: 1 });

/** Every series that the rules of a policy need, once; a series that asks about stable stands after stable's. */
export function allSeries(policy: Pick<Policy, 'rules' | 'interval'>): readonly Series[] {
  const { interval } = policy;
  const series = policy.rules.flatMap((rule): readonly (Series | undefined)[] => {
    if (rule.kind === 'comparison')
      return [slotSeries(rule, { arm: 'stable', interval }), slotSeries(rule, { arm: 'candidate', interval })];
    const slots = rule.kind === 'threshold' && rule.fastFail === 'on';
    const counted = slots ? slotSeries(rule, { arm: 'candidate', interval }) : undefined;
    return [seriesOf(rule, interval), stableSeriesOf(rule, interval), counted];
  });
  return [...new Map(series.flatMap((each) => (each ? [[each.key, each] as const] : []))).values()];
}

interface Look {
  readonly rule: Rule;
  readonly arm: Arm;
  readonly window: Duration;
  readonly minSamples: number;
}

function series({ rule, arm, window, minSamples }: Look): Series {
  const { metric } = rule;
  const above = aboveOf(rule, { arm, stable: `${metric}/${window}/${minSamples}/stable` });
  const words = above === undefined ? '' : typeof above === 'number' ? `/above-${above}` : `/${above.plus}-${above.of}`;
  const key = `${metric}/${window}/${minSamples}${words}${arm === 'stable' ? '/stable' : ''}`;
  return { key, metric, arm, window, minSamples, ...(above === undefined ? {} : { above }) };
}

/** `p95 > 2s` says the same as "more than 5 % of the requests take longer than 2 s", which can be counted and added up. */
function aboveOf(rule: Rule, { arm, stable }: { readonly arm: Arm; readonly stable: string }): Above | undefined {
  if (shareBeyond(rule.metric) === undefined) return undefined;
  if (rule.kind === 'threshold') return rule.comparator.startsWith('>') ? rule.limit.value : undefined;
  if (rule.kind === 'streak' || arm === 'stable') return undefined;
  const { plus, of } = rule.margin;
  return { series: stable, plus, of: of === 'share' ? 'share' : 'milliseconds' };
}
