import { type Instant, instant } from '../../../../src/domain/duration.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { type Story, valuesOf } from './story.ts';

/** A chart with more points than this cannot be read. */
const MOST_POINTS = 40;

/**
 * Share of the traffic and error rate of the candidate over time, both in percent, as Mermaid's xychart. Its lines have
 * points at even distances and no gaps, so the time is cut evenly, up to the last thing that happened: a way back is seen.
 */
export function chartOf(policy: Policy, story: Story, record: ShiftRecord | undefined): string | undefined {
  const begin = record?.trafficAt;
  const looks = [...new Set(story.samples.map(({ at }) => at))];
  if (begin === undefined || looks.length < 2) return undefined;
  const end = Math.max(...looks, ...story.events.map(({ at }) => at));
  const points = evenly(begin, end, Math.min(looks.length + 1, MOST_POINTS));
  const rates = valuesOf(policy, story, 'error-rate');
  const [first] = rates;
  const shares = points.map((at) => story.events.filter((event) => event.at <= at).at(-1)?.percent ?? 0);
  const errors = points.map((at) =>
    Number(((rates.filter((rate) => rate.at <= at).at(-1)?.value ?? 0) * 100).toFixed(2)),
  );
  const secondOf = (at: number): number => Math.max(0, Math.round((at - begin) / 1_000));
  const known = first === undefined ? '' : `, errors known from second ${secondOf(first.at)} on`;
  return [
    'xychart-beta',
    `  title "${first === undefined ? 'Traffic' : 'Traffic and errors'} of ${record?.candidate ?? 'the candidate'} in percent${known}"`,
    `  x-axis "seconds since its first traffic" 0 --> ${Math.max(1, secondOf(end))}`,
    '  y-axis "percent" 0 --> 100',
    `  line [${shares.join(', ')}]`,
    ...(first === undefined ? [] : [`  line [${errors.join(', ')}]`]),
  ].join('\n');
}

const evenly = (begin: Instant, end: number, count: number): readonly Instant[] =>
  Array.from({ length: count }, (_, index) => instant(begin + Math.round(((end - begin) * index) / (count - 1))));
