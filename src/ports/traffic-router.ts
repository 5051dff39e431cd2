import type { TrafficSplit } from '../domain/traffic-split.ts';

/** One place that decides which color a request goes to. One contract suite (test/contract) holds for every adapter. */
export interface TrafficRouter {
  /** As messages name it: `ALB rule web-443/10`. */
  readonly name: string;
  /** A Service selector can only flip. */
  readonly grain: 'percent' | 'all-or-nothing';
  /** ECS-native moves its own weights: we watch, continue, stop. */
  readonly driver: 'sluice' | 'platform';
  /** The live split, read from the cloud at each call. */
  observe(signal: AbortSignal): Promise<TrafficSplit>;
  /** Idempotent, safe to call again after a timeout; replaces exactly what it owns, keeps filters and foreign settings. */
  apply(split: TrafficSplit, signal: AbortSignal): Promise<void>;
  /** Whether `split` is what requests meet now. */
  confirm(split: TrafficSplit, signal: AbortSignal): Promise<'live' | 'propagating' | 'unverifiable'>;
}
