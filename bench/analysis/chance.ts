/** Seeded, so that every figure comes out the same again (mulberry32, by Tommy Ettinger, public domain). */
export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const normal = (chance: Chance): number =>
  Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());

/** Arrivals in a second of a Poisson process; above 60 its normal limit. */
export function poisson(mean: number, chance: Chance): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(chance)));
  let [count, product] = [0, chance()];
  for (const end = Math.exp(-mean); product > end; product *= chance()) count++;
  return count;
}

/** How many of `n` have it, by jumping from one to the next. */
export function binomial(n: number, share: number, chance: Chance): number {
  if (n <= 0 || share <= 0) return 0;
  if (share >= 1) return n;
  if (n * share > 60) {
    const spread = Math.sqrt(n * share * (1 - share));
    return Math.min(n, Math.max(0, Math.round(n * share + spread * normal(chance))));
  }
  const step = Math.log(1 - share);
  let count = 0;
  for (let at = Math.floor(Math.log(1 - chance()) / step); at < n; at += 1 + Math.floor(Math.log(1 - chance()) / step))
    count++;
  return count;
}

/** P(Z > z) (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
export function beyondNormal(z: number): number {
  if (z < 0) return 1 - beyondNormal(-z);
  const t = 1 / (1 + 0.231_641_9 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
