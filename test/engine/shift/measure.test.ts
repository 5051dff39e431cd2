import { describe, expect, test } from '@jest/globals';
import { type Sample, type Series, allSeries } from '../../../src/domain/analysis/sample.ts';
import { type Instant, after, before, minutes, seconds } from '../../../src/domain/duration.ts';
import { measureAll, measureGrid } from '../../../src/engine/shift/measure.ts';
import type { Measurement, Window } from '../../../src/ports/metric-provider.ts';
import { fakeMetric } from '../../fakes/metric-provider.ts';
import { policyOf } from '../../domain/policy/policies.ts';
import { NOW } from '../../domain/shift/records.ts';

const signal = new AbortController().signal;
const RATE: Series = {
  key: 'error-rate/30000/20',
  metric: 'error-rate',
  arm: 'candidate',
  window: seconds(30),
  minSamples: 20,
};
const lengthOf = ({ from, to }: Window): number => (to - from) / 1_000;

/** So many requests a second, none of them bad. */
const steady = (rps: number) => fakeMetric((_, window) => counted(Math.floor(rps * lengthOf(window))));
const counted = (samples: number): Measurement =>
  samples === 0 ? { kind: 'no-data' } : { kind: 'value', value: 0, samples };

const measured = async (provider: ReturnType<typeof fakeMetric>, begin = before(NOW, minutes(60))) =>
  (await measureAll([RATE], { providers: { 'error-rate': provider }, at: NOW, begin }, signal))[0];

describe('a measurement', () => {
  test('asks once when its window holds enough requests', async () => {
    const provider = steady(10);
    expect(await measured(provider)).toEqual({
      series: RATE.key,
      at: NOW,
      window: 30_000,
      reading: { kind: 'value', value: 0, samples: 300 },
    });
    expect(provider.asked).toHaveLength(1);
    expect(provider.asked[0]).toMatchObject({
      query: { metric: 'error-rate', arm: 'candidate' },
      window: { from: before(NOW, seconds(30)), to: NOW },
    });
  });

  test('stretches its window until it holds enough', async () => {
    expect(await measured(steady(0.2))).toMatchObject({ window: 120_000, reading: { samples: 24 } });
  });

  test('stretches it sixteen times at most, and says how few there were', async () => {
    const provider = steady(0.035);
    expect(await measured(provider)).toMatchObject({ window: 480_000, reading: { kind: 'value', samples: 16 } });
    expect(provider.asked.map(({ window }) => lengthOf(window))).toEqual([30, 60, 120, 240, 480]);
  });

  test('never reaches back before the candidate had traffic', async () => {
    const provider = steady(0.2);
    await measured(provider, before(NOW, seconds(70)));
    expect(provider.asked.map(({ window }) => lengthOf(window))).toEqual([30, 60, 70]);
  });

  test('does not stretch an empty window: a candidate that fell silent is not covered by its past', async () => {
    const provider = fakeMetric((_, window) => counted(lengthOf(window) <= 30 ? 0 : 500));
    expect(await measured(provider)).toMatchObject({ reading: { kind: 'no-data' }, window: 30_000 });
    expect(provider.asked).toHaveLength(1);
  });

  test('keeps what it had when the source fails at a wider window', async () => {
    const provider = fakeMetric((_, window) =>
      lengthOf(window) > 30 ? { kind: 'unreachable', cause: new Error('reset') } : counted(6),
    );
    expect(await measured(provider)).toMatchObject({ reading: { kind: 'value', samples: 6 } });
  });

  test('turns whatever a source throws into a reading that says so', async () => {
    const provider = fakeMetric(() => {
      throw new Error('connection refused');
    });
    expect(await measured(provider)).toMatchObject({ reading: { kind: 'error', message: 'connection refused' } });
    const broken = { ...provider, measure: () => Promise.reject(new Error('bug')) };
    expect(await measured(broken)).toMatchObject({ reading: { kind: 'error', message: 'bug' } });
  });

  test('of a metric without a source is an error, not an absence', async () => {
    const [sample] = await measureAll([RATE], { providers: {}, at: NOW, begin: before(NOW, minutes(1)) }, signal);
    expect(sample).toMatchObject({ reading: { kind: 'error', message: 'no source for error-rate' } });
  });

  test('takes every series at the same grid point', async () => {
    const health: Series = {
      key: 'health/15000/1',
      metric: 'health',
      arm: 'candidate',
      window: seconds(15),
      minSamples: 1,
    };
    const providers = { 'error-rate': steady(10), health: fakeMetric(() => ({ kind: 'value', value: 1, samples: 1 })) };
    const samples = await measureAll([RATE, health], { providers, at: after(NOW, seconds(15)), begin: NOW }, signal);
    expect(samples.map(({ series, at }) => [series, at - NOW])).toEqual([
      ['error-rate/30000/20', 15_000],
      ['health/15000/1', 15_000],
    ]);
  });

  test('asks with how much stable has for the share of slow requests', async () => {
    const [stable, candidate] = allSeries(policyOf(['p95 > stable + 50ms']));
    const p95 = fakeMetric(({ arm, above }) =>
      arm === 'stable'
        ? { kind: 'value', value: 200, samples: 900 }
        : { kind: 'value', value: 260, samples: 100, ...(above === undefined ? {} : { slower: above / 1_000 }) },
    );
    const look = { providers: { p95 }, at: NOW, begin: before(NOW, minutes(1)) };
    const samples = await measureAll(
      [stable, candidate].flatMap((each) => each ?? []),
      look,
      signal,
    );
    expect(samples.at(-1)?.reading).toEqual({ kind: 'value', value: 260, samples: 100, slower: 0.25 });
  });
});

describe('a source that knows whole periods only', () => {
  const byMinute = (delay: number) => ({
    ...steady(10),
    periods: { length: minutes(1), delay: seconds(delay) },
  });
  const at = (length: number): Instant => after(NOW, seconds(length));

  test('is asked for the last whole ones, without the newest, which is still filling', async () => {
    const provider = byMinute(30);
    const look = { providers: { 'error-rate': provider }, at: at(100), begin: before(NOW, minutes(10)) };
    expect(await measureAll([RATE], look, signal)).toEqual([
      { series: RATE.key, at: at(100), to: at(60), window: 60_000, reading: { kind: 'value', value: 0, samples: 600 } },
    ]);
    expect(provider.asked[0]?.window).toEqual({ from: NOW, to: at(60) });
  });

  test('has nothing to say before its first period is over, which is no silence of the candidate', async () => {
    const provider = byMinute(30);
    const look = { providers: { 'error-rate': provider }, at: at(75), begin: at(60) };
    expect(await measureAll([RATE], look, signal)).toMatchObject([{ reading: { kind: 'not-yet' } }]);
    expect(provider.asked).toEqual([]);
  });
});

describe('a run that was resumed', () => {
  const forgetful = { ...steady(10), memory: 'none' as const };
  const points = async (provider: ReturnType<typeof fakeMetric>, measured: readonly Sample[] = []) => {
    const look = { providers: { 'error-rate': provider }, at: NOW, begin: before(NOW, minutes(1)), measured };
    const samples = await measureGrid([RATE], { ...look, interval: seconds(15) }, signal);
    return samples.map(({ at }) => (at - NOW) / 1_000);
  };

  test('measures what the dead one had measured, where the source remembers it', async () => {
    expect(await points(steady(10))).toEqual([-45, -30, -15, 0]);
    expect(await points(forgetful)).toEqual([0]);
  });

  test('asks for what is true now before it asks for the past', async () => {
    const provider = steady(10);
    await points(provider);
    expect(provider.asked.map(({ window }) => (window.to - NOW) / 1_000)).toEqual([0, -45, -30, -15]);
  });

  test('measures nothing twice', async () => {
    const earlier = {
      series: RATE.key,
      at: before(NOW, seconds(45)),
      window: seconds(30),
      reading: { kind: 'no-data' },
    };
    expect(await points(steady(10), [earlier as Sample])).toEqual([0]);
  });
});
