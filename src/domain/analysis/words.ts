import { type Duration, formatDuration } from '../duration.ts';
import { kindOf } from '../policy/metric.ts';
import type { Rule, ThresholdRule, Unit } from '../policy/rule.ts';
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

/** The unit in which values of a metric are shown, where no limit says it. */
export function unitOf(metric: string): Unit {
  const kind = kindOf(metric);
  return kind === 'rate' || kind === 'checks' ? '%' : kind === 'time' ? 'ms' : kind === 'throughput' ? '/s' : '';
}

/** `error-rate 31.2 % > 5 % for 2m (n=412)`: a measured value beside its limit. */
export function beyondLimit(
  rule: ThresholdRule,
  point: Point,
  how: { readonly held?: Duration; readonly bound?: number | undefined } = {},
): string {
  const value = point.value === undefined ? 'unknown' : formatMeasured(point.value, rule.limit.unit);
  const held = how.held === undefined ? '' : ` for ${formatDuration(how.held)}`;
  const bound =
    how.bound === undefined ? '' : `, at least ${formatMeasured(how.bound, rule.limit.unit)} with 99.9 % confidence`;
  return `${rule.metric} ${value} ${rule.comparator} ${formatMeasured(rule.limit.value, rule.limit.unit)}${held} (n=${point.samples})${bound}`;
}

/** The last value of a rule for a table: `0.4 % (limit 5 %, n=412)`. */
export function lastValue(rule: Rule, point: Point | undefined): string {
  if (point === undefined) return 'not measured';
  if (point.outcome === 'error') return `no answer: ${point.error ?? 'unknown'}`;
  if (point.value === undefined) return 'no data';
  if (rule.kind === 'streak') return point.value >= 1 ? 'good' : 'failed';
  const few = point.outcome === 'no-data' ? `, ${rule.minSamples} needed` : '';
  return `${formatMeasured(point.value, rule.limit.unit)} (n=${point.samples}${few})`;
}
