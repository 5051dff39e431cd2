import { Failure } from './failure.ts';

export type Color = 'blue' | 'green';
export const COLORS = ['blue', 'green'] as const satisfies readonly Color[];
export const otherColor = (color: Color): Color => (color === 'blue' ? 'green' : 'blue');

/** Percent of the requests that each color gets; the two always sum to 100. */
export type TrafficSplit = Readonly<Record<Color, number>>;

/** Gives `percent` (0..100) to one color and the rest to the other. */
export function splitGiving(color: Color, percent: number): TrafficSplit {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`a share of traffic is 0..100 percent, not ${percent}`);
  return color === 'blue' ? { blue: percent, green: 100 - percent } : { blue: 100 - percent, green: percent };
}

/** The router sends nobody anywhere; a split cannot say that, so it is thrown. */
export class NoLiveColor extends Failure {
  override readonly name: string = 'NoLiveColor';
  constructor() {
    super({ what: 'Both colors have weight 0', why: 'no color is live' });
  }
}

/** Percent shares of two raw weights (ALB 0..999, Route 53 0..255). Both zero has no meaning that is the same everywhere, so it is refused. */
export function splitOfWeights(weights: Readonly<Record<Color, number>>): TrafficSplit {
  const total = weights.blue + weights.green;
  if (!(total > 0)) throw new NoLiveColor();
  const blue = Math.round((weights.blue / total) * 10_000) / 100;
  return { blue, green: Math.round((100 - blue) * 100) / 100 };
}

export const sameSplit = (a: TrafficSplit, b: TrafficSplit): boolean => a.blue === b.blue && a.green === b.green;
export const formatSplit = (split: TrafficSplit): string => `blue ${split.blue} / green ${split.green}`;
