/** P(X >= k) for X ~ Binomial(n, p), by summing the exact terms from k upward in logarithms. */
export function binomialTail({ n, k, p }: { readonly n: number; readonly k: number; readonly p: number }): number {
  if (k <= 0) return 1;
  if (k > n || p <= 0) return 0;
  if (p >= 1) return 1;
  let term = Math.exp(logChoose(n, k) + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let sum = term;
  const odds = p / (1 - p);
  for (let i = k; i < n; i++) {
    term *= ((n - i) / (i + 1)) * odds;
    sum += term;
    // Past the mode the terms only fall: what is left cannot change a double any more.
    if (i > n * p && term < sum * 1e-16) break;
  }
  return Math.min(1, sum);
}

/**
 * Exact lower confidence bound of a rate (Clopper and Pearson, Biometrika 26, 1934): the largest rate at which `k` or more
 * failures of `n` would still be rarer than `1 - confidence`. 0 when nothing failed.
 */
export function lowerBound({
  n,
  k,
  confidence,
}: {
  readonly n: number;
  readonly k: number;
  readonly confidence: number;
}): number {
  let low = 0;
  let high = k / n;
  if (!(high > 0)) return 0;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (binomialTail({ n, k, p: middle }) < 1 - confidence) low = middle;
    else high = middle;
  }
  return low;
}

/** The largest rate at which `k` or fewer failures of `n` would still be as likely as `1 - confidence`: lowerBound of the rest. */
export const upperBound = ({ n, k, confidence }: Parameters<typeof lowerBound>[0]): number =>
  n === 0 ? 1 : 1 - lowerBound({ n, k: n - k, confidence });

/** Requests without one event that are needed to say that its share is at most `share`: (1 - share)^n <= doubt. */
export const samplesWithout = ({ share, doubt }: { readonly share: number; readonly doubt: number }): number =>
  Math.ceil(Math.log(doubt) / Math.log(1 - share) - 1e-9);

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** ln Γ(x) for x >= 1 by Stirling's series, moved up to x >= 10 where it is exact to a double (Abramowitz and Stegun 6.1.41). */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
