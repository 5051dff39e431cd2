import { type Color, type TrafficSplit, otherColor } from '../traffic-split.ts';

/** `none`: every weight is 0, so the router sends nobody anywhere. */
export type Live = TrafficSplit | 'none';

/** Targets of one color as the load balancer sees them. */
export interface TargetHealth {
  readonly healthy: number;
  readonly total: number;
  /** Which ones are healthy, where the source tells them apart. */
  readonly members?: readonly string[];
  /** Why the others are not healthy, each with its count: `2 initial (Elb.RegistrationInProgress)`. */
  readonly reasons: readonly string[];
}

export type StableColor =
  | { readonly kind: 'live'; readonly color: Color }
  /** The weights send users to nobody healthy, and one color could serve them. */
  | { readonly kind: 'misdirected'; readonly healthy: Color }
  /** Both colors have weight and no shift says which of them is stable. */
  | { readonly kind: 'split' }
  | { readonly kind: 'none-healthy' };

/** Which color serves, by the live weights alone: tags and names are opinions, weights are what users meet. */
export function stableColor(live: Live, targets: Readonly<Record<Color, TargetHealth>>): StableColor {
  const healthy = (color: Color): boolean => targets[color].healthy > 0;
  if (live === 'none') {
    if (healthy('blue') === healthy('green')) return healthy('blue') ? { kind: 'split' } : { kind: 'none-healthy' };
    return { kind: 'misdirected', healthy: healthy('blue') ? 'blue' : 'green' };
  }
  if (live.blue !== 100 && live.green !== 100) return { kind: 'split' };
  const color: Color = live.blue === 100 ? 'blue' : 'green';
  if (healthy(color)) return { kind: 'live', color };
  return healthy(otherColor(color)) ? { kind: 'misdirected', healthy: otherColor(color) } : { kind: 'none-healthy' };
}
