import type { Duration } from '../duration.ts';
import { milliseconds } from '../duration.ts';
import type { Phase } from './load.ts';

const SECOND = 1_000;

/** Arrivals of a phase by its end: the area under its rate. */
const areaOf = ({ duration, from, to }: Phase): number => ((from + to) / 2) * (duration / SECOND);

export const lengthOf = (phases: readonly Phase[]): Duration =>
  milliseconds(phases.reduce((sum, { duration }) => sum + duration, 0));

/** How many arrive in all phases. The part of an arrival that is left at the end of a phase goes on into the next. */
export const arrivalsIn = (phases: readonly Phase[]): number =>
  Math.floor(phases.reduce((sum, phase) => sum + areaOf(phase), 0) + 1e-9);

/**
 * The moments of all arrivals, in milliseconds from the start, evenly spaced under the rate. The k-th is where the area
 * under the rate reaches k, counted from 0: the first one is at once.
 */
export function* arrivalTimes(phases: readonly Phase[]): Generator<number, void, void> {
  const all = arrivalsIn(phases);
  let before = 0;
  let start = 0;
  let index = 0;
  for (const phase of phases) {
    const area = areaOf(phase);
    for (; index < all && index < before + area - 1e-9; index++) yield start + momentOf(index - before, phase);
    before += area;
    start += phase.duration;
  }
}

/** Where the area under a rate that changes evenly reaches `area`: the positive root of from*t + slope*t^2/2 = area. */
function momentOf(area: number, { duration, from, to }: Phase): number {
  const slope = (to - from) / (duration / SECOND);
  if (Math.abs(slope) < 1e-12) return (area / from) * SECOND;
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * area));
  // The form without the difference of two nearly equal numbers.
  return ((2 * area) / (from + root)) * SECOND;
}
