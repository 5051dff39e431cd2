import { type Duration, milliseconds, parseDuration } from '../duration.ts';
import { nearestOf } from '../inputs.ts';
import { unreachable } from '../unreachable.ts';
import { type MetricKind, BUILT_IN_METRICS, kindOf } from './metric.ts';

export type Level = 'fail' | 'warn';
export const LEVELS = ['fail', 'warn'] as const satisfies readonly Level[];

export const COMPARATORS = ['>', '>=', '<', '<='] as const;
export type Comparator = (typeof COMPARATORS)[number];

/** Whether a measured value is on the wrong side of its limit. */
export function isBeyond(value: number, comparator: Comparator, limit: number): boolean {
  switch (comparator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    default:
      return unreachable(comparator);
  }
}

export type Unit = '%' | 'ms' | 's' | '/s' | '';

/** A number in the unit of measurements (fraction, milliseconds, per second, plain), and the unit the user wrote. */
export interface Limit {
  readonly value: number;
  readonly unit: Unit;
}

interface RuleBase {
  /** As the user wrote it, in one spelling: `error-rate > 5% for 2m`. */
  readonly text: string;
  readonly level: Level;
  readonly metric: string;
}

/** The metric is beyond the limit at every decided point for `hold` (0: one point is enough). */
export interface ThresholdRule extends RuleBase {
  readonly kind: 'threshold';
  readonly comparator: Comparator;
  readonly limit: Limit;
  readonly hold: Duration;
  /** Time that one measurement looks back; stretched when it holds fewer than `minSamples` requests. */
  readonly window: Duration;
  readonly minSamples: number;
  /** Whether an excess beyond doubt ends the hold early. */
  readonly fastFail: 'on' | 'off';
}

/** A check fails `times` in a row: the `times`-th failure in a row is the one that counts. */
export interface StreakRule extends RuleBase {
  readonly kind: 'streak';
  readonly times: number;
}

/** How far from stable: percentage points and shares are fractions, times are milliseconds. `stable - 2pp` is negative. */
export interface Margin {
  readonly plus: number;
  readonly of: 'points' | 'share' | 'milliseconds';
  /** As written: `stable + 0.1pp`. */
  readonly text: string;
}

/**
 * The candidate against stable over the same time, by a test that may look as often as it likes: it fails when the
 * candidate is beyond the margin for certain, passes when it is within it for certain, and says else how sure it is.
 */
export interface ComparisonRule extends RuleBase {
  readonly kind: 'comparison';
  readonly comparator: Comparator;
  readonly margin: Margin;
  /** Chance of failing a candidate that is no worse than the margin, over the whole rollout. */
  readonly alpha: number;
  /** Bad requests of the candidate that a failure needs. */
  readonly minEvents: number;
  /** As long as the candidate may be so much worse than stable, nothing is promoted. A fraction. */
  readonly maxUncertainty: number;
}

export type Rule = ThresholdRule | StreakRule | ComparisonRule;

/** What the grammar can say, before it is known whether this version can judge it and with which window. */
export type Sentence =
  | {
      readonly kind: 'threshold';
      readonly metric: string;
      readonly comparator: Comparator;
      readonly limit: Limit;
      readonly hold: Duration;
    }
  | {
      readonly kind: 'against-stable';
      readonly metric: string;
      readonly comparator: Comparator;
      readonly margin: Margin;
      readonly hold: Duration;
    }
  | { readonly kind: 'streak'; readonly metric: string; readonly times: number };

export type SentenceResult =
  | { readonly ok: true; readonly sentence: Sentence; readonly text: string }
  | { readonly ok: false; readonly problem: string; readonly accepted: string; readonly nearest?: string };

export const RULE_GRAMMAR =
  'METRIC >|>=|<|<= LIMIT [for DURATION], METRIC > stable + MARGIN, or METRIC fails N in a row';

const STREAK = /^(\S+) fails (\S+) in a row$/;
const AGAINST_STABLE = /^stable ?([+-]) ?(\d+(?:\.\d+)?) ?(pp|%|ms)$/;
const LIMIT = /^(-?\d+(?:\.\d+)?) ?(%|ms|s|\/s)?$/;
const COMPARISON = /^([^\s<>=]+) ?(>=|<=|>|<|==|=|!=) ?(.+?)(?: for (\S+))?$/;

const UNITS: Readonly<Record<MetricKind, readonly Unit[]>> = {
  checks: ['%'],
  rate: ['%'],
  time: ['ms', 's'],
  throughput: ['/s'],
  own: ['%', 'ms', 's', '/s', ''],
};
const toMeasured = (written: number, unit: Unit): number =>
  unit === '%' ? written / 100 : unit === 's' ? written * 1_000 : written;

/** Reads one rule. `metrics` are the names that exist; an unknown one is refused with the nearest. */
export function readSentence(given: string, metrics: readonly string[]): SentenceResult {
  const text = given.trim().replaceAll(/\s+/g, ' ');
  const streak = STREAK.exec(text);
  if (streak) return readStreak(text, { metric: streak[1] ?? '', times: streak[2] ?? '' }, metrics);
  const parts = COMPARISON.exec(text);
  if (!parts) return { ok: false, problem: 'is not a rule', accepted: RULE_GRAMMAR };
  const [, metric = '', comparator = '', right = '', hold] = parts;
  const unknown = refuseMetric(metric, metrics);
  if (unknown) return unknown;
  const known = COMPARATORS.find((each) => each === comparator);
  if (known === undefined)
    return { ok: false, problem: `has the comparator ${comparator}`, accepted: COMPARATORS.join(', ') };
  const held = hold === undefined ? milliseconds(0) : parseDuration(hold);
  if (held === undefined)
    return {
      ok: false,
      problem: `holds for "${hold}", which is not a duration`,
      accepted: 'a number with a unit: 90s, 5m, 1h30m',
    };
  const margin = AGAINST_STABLE.exec(right);
  if (margin) {
    return {
      ok: true,
      text,
      sentence: { kind: 'against-stable', metric, comparator: known, margin: marginOf(right, margin), hold: held },
    };
  }
  return readLimit({ text, metric, comparator: known, right, hold: held });
}

function marginOf(text: string, [, sign = '+', size = '0', unit]: RegExpExecArray): Margin {
  const number = Number(`${sign}${size}`);
  if (unit === 'ms') return { plus: number, of: 'milliseconds', text };
  return { plus: number / 100, of: unit === 'pp' ? 'points' : 'share', text };
}

function readStreak(
  text: string,
  given: { readonly metric: string; readonly times: string },
  metrics: readonly string[],
): SentenceResult {
  const unknown = refuseMetric(given.metric, metrics);
  if (unknown) return unknown;
  const kind = kindOf(given.metric);
  if (kind !== 'checks' && kind !== 'own') {
    return {
      ok: false,
      problem: `says that ${given.metric} fails, but only checks fail`,
      accepted: `health fails N in a row, or ${given.metric} > LIMIT for DURATION`,
    };
  }
  const times = /^\d+$/.test(given.times) ? Number(given.times) : Number.NaN;
  if (!(times >= 1 && times <= 100))
    return { ok: false, problem: `counts "${given.times}" failures`, accepted: 'a whole number from 1 to 100' };
  return { ok: true, text, sentence: { kind: 'streak', metric: given.metric, times } };
}

function refuseMetric(metric: string, metrics: readonly string[]): SentenceResult | undefined {
  if (metrics.includes(metric)) return undefined;
  const nearest = nearestOf(metric, metrics);
  const accepted = `${BUILT_IN_METRICS.join(', ')}, or a name listed under metrics`;
  return {
    ok: false,
    problem: `names the metric ${metric}, which is not defined`,
    accepted,
    ...(nearest ? { nearest } : {}),
  };
}

interface Comparison {
  readonly text: string;
  readonly metric: string;
  readonly comparator: Comparator;
  readonly right: string;
  readonly hold: Duration;
}

function readLimit({ text, metric, comparator, right, hold }: Comparison): SentenceResult {
  const limit = LIMIT.exec(right);
  const units = UNITS[kindOf(metric)];
  const examples = units.map((unit) => (unit === '' ? '5' : `5${unit}`)).join(', ');
  if (!limit)
    return {
      ok: false,
      problem: `has the limit "${right}"`,
      accepted: `a number with its unit (${examples}), or stable + N`,
    };
  const unit = (limit[2] ?? '') as Unit;
  if (!units.includes(unit)) {
    const what = unit === '' ? 'has a limit without a unit' : `has a limit in ${unit}`;
    return {
      ok: false,
      problem: `${what}, but ${metric} is measured in ${units[0] === '' ? 'plain numbers' : (units[0] ?? '')}`,
      accepted: examples,
    };
  }
  const value = toMeasured(Number(limit[1]), unit);
  return { ok: true, text, sentence: { kind: 'threshold', metric, comparator, limit: { value, unit }, hold } };
}
