import { type Duration, type Instant, milliseconds } from '../duration.ts';
import type { ThresholdRule } from '../policy/rule.ts';
import { lowerBound } from './binomial.ts';
import type { Point } from './point.ts';

/** Beyond this the excess is certain: the fast end of a hold wants the rate above twice the limit with 99.9 % confidence. */
const FAST_FAIL = { confidence: 0.999, factor: 2 };

/** Where a `for` stands. `none`: the last decided point did not fail. */
export type Hold =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly since: Instant; readonly held: Duration; readonly last: Point }
  /** More than half of the time that it should hold went by without a decided point. */
  | { readonly kind: 'uncertain'; readonly since: Instant; readonly undecided: Duration }
  | { readonly kind: 'failed'; readonly at: Instant; readonly point: Point; readonly bound: number | undefined };

/**
 * Replays the points of one threshold. A hold opens at the first failing point and fails when the slots of the failing
 * points after it cover `hold`. One decided point that does not fail closes it; a point without a decision neither
 * extends nor closes it. Steps do not appear here: a change of weight does not touch a hold.
 */
export function replayHold(rule: ThresholdRule, points: readonly Point[]): Hold {
  let open: { since: Instant; held: number; undecided: number; last: Point } | undefined;
  for (const point of points) {
    switch (point.outcome) {
      case 'success':
        open = undefined;
        break;
      case 'failure': {
        const held = open === undefined ? 0 : open.held + point.slot;
        open = { since: open?.since ?? point.at, held, undecided: open?.undecided ?? 0, last: point };
        const bound = certainExcess(rule, point);
        if (held >= rule.hold || bound !== undefined)
          return { kind: 'failed', at: point.at, point, bound: held >= rule.hold ? undefined : bound };
        break;
      }
      case 'no-data':
      case 'error':
        if (open !== undefined) open.undecided += point.slot;
        break;
    }
  }
  if (open === undefined) return { kind: 'none' };
  if (open.undecided > rule.hold / 2)
    return { kind: 'uncertain', since: open.since, undecided: milliseconds(open.undecided) };
  return { kind: 'open', since: open.since, held: milliseconds(open.held), last: open.last };
}

/** The exact lower bound of the rate, when it is beyond doubt that the limit is passed by far. */
function certainExcess(rule: ThresholdRule, point: Point): number | undefined {
  if (rule.fastFail === 'off' || rule.hold === 0 || point.value === undefined) return undefined;
  const n = Math.round(point.samples);
  const bound = lowerBound({ n, k: Math.min(n, Math.round(point.value * n)), confidence: FAST_FAIL.confidence });
  return bound > FAST_FAIL.factor * rule.limit.value ? bound : undefined;
}
