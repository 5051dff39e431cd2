import { describe, expect, test } from '@jest/globals';
import type { Measurement, MetricQuery } from '../../../src/ports/metric-provider.ts';
import { policyOf } from './rehearsal.ts';
import { POLICY, type Stage, openStage } from './stage.ts';

const COMPARED = policyOf({
  rules: ['error-rate > 5% for 2m', 'error-rate > stable + 0.1pp'],
  bake: '1m',
  recheck: { after: '15s', for: '30s' },
  metrics: { 'error-rate': { from: 'web', url: 'http://metrics.test/{color}', value: '$.rate', samples: '$.n' } },
});

async function run(requests: ((query: MetricQuery) => Measurement) | undefined, policy = POLICY): Promise<Stage> {
  const stage = openStage();
  const measure = async (query: MetricQuery): Promise<Measurement> => requests?.(query) ?? { kind: 'no-data' };
  if (requests !== undefined) stage.requests = { name: 'requests', memory: 'kept', measure };
  const { story } = await stage.run({ policy });
  stage.said = story;
  return stage;
}
const rate = (value: number): Measurement => ({ kind: 'value', value, samples: 1 });

describe('what is said of requests', () => {
  test('before the first traffic: what each step can see, and how long the margin takes', async () => {
    const { said, log } = await run(({ arm }) => rate(arm === 'stable' ? 50 : 5), COMPARED);
    expect(said?.power).toEqual([
      expect.stringMatching(
        /^error-rate > stable \+ 0\.1pp: at 50 requests\/s and .* errors, 10 % sees \+.* in 1m, 50 % sees .*; \+ ?0\.1pp takes about .* at 50 %$/,
      ),
    ]);
    expect(log.entries.map(({ line }) => line).join()).toContain('What this policy can see');
  });

  test('that it is not known, where no source tells the requests', async () => {
    expect((await run(undefined, COMPARED)).said?.power).toEqual([expect.stringContaining('is not known')]);
  });

  test('at the end of each step: how many each color got, and a color with weight that got none', async () => {
    const { said } = await run(({ arm }) => rate(arm === 'stable' ? 45 : 5));
    const lines = said?.events.map(({ says }) => says).filter((says) => says.startsWith('Requests at')) ?? [];
    expect(lines).toEqual([10, 50, 100].map((percent) => `Requests at weight ${percent}: green 5/s (10 %), blue 45/s`));
    const lost = await run(({ arm }) => (arm === 'stable' ? rate(45) : { kind: 'no-data' }));
    expect(lost.log.lines.join()).toContain('green gets no request although it has weight');
  });

  test('a source that does not answer stops nothing', async () => {
    const { journal } = await run(() => ({ kind: 'unreachable', cause: new Error('denied') }));
    expect(journal.current()?.phase).toBe('done');
  });
});
