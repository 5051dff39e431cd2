/** PURE. Picks one of the entries by chance, each as often as its weight says. `fraction` is in [0, 1). */
export function weightedPicker<T extends { readonly weight: number }>(
  entries: readonly T[],
): (fraction: () => number) => T | undefined {
  const [only, ...more] = entries;
  if (more.length === 0) return () => only;
  const ends: number[] = [];
  const all = entries.reduce((sum, { weight }) => {
    ends.push(sum + weight);
    return sum + weight;
  }, 0);
  return (fraction) => {
    const place = fraction() * all;
    return entries[ends.findIndex((end) => place < end)] ?? entries.at(-1);
  };
}
