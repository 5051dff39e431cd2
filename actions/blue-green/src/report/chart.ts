import type { Policy } from '../../../../src/domain/policy/policy.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { type Story, valuesOf } from './story.ts';

/** A chart with more points than this cannot be read. */
const MOST_POINTS = 40;

/** Share of the traffic and error rate of the candidate over time, both in percent, as Mermaid's xychart. */
export function chartOf(policy: Policy, story: Story, record: ShiftRecord | undefined): string | undefined {
  const begin = record?.trafficAt;
  const grid = [...new Set(story.samples.map(({ at }) => at))];
  const last = grid.at(-1);
  if (begin === undefined || last === undefined || grid.length < 2) return undefined;
  const rates = valuesOf(policy, story, 'error-rate');
  const every = Math.ceil(grid.length / MOST_POINTS);
  const points = grid.filter((_, index) => index % every === 0);
  const shares = points.map((at) => story.events.filter((event) => event.at <= at).at(-1)?.percent ?? 0);
  const errors = points.map((at) =>
    Number(((rates.filter((rate) => rate.at <= at).at(-1)?.value ?? 0) * 100).toFixed(2)),
  );
  return [
    'xychart-beta',
    `  title "Traffic and errors of ${record?.candidate ?? 'the candidate'} in percent"`,
    `  x-axis "seconds since its first traffic" 0 --> ${Math.max(1, Math.round((last - begin) / 1_000))}`,
    '  y-axis "percent" 0 --> 100',
    `  line [${shares.join(', ')}]`,
    ...(rates.length === 0 ? [] : [`  line [${errors.join(', ')}]`]),
  ].join('\n');
}
