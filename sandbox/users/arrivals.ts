import type { Chance } from '../plane/chance.ts';

export type Arrivals = 'poisson' | 'uniform';

/** Milliseconds from one arrival to the next. Poisson is how independent users come; uniform makes every second alike. */
export function gapsBetween(arrivals: Arrivals, ratePerSecond: number, chance: Chance): () => number {
  const mean = 1_000 / ratePerSecond;
  return arrivals === 'uniform' ? () => mean : () => -Math.log(1 - chance()) * mean;
}
