/**
 * PURE. Names one of the entries at each call, as often as its weight says, and evenly spread (smooth weighted round-robin,
 * as load balancers do it). Not by chance: the mix is the same in every run, and no scenario is short of answers by bad luck.
 */
export function weightedTurns<T extends { readonly weight: number }>(entries: readonly T[]): () => T | undefined {
  const [only, ...more] = entries;
  if (more.length === 0) return () => only;
  const all = entries.reduce((sum, { weight }) => sum + weight, 0);
  const credits = entries.map(() => 0);
  return () => {
    let best = 0;
    entries.forEach(({ weight }, index) => {
      credits[index] = (credits[index] ?? 0) + weight;
      if ((credits[index] ?? 0) > (credits[best] ?? 0)) best = index;
    });
    credits[best] = (credits[best] ?? 0) - all;
    return entries[best];
  };
}
