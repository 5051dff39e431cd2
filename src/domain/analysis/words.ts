import { type Duration, formatDuration } from '../duration.ts';
import { kindOf, shareBeyond } from '../policy/metric.ts';
import type { Rule, ThresholdRule, Unit } from '../policy/rule.ts';
import type { Excess } from './hold.ts';
import type { Point } from './point.ts';

/** `31.2 %`, `2140 ms`, `12.5/s`: a measured value with its unit. */
export function formatMeasured(value: number, unit: Unit): string {
  switch (unit) {
    case '%':
      return `${short(value * 100)} %`;
    case 'ms':
    case 's':
      return `${Math.round(value)} ms`;
    case '/s':
      return `${short(value)}/s`;
    case '':
      return short(value);
  }
}

/** At most two places, fewer for larger numbers: 0.43, 31.2, 2140. */
const short = (value: number): string =>
  String(Number(value.toFixed(Math.abs(value) < 1 ? 2 : Math.abs(value) < 1_000 ? 1 : 0)));

/** `+0.43 pp`: a difference of two rates. */
export const signedPoints = (difference: number): string =>
  `${difference < 0 ? '-' : '+'}${short(Math.abs(difference) * 100)} pp`;

/** The unit in which values of a metric are shown, where no limit says it. */
export function unitOf(metric: string): Unit {
  const kind = kindOf(metric);
  return kind === 'rate' || kind === 'checks' ? '%' : kind === 'time' ? 'ms' : kind === 'throughput' ? '/s' : '';
}

/** `error-rate 31.2 % > 5 % for 2m (n=412)`: a measured value beside its limit. */
export function beyondLimit(
  rule: ThresholdRule,
  point: Point,
  how: { readonly held?: Duration; readonly excess?: Excess | undefined } = {},
): string {
  const value = point.value === undefined ? 'unknown' : formatMeasured(point.value, rule.limit.unit);
  const held = how.held === undefined ? '' : ` for ${formatDuration(how.held)}`;
  const excess = how.excess === undefined ? '' : `, ${excessWords(rule, point, how.excess)}`;
  return `${rule.metric} ${value} ${rule.comparator} ${formatMeasured(rule.limit.value, rule.limit.unit)}${held} (n=${point.samples})${excess}`;
}

/** A fault younger than the window is seen in its last part; then that part is named. */
function excessWords(rule: ThresholdRule, point: Point, { bound, requests, bad }: Excess): string {
  const what = shareBeyond(rule.metric) === undefined ? '' : ` of the requests slower than that`;
  const part = requests === Math.round(point.samples) ? '' : `${Math.round(bad)} of the last ${requests}: `;
  return `${part}at least ${formatMeasured(bound, '%')}${what} with 99.9 % confidence`;
}

/** The last value of a rule for a table: `0.4 % (limit 5 %, n=412)`. */
export function lastValue(rule: Rule, point: Point | undefined): string {
  if (point === undefined) return 'not measured';
  if (point.outcome === 'error') return `no answer: ${point.error ?? 'unknown'}`;
  if (point.value === undefined) return 'no data';
  if (rule.kind === 'streak') return point.value >= 1 ? 'good' : 'failed';
  const few = rule.kind === 'threshold' && point.outcome === 'no-data' ? `, ${rule.minSamples} needed` : '';
  const unit = rule.kind === 'threshold' ? rule.limit.unit : unitOf(rule.metric);
  return `${formatMeasured(point.value, unit)} (n=${point.samples}${few})`;
}
