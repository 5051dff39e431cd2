import type { LoadResult } from './result.ts';
import type { Times } from './measured.ts';

const POINTS: readonly (readonly [string, keyof Times])[] = [
  ['p50', 'p50'],
  ['p75', 'p75'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p99.9', 'p999'],
  ['max', 'max'],
];

/** The latency curve as a Mermaid xychart: response time, service time, and that of the stable release where there is one. */
export function latencyChart({ name, all, stable }: LoadResult): string {
  const line = (times: Times): string =>
    `  line [${POINTS.map(([, key]) => Number(times[key].toPrecision(3))).join(', ')}]`;
  return [
    'xychart-beta',
    `  title "${name.replaceAll(/["\n\r]/g, "'")}: response and service time${stable ? ', and stable' : ''} (ms)"`,
    `  x-axis [${POINTS.map(([label]) => `"${label}"`).join(', ')}]`,
    '  y-axis "ms"',
    line(all.response),
    line(all.service),
    ...(stable ? [line(stable.all.response)] : []),
  ].join('\n');
}
