import type { Instant } from '../duration.ts';
import type { StreakRule } from '../policy/rule.ts';
import type { Point } from './point.ts';

export type Streak =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly count: number; readonly since: Instant }
  | { readonly kind: 'failed'; readonly at: Instant };

/** Counts failures in a row; the `times`-th one fails. A point without a decision neither counts nor ends the row. */
export function replayStreak(rule: StreakRule, points: readonly Point[]): Streak {
  let count = 0;
  let since: Instant | undefined;
  let looked: Instant | undefined;
  for (const point of points) {
    // A source with long periods gives the same one at several grid points: it is one check.
    if (point.to === looked) continue;
    looked = point.to;
    if (point.outcome === 'success') {
      count = 0;
      since = undefined;
    } else if (point.outcome === 'failure') {
      count += 1;
      since ??= point.at;
      if (count >= rule.times) return { kind: 'failed', at: point.at };
    }
  }
  return since === undefined ? { kind: 'none' } : { kind: 'open', count, since };
}
