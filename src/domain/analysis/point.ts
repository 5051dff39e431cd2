import { type Duration, type Instant, milliseconds } from '../duration.ts';
import { kindOf, shareBeyond } from '../policy/metric.ts';
import { type ComparisonRule, type Rule, type ThresholdRule, isBeyond } from '../policy/rule.ts';
import { unreachable } from '../unreachable.ts';
import { lowerBound } from './binomial.ts';
import { type Arm, type Reading, type Sample, endOf, seriesOf, slotSeries, stableSeriesOf } from './sample.ts';

/**
 * What one reading means for one rule. `no-data` (nothing there, or too few requests to say) and `error` (the source did
 * not answer) are never a success and never a failure; nor is `inconclusive`: stable breaks the same rule at that moment.
 */
export type Outcome = 'success' | 'failure' | 'inconclusive' | 'no-data' | 'error';

export interface Point {
  readonly at: Instant;
  /** Where what was looked at ends. */
  readonly to: Instant;
  readonly outcome: Outcome;
  /** Time this point stands for: since the point before, at most the window that it looked back. */
  readonly slot: Duration;
  /** Requests seen; 0 for `error` and where there was nothing. */
  readonly samples: number;
  readonly value: number | undefined;
  readonly slower: number | undefined;
  /** Of stable, where both break the rule. */
  readonly stable: number | undefined;
  readonly error: string | undefined;
}

export const isDecided = (point: Point): boolean => point.outcome === 'success' || point.outcome === 'failure';

/** All samples, by series. */
export interface Timeline {
  readonly series: ReadonlyMap<string, readonly Sample[]>;
  /** When the candidate got traffic: nothing was to be seen before. */
  readonly begin: Instant;
  readonly interval: Duration;
}

/** The points of one rule in the order of time. */
export function pointsOf(rule: Rule, timeline: Timeline): readonly Point[] {
  const stable = stableSeriesOf(rule, timeline.interval);
  const beside = new Map((stable && timeline.series.get(stable.key))?.map(({ at, reading }) => [at, reading]));
  const samples = timeline.series.get(seriesOf(rule, timeline.interval).key) ?? [];
  let previous = timeline.begin;
  return samples.map((sample) => {
    const longest = Math.max(sample.window, timeline.interval);
    const slot = Math.max(0, Math.min(sample.at - previous, longest));
    previous = sample.at;
    const read = sample.reading.kind === 'not-yet' ? 0 : slot;
    const judged = judgedBeside(rule, sample.reading, beside.get(sample.at));
    return { at: sample.at, to: endOf(sample), slot: milliseconds(read), ...judged };
  });
}

type Judged = Omit<Point, 'at' | 'to' | 'slot'>;

const nothing: Judged = {
  outcome: 'no-data',
  samples: 0,
  value: undefined,
  slower: undefined,
  stable: undefined,
  error: undefined,
};

/** Twice as bad as stable, for certain, is the candidate's own doing, whatever stable has. */
const OWN_DOING = 2;
const CERTAIN = 0.99;

function judgedBeside(rule: Rule, reading: Reading, beside: Reading | undefined): Judged {
  const candidate = judged(rule, reading);
  if (candidate.outcome !== 'failure' || beside === undefined) return candidate;
  const stable = judged(rule, beside);
  if (stable.outcome !== 'failure') return candidate;
  return ownExtent(rule, candidate) < OWN_DOING * extentOf(rule, stable)
    ? { ...candidate, outcome: 'inconclusive', stable: stable.value }
    : candidate;
}

/** How bad the candidate is at least: few of its requests may be twice as bad as stable's by chance. */
function ownExtent(rule: Rule, candidate: Judged): number {
  const extent = extentOf(rule, candidate);
  const counted = candidate.slower !== undefined || kindOf(rule.metric) === 'rate';
  if (rule.kind !== 'threshold' || !counted || rule.comparator.startsWith('<')) return extent;
  const n = Math.round(candidate.samples);
  return lowerBound({ n, k: Math.min(n, Math.round(extent * n)), confidence: CERTAIN });
}

/** How bad, so that a larger number is worse. */
function extentOf(rule: Rule, { value = 0, slower }: Judged): number {
  if (rule.kind === 'streak') return 1 - value;
  const extent = slower ?? value;
  return rule.kind === 'threshold' && rule.comparator.startsWith('<') ? 1 / Math.max(extent, Number.EPSILON) : extent;
}

function judged(rule: Rule, reading: Reading): Judged {
  switch (reading.kind) {
    case 'error':
      return { ...nothing, outcome: 'error', error: reading.message };
    case 'no-data':
    case 'not-yet':
      return nothing;
    case 'value': {
      const { value, slower } = reading;
      const samples = Number.isFinite(value) ? reading.samples : 0;
      // A value that is no number satisfies no condition: it must neither fail a release nor let it pass.
      if (!(samples > 0)) return nothing;
      const seen = { ...nothing, samples, value, slower };
      if (rule.kind === 'comparison') return { ...seen, outcome: 'success' };
      if (rule.kind === 'streak') return { ...seen, outcome: value < 1 ? 'failure' : 'success' };
      if (samples < rule.minSamples) return seen;
      return { ...seen, outcome: breaks(rule, value, slower) ? 'failure' : 'success' };
    }
    default:
      return unreachable(reading);
  }
}

/** Where slow requests were counted their share decides, because shares of several targets and periods add up exactly. */
function breaks(rule: ThresholdRule, value: number, slower: number | undefined): boolean {
  const share = shareBeyond(rule.metric);
  if (slower !== undefined && share !== undefined && rule.comparator.startsWith('>')) return slower > share;
  return isBeyond(value, rule.comparator, rule.limit.value);
}

/** Requests of a stretch of time that overlaps with no other. */
export interface Slot {
  readonly at: Instant;
  readonly requests: number;
  readonly bad: number;
}

/** The looks that do not overlap; none of a rule that has none. */
export const slotSamples = (rule: Rule, arm: Arm, { series, interval }: Timeline): readonly Sample[] =>
  (rule.kind === 'streak' ? undefined : series.get(slotSeries(rule, { arm, interval }).key)) ?? [];

/** What can be counted and added up: errors of a rate, slow requests of a percentile. */
export function slotsOf(rule: ThresholdRule | ComparisonRule, arm: Arm, timeline: Timeline): readonly Slot[] {
  let last = -Infinity;
  return slotSamples(rule, arm, timeline).flatMap((sample): readonly Slot[] => {
    const to = endOf(sample);
    // A source with long periods gives the same one at several grid points: it is counted once.
    if (to - sample.window < last) return [];
    const slot = slotOf(rule, arm, sample);
    if (slot === undefined) return [];
    last = to;
    return [slot];
  });
}

function slotOf(rule: ThresholdRule | ComparisonRule, arm: Arm, { at, reading }: Sample): Slot | undefined {
  if (reading.kind !== 'value' || !(reading.samples > 0) || !Number.isFinite(reading.value)) return undefined;
  const requests = Math.round(reading.samples);
  const beyond = shareBeyond(rule.metric);
  // Stable's own percentile is the limit of a comparison of times: by definition this share of its requests is above.
  const ofStable = rule.kind === 'comparison' && arm === 'stable' ? beyond : undefined;
  const share = beyond === undefined ? reading.value : (reading.slower ?? ofStable);
  if (share === undefined) return undefined;
  return { at, requests, bad: Math.min(requests, Math.max(0, Math.round(share * requests * 1e6) / 1e6)) };
}
