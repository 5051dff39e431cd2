import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judge } from '../../../src/domain/analysis/judge.ts';
import { type Reading, type Sample, allSeries } from '../../../src/domain/analysis/sample.ts';
import { type Instant, instant, milliseconds, seconds } from '../../../src/domain/duration.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { measureAll, measureGrid } from '../../../src/engine/shift/measure.ts';
import type { Measurement, MetricProvider, Window } from '../../../src/ports/metric-provider.ts';
import { policyOf } from '../policy/policies.ts';
import { candidateSeries } from './series.ts';

const BEGIN = instant(Date.UTC(2026, 10, 20, 12));
const INTERVAL = seconds(15);
const LIMITS = policyOf(['error-rate > 5% for 2m', 'p95 > 2000ms for 5m']);
const ALL = policyOf(['error-rate > 5% for 2m', 'error-rate > stable + 0.1pp', 'health fails 4 in a row']);
const at = (index: number): Instant => instant(BEGIN + (index + 1) * INTERVAL);

/** Alone of the candidate: every series of a metric reads the same. */
const samplesOf = (policy: Policy, readings: readonly Reading[]): readonly Sample[] =>
  readings.flatMap((reading, index) =>
    candidateSeries(policy).map(({ key, window }) => ({ series: key, at: at(index), window, reading })),
  );
const verdictOf = (policy: Policy, readings: readonly Reading[], since = BEGIN) =>
  judge(policy, { samples: samplesOf(policy, readings), begin: BEGIN, since }).verdict;

const counted = fc.record({ bad: fc.nat(60), samples: fc.integer({ min: 60, max: 400 }) });
const reading = ({ bad, samples }: { bad: number; samples: number }): Reading => ({
  kind: 'value',
  value: bad / samples,
  samples,
});

test('more errors never save a release', () => {
  fc.assert(
    fc.property(
      fc.array(counted, { maxLength: 30 }),
      fc.array(fc.nat(60), { minLength: 30, maxLength: 30 }),
      (points, more) => {
        const worse = points.map(({ bad, samples }, index) => ({
          bad: Math.min(samples, bad + (more[index] ?? 0)),
          samples,
        }));
        const [before, after] = [points, worse].map((each) => verdictOf(LIMITS, each.map(reading)).kind);
        expect([before === 'failed', after]).not.toEqual([true, expect.not.stringMatching('failed')]);
      },
    ),
  );
});

test('a failure is never taken back by what comes later', () => {
  fc.assert(
    fc.property(fc.array(counted, { maxLength: 20 }), fc.array(counted, { maxLength: 20 }), (first, then) => {
      fc.pre(verdictOf(LIMITS, first.map(reading)).kind === 'failed');
      expect(verdictOf(LIMITS, [...first, ...then].map(reading)).kind).toBe('failed');
    }),
  );
});

test('nothing is promoted while a hold is open, in whatever step it opened', () => {
  fc.assert(
    fc.property(fc.array(counted, { minLength: 1, maxLength: 30 }), fc.nat(30), (points, step) => {
      const last = points.at(-1);
      fc.pre(last !== undefined && last.bad / last.samples > 0.05);
      const { kind } = verdictOf(LIMITS, points.map(reading), at(step));
      expect(['pending', 'failed']).toContain(kind);
    }),
  );
});

test('zero samples never pass', () => {
  const nothing = fc.constantFrom<Reading>(
    { kind: 'no-data' },
    { kind: 'not-yet' },
    { kind: 'error', message: 'refused' },
    { kind: 'value', value: 0, samples: 0 },
    { kind: 'value', value: Number.NaN, samples: 50 },
    { kind: 'value', value: Infinity, samples: 50 },
  );
  fc.assert(
    fc.property(fc.array(nothing, { maxLength: 40 }), fc.constantFrom(LIMITS, ALL), (readings, policy) => {
      expect(verdictOf(policy, readings).kind).not.toBe('passing');
    }),
  );
});

describe('a run that was killed and resumed', () => {
  /** A truth that every look finds again: so many requests and errors in each second of each color. */
  const truth = (seconds: readonly { readonly bad: number; readonly samples: number }[]): MetricProvider => ({
    name: 'truth',
    memory: 'kept',
    async measure({ arm, metric }, { from, to }: Window): Promise<Measurement> {
      const spans = seconds.filter((_, index) => BEGIN + index * 5_000 >= from && BEGIN + index * 5_000 < to);
      const [bad, samples] = spans.reduce(
        ([b, n], each) => [b + (arm === 'stable' ? 0 : each.bad), n + each.samples],
        [0, 0],
      );
      if (samples === 0) return { kind: 'no-data' };
      return { kind: 'value', value: metric === 'health' ? 1 : bad / samples, samples };
    },
  });
  const signal = new AbortController().signal;

  test('judges as one that was never interrupted', async () => {
    const second = fc.record({ bad: fc.nat(3), samples: fc.integer({ min: 0, max: 60 }) });
    const run = fc.asyncProperty(
      fc.array(second, { minLength: 24, maxLength: 60 }),
      fc.nat(6),
      async (spans, killed) => {
        const provider = truth(spans);
        const providers = { 'error-rate': provider, health: provider };
        const points = Math.floor(spans.length / 3) - 1;
        const whole: Sample[] = [];
        for (let index = 0; index <= points; index++)
          whole.push(...(await measureAll(allSeries(ALL), { providers, at: at(index), begin: BEGIN }, signal)));
        const from = Math.min(points, killed);
        const look = { providers, begin: BEGIN, interval: milliseconds(INTERVAL) };
        const resumed = [...(await measureGrid(allSeries(ALL), { ...look, at: at(from), measured: [] }, signal))];
        for (let index = from + 1; index <= points; index++)
          resumed.push(...(await measureGrid(allSeries(ALL), { ...look, at: at(index), measured: resumed }, signal)));
        const judged = [whole, resumed].map((samples) => judge(ALL, { samples, begin: BEGIN, since: BEGIN }));
        expect(judged[1]).toEqual(judged[0]);
      },
    );
    await fc.assert(run, { numRuns: 30 });
  });
});
