import { describe, expect, test } from '@jest/globals';
import type { MetricQuery } from '../../../src/ports/metric-provider.ts';
import { openStage } from './stage.ts';

describe('a source of the rules', () => {
  const refused = { kind: 'unreachable', cause: new Error('connection refused') } as const;

  test('that was never there is found before anybody is sent to the candidate', async () => {
    const stage = openStage();
    stage.answers = () => refused;
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { trafficAt: undefined, percent: 0 } });
    expect(stage.journal.current()?.reason).toContain(
      'nothing could be judged: health: the source does not answer (connection refused); error-rate: ',
    );
    expect(stage.router.writes).toEqual(['apply blue 100 / green 0']);
  });

  test('that does not answer once or twice is there', async () => {
    const stage = openStage();
    const { answers } = stage;
    let asked = 0;
    stage.answers = (query) => (++asked <= 2 ? refused : answers(query));
    expect((await stage.run()).outcome.kind).toBe('promoted');
  });

  test('that knows a color only when it has traffic is there, as it answers for the other one', async () => {
    const stage = openStage();
    const { measure } = stage.metric;
    const knows = ({ arm }: MetricQuery): boolean => arm === 'stable' || stage.router.weights.green > 0;
    stage.metric.measure = async (query, window, signal) => {
      if (!knows(query)) return refused;
      const isThere = query.arm === 'stable' && stage.router.weights.green === 0;
      return isThere ? { kind: 'value', value: 1, samples: 1 } : measure(query, window, signal);
    };
    expect((await stage.run()).outcome.kind).toBe('promoted');
  });
});
