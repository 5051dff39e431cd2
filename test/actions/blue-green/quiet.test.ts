import { describe, expect, test } from '@jest/globals';
import type { Release } from '../../../actions/blue-green/src/execute/acting.ts';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import type { Measurement, MetricQuery } from '../../../src/ports/metric-provider.ts';
import { type FakeRouter, fakeRouter } from '../../fakes/traffic-router.ts';
import { openStage } from './stage.ts';

type Answer = (query: MetricQuery) => Measurement;

/** Minutes that the drain lasted, of 20 at most. */
async function drainedIn(
  source: 'any moment' | 'whole minutes',
  answer: Answer,
  others: readonly FakeRouter[] = [],
  drainEarlyAfter: Release['drainEarlyAfter'] = minutes(0),
): Promise<number> {
  const stage = openStage();
  stage.others.push(...others);
  const measure = async (query: MetricQuery): Promise<Measurement> => answer(query);
  const periods = source === 'any moment' ? {} : { periods: { length: minutes(1), delay: seconds(30) } };
  stage.requests = { name: 'requests', memory: 'kept', ...periods, measure };
  const { outcome, story } = await stage.run({ drain: minutes(20) }, { drainEarlyAfter });
  expect(outcome.kind).toBe('promoted');
  const at = (words: RegExp): number => story.events.find(({ says }) => words.test(says))?.at ?? Number.NaN;
  return (at(/is the live color/) - at(/Draining/)) / minutes(1);
}

const rate = (value: number): Measurement => ({ kind: 'value', value, samples: 1 });
const NONE: Measurement = { kind: 'no-data' };

describe('a drain', () => {
  test.each([
    { name: 'two looks show no request', source: 'any moment', answer: (): Measurement => rate(0) },
    {
      name: 'two whole minutes of a load balancer have none, and have some of the other color',
      source: 'whole minutes',
      answer: ({ arm }: MetricQuery): Measurement => (arm === 'stable' ? NONE : rate(40)),
    },
  ] as const)('ends early when $name', async ({ source, answer }) => {
    const took = await drainedIn(source, answer);
    expect(took).toBeLessThan(6);
    expect(took).toBeGreaterThan(source === 'whole minutes' ? 2.5 : 0.2);
  });

  test.each([
    { name: 'the source has no data of either color', source: 'whole minutes', answer: (): Measurement => NONE },
    { name: 'a source of any moment has no data', source: 'any moment', answer: (): Measurement => NONE },
    { name: 'the old color is still asked', source: 'any moment', answer: (): Measurement => rate(2) },
    {
      name: 'the source does not answer',
      source: 'whole minutes',
      answer: (): Measurement => ({ kind: 'unreachable', cause: new Error('denied') }),
    },
  ] as const)('lasts its whole time when $name', async ({ source, answer }) => {
    expect(await drainedIn(source, answer)).toBeGreaterThanOrEqual(20);
  });

  test('lasts its whole time unless an early end is asked for: an open connection makes no request', async () => {
    expect(await drainedIn('any moment', () => rate(0), [], 'never')).toBeGreaterThanOrEqual(20);
  });

  test('does not end before clients that are kept on their color have all left it', async () => {
    const took = await drainedIn('any moment', () => rate(0), [], minutes(10));
    expect(took).toBeGreaterThanOrEqual(10);
    expect(took).toBeLessThan(12);
  });

  test('lasts its whole time with several routes: no request at the first says nothing of the others', async () => {
    expect(await drainedIn('any moment', () => rate(0), [fakeRouter()])).toBeGreaterThanOrEqual(20);
  });
});
