import { type Color, type TrafficSplit, COLORS, otherColor } from '../traffic-split.ts';

/** `none`: every weight is 0, so the router sends nobody anywhere. */
export type Live = TrafficSplit | 'none';

/** Targets of one color as the load balancer sees them. */
export interface TargetHealth {
  readonly healthy: number;
  readonly total: number;
  /** Where it is not tasks that are counted but what leads to them (a load balancer behind another one, a health check, a URL). */
  readonly counts?: 'end-points';
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

/**
 * The color that the tags of the services call the live one, as teams did before blue and green: one of them carries it.
 * undefined: none does, or they contradict each other.
 */
export function taggedColor(tags: readonly Readonly<Record<string, string>>[], name: string): Color | undefined {
  const said = new Set(tags.flatMap((each) => (each[name] === undefined ? [] : [each[name].toLowerCase()])));
  return said.size === 1 ? COLORS.find((color) => said.has(color)) : undefined;
}

/** The live color for a tag, written as the text that stood there: `Blue` becomes `Green`. */
export const liveTagged = (live: Color, before: string): string =>
  /^[A-Z]{2}/.test(before)
    ? live.toUpperCase()
    : /^[A-Z]/.test(before)
      ? live.replace(/^./, (first) => first.toUpperCase())
      : live;
