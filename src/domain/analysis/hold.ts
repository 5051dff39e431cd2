import { type Duration, type Instant, milliseconds } from '../duration.ts';
import { shareBeyond } from '../policy/metric.ts';
import type { ThresholdRule } from '../policy/rule.ts';
import { lowerBound } from './binomial.ts';
import type { Point, Slot } from './point.ts';

/** Beyond this the excess is certain: the fast end of a hold wants the rate above twice the limit with 99.9 % confidence. */
const FAST_FAIL = { confidence: 0.999, factor: 2, slots: 4 };

/** Where a `for` stands. `none`: the last decided point did not fail. */
export type Hold =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly since: Instant; readonly held: Duration; readonly last: Point }
  /** At the last point stable breaks the rule too. */
  | { readonly kind: 'shared'; readonly point: Point }
  /** More than half of the time that it should hold went by without a decided point. */
  | { readonly kind: 'uncertain'; readonly since: Instant; readonly undecided: Duration }
  | { readonly kind: 'failed'; readonly at: Instant; readonly point: Point; readonly excess: Excess | undefined };

/** Requests that left no doubt, and the exact lower bound of their rate. */
export interface Excess {
  readonly bound: number;
  readonly requests: number;
  readonly bad: number;
}

export interface Replayed {
  readonly points: readonly Point[];
  /** Empty where nothing can be counted. */
  readonly slots: readonly Slot[];
}

/**
 * Replays the points of one threshold. A hold opens at the first failing point and fails when the slots of the failing
 * points after it cover `hold`. One decided point that does not fail closes it; a point without a decision neither
 * extends nor closes it. Steps do not appear here: a change of weight does not touch a hold.
 */
export function replayHold(rule: ThresholdRule, { points, slots }: Replayed): Hold {
  let open: { since: Instant; held: number; undecided: number; last: Point } | undefined;
  for (const point of points) {
    const excess = certainExcess(rule, point, slots);
    if (excess !== undefined) return { kind: 'failed', at: point.at, point, excess };
    switch (point.outcome) {
      case 'success':
        open = undefined;
        break;
      case 'failure': {
        const held = open === undefined ? 0 : open.held + point.slot;
        open = { since: open?.since ?? point.at, held, undecided: open?.undecided ?? 0, last: point };
        if (held >= rule.hold) return { kind: 'failed', at: point.at, point, excess: undefined };
        break;
      }
      case 'inconclusive':
        break;
      case 'no-data':
      case 'error':
        if (open !== undefined) open.undecided += point.slot;
        break;
    }
  }
  const last = points.at(-1);
  if (last?.outcome === 'inconclusive') return { kind: 'shared', point: last };
  if (open === undefined) return { kind: 'none' };
  if (open.undecided > rule.hold / 2)
    return { kind: 'uncertain', since: open.since, undecided: milliseconds(open.undecided) };
  return { kind: 'open', since: open.since, held: milliseconds(open.held), last: open.last };
}

/**
 * What shows beyond doubt that the limit is passed by far: the window of the point, or the last one to four slots, which
 * see a fault that is younger than the window. Looking at five sums of one point, and again at the next point, is covered
 * by the factor: a rate at the limit itself lies far below twice the limit.
 */
function certainExcess(rule: ThresholdRule, point: Point, slots: readonly Slot[]): Excess | undefined {
  const limit = shareBeyond(rule.metric) ?? rule.limit.value;
  if (rule.fastFail === 'off' || rule.hold === 0) return undefined;
  if (point.outcome === 'inconclusive' || point.outcome === 'error') return undefined;
  const sums = [...ofWindow(rule, point), ...trailing(slots, point.at)];
  for (const { requests, bad } of sums) {
    if (bad <= FAST_FAIL.factor * limit * requests) continue;
    const bound = lowerBound({ n: requests, k: Math.floor(bad + 1e-6), confidence: FAST_FAIL.confidence });
    if (bound > FAST_FAIL.factor * limit) return { bound, requests, bad };
  }
  return undefined;
}

type Sum = Omit<Slot, 'at'>;

function ofWindow(rule: ThresholdRule, point: Point): readonly Sum[] {
  const share = shareBeyond(rule.metric) === undefined ? point.value : point.slower;
  if (point.outcome !== 'failure' || share === undefined) return [];
  const requests = Math.round(point.samples);
  return [{ requests, bad: Math.min(requests, Math.round(share * requests)) }];
}

/** Sums of the last slot, of the last two, and so on, up to this moment. */
function trailing(slots: readonly Slot[], at: Instant): readonly Sum[] {
  const until = slots.findLastIndex((slot) => slot.at <= at);
  const sums: Sum[] = [];
  for (let back = 0; back < FAST_FAIL.slots && until - back >= 0; back++) {
    const { requests, bad } = slots[until - back] ?? { requests: 0, bad: 0 };
    const before = sums.at(-1) ?? { requests: 0, bad: 0 };
    sums.push({ requests: before.requests + requests, bad: before.bad + bad });
  }
  // A slot of an earlier moment was looked at then.
  return slots[until]?.at === at ? sums : [];
}
