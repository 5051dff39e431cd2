import { createRequire } from 'node:module';

interface Result {
  readonly latency: { readonly p97_5: number; readonly p99: number };
}
const autocannon = createRequire(import.meta.url)('autocannon') as (options: object) => Promise<Result>;

/** autocannon has no p95: the percentile next to it. */
export async function autocannonFigures(
  url: string,
  overallRate: number,
  duration: number,
): Promise<{ readonly p97_5: number; readonly p99: number }> {
  const { latency } = await autocannon({ url, connections: 10, overallRate, duration });
  return { p97_5: latency.p97_5, p99: latency.p99 };
}
