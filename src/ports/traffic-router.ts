import type { Duration, Instant } from '../domain/duration.ts';
import type { Color, TrafficSplit } from '../domain/traffic-split.ts';

/** What became of something that `restore` had to take away from users. `what` names it: `stickiness of 10m`. */
export type Tidied =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'done'; readonly what: string }
  /** Not yet: it would send users to the color that was left. Whoever tidies after `at` puts it back. */
  | { readonly kind: 'later'; readonly what: string; readonly at: Instant };

/** One place that decides which color a request goes to. One contract suite (test/contract) holds for every adapter. */
export interface TrafficRouter {
  /** As messages name it: `ALB rule web-443/10`. */
  readonly name: string;
  /** A Service selector can only flip. */
  readonly grain: 'percent' | 'all-or-nothing';
  /** ECS-native moves its own weights: we watch, continue, stop. */
  readonly driver: 'sluice' | 'platform';
  /** Whether requests follow a change at once, or as caches of DNS expire; then `confirm` tells when all of them do. */
  readonly spread: 'at-once' | 'with-time';
  /** The live split, read from the cloud at each call. Throws NoLiveColor when no color has any weight. */
  observe(signal: AbortSignal): Promise<TrafficSplit>;
  /**
   * Idempotent, safe to call again after a timeout; replaces exactly what it owns, keeps filters and foreign settings.
   * `guard` is asked after the last read and right before the write, which is made at most once; what it throws is thrown.
   */
  apply(split: TrafficSplit, signal: AbortSignal, guard?: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /**
   * The way back: everything to one color by exactly one write, without what would keep users on the other one
   * (stickiness). Makes no read, so that a signal handler can afford it: it starts from what `observe` or `apply` saw last.
   */
  restore(color: Color, signal: AbortSignal): Promise<void>;
  /**
   * Notes what `restore` took away, for whoever tidies, where `apply` had not noted it before. Right behind `restore`, by
   * everybody who has time for a second write. `guard` as for `apply`.
   */
  noteDropped(signal: AbortSignal, guard?: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /**
   * Whether `split` is what requests meet now, both colors being in place. `propagating` ends by itself, with time
   * (DNS: the change is everywhere and what was answered before has expired); a router that hears nothing of that says
   * `unverifiable`.
   */
  confirm(split: TrafficSplit, signal: AbortSignal): Promise<'live' | 'propagating' | 'unverifiable'>;
  /** How long requests may still come to a color whose weight became 0: stickiness of a rule, life of a DNS record. */
  lingers(signal: AbortSignal): Promise<Duration>;
  /**
   * Puts back what `restore` had to take away, once that sends nobody to the color that was left; idempotent, for the end
   * of a shift and for whoever looks after it later. `guard` as for `apply`.
   */
  tidy(signal: AbortSignal, guard?: (signal: AbortSignal) => Promise<void>): Promise<Tidied>;
}
