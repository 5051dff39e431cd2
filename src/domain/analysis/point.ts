import { type Duration, type Instant, milliseconds } from '../duration.ts';
import type { Comparator, Rule } from '../policy/rule.ts';
import { unreachable } from '../unreachable.ts';
import { type Reading, type Sample, seriesOf } from './sample.ts';

/**
 * What one reading means for one rule. `no-data` (nothing there, or too few requests to say) and `error` (the source did
 * not answer) are never a success and never a failure.
 */
export type Outcome = 'success' | 'failure' | 'no-data' | 'error';

export interface Point {
  readonly at: Instant;
  readonly outcome: Outcome;
  /** Time this point stands for: since the point before, at most the window that it looked back. */
  readonly slot: Duration;
  /** Requests seen; 0 for `error` and where there was nothing. */
  readonly samples: number;
  readonly value: number | undefined;
  readonly error: string | undefined;
}

export const isDecided = (point: Point): boolean => point.outcome === 'success' || point.outcome === 'failure';

/** The points of one rule in the order of time. `begin` is when the candidate got traffic: nothing was to be seen before. */
export function pointsOf(
  rule: Rule,
  timeline: { readonly samples: readonly Sample[]; readonly begin: Instant; readonly interval: Duration },
): readonly Point[] {
  const { key } = seriesOf(rule, timeline.interval);
  let previous = timeline.begin;
  return timeline.samples
    .filter((sample) => sample.series === key)
    .map((sample) => {
      const slot = milliseconds(
        Math.max(0, Math.min(sample.at - previous, Math.max(sample.window, timeline.interval))),
      );
      previous = sample.at;
      return { at: sample.at, slot, ...judged(rule, sample.reading) };
    });
}

function judged(rule: Rule, reading: Reading): Omit<Point, 'at' | 'slot'> {
  switch (reading.kind) {
    case 'error':
      return { outcome: 'error', samples: 0, value: undefined, error: reading.message };
    case 'no-data':
      return { outcome: 'no-data', samples: 0, value: undefined, error: undefined };
    case 'value': {
      const { value } = reading;
      const samples = Number.isFinite(value) ? reading.samples : 0;
      // A value that is no number satisfies no condition: it must neither fail a release nor let it pass.
      if (!(samples > 0)) return { outcome: 'no-data', samples: 0, value: undefined, error: undefined };
      if (rule.kind === 'threshold' && samples < rule.minSamples)
        return { outcome: 'no-data', samples, value, error: undefined };
      return { outcome: isBeyond(rule, value) ? 'failure' : 'success', samples, value, error: undefined };
    }
    default:
      return unreachable(reading);
  }
}

/** Checks fail unless all of them were good. */
const isBeyond = (rule: Rule, value: number): boolean =>
  rule.kind === 'streak' ? value < 1 : compares(value, rule.comparator, rule.limit.value);

function compares(value: number, comparator: Comparator, limit: number): boolean {
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
