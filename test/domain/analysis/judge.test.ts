import { describe, expect, test } from '@jest/globals';
import { type Judgement, judge } from '../../../src/domain/analysis/judge.ts';
import { type Reading, type Sample, allSeries } from '../../../src/domain/analysis/sample.ts';
import { instant, seconds } from '../../../src/domain/duration.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { policyOf } from '../policy/policies.ts';
import { candidateSeries } from './series.ts';

const BEGIN = instant(Date.UTC(2026, 10, 20, 12));
const INTERVAL = 15_000;

const value = (share: number, samples = 100): Reading => ({ kind: 'value', value: share, samples });
const NONE: Reading = { kind: 'no-data' };
const OUTAGE: Reading = { kind: 'error', message: 'connection refused' };

/** One reading for each grid point of 15 s, for every series of the policy. */
function samplesOf(policy: Policy, readings: readonly Reading[]): readonly Sample[] {
  return readings.flatMap((reading, index) =>
    candidateSeries(policy).map(({ key, window }) => ({
      series: key,
      at: instant(BEGIN + (index + 1) * INTERVAL),
      window,
      reading,
    })),
  );
}

const judged = (policy: Policy, readings: readonly Reading[], since = BEGIN): Judgement =>
  judge(policy, { samples: samplesOf(policy, readings), begin: BEGIN, since });

const times = (count: number, reading: Reading): readonly Reading[] => Array.from({ length: count }, () => reading);
const GOOD = value(0.001);
const BAD = value(0.08, 60);

describe('error-rate > 5% for 2m', () => {
  const policy = policyOf(['error-rate > 5% for 2m']);

  test.each([
    { name: 'passes while the rate is low', readings: times(20, GOOD), kind: 'passing' },
    { name: 'is pending from the first failing point', readings: [...times(4, GOOD), BAD], kind: 'pending' },
    { name: 'is pending until the hold is full', readings: times(8, BAD), kind: 'pending' },
    { name: 'fails when the failing points cover two minutes', readings: times(9, BAD), kind: 'failed' },
    { name: 'is reset by one point that does not fail', readings: [...times(8, BAD), GOOD, ...times(8, BAD)], kind: 'pending' },
    { name: 'is not extended by points without data', readings: [...times(5, BAD), ...times(3, NONE), ...times(3, BAD)], kind: 'pending' },
    { name: 'is not reset by points without data', readings: [...times(5, BAD), ...times(3, NONE), ...times(4, BAD)], kind: 'failed' },
    { name: 'is not extended by an outage of the source', readings: [...times(5, BAD), ...times(3, OUTAGE), ...times(3, BAD)], kind: 'pending' },
    { name: 'is not reset by an outage of the source', readings: [...times(5, BAD), ...times(3, OUTAGE), ...times(4, BAD)], kind: 'failed' },
    { name: 'is inconclusive when more than half of it went unmeasured', readings: [BAD, ...times(5, OUTAGE), value(0.08, 60), value(0.9, 3)], kind: 'inconclusive' },
    { name: 'does not call a limit reached exactly a failure', readings: times(20, value(0.05)), kind: 'passing' },
    { name: 'is inconclusive on fewer requests than 20', readings: times(20, value(0.5, 2)), kind: 'inconclusive' },
    { name: 'stays failed although the rate came down', readings: [...times(9, BAD), ...times(9, GOOD)], kind: 'failed' },
    { name: 'does not take a value that is no number', readings: times(4, value(Number.NaN)), kind: 'blind' },
    { name: 'is inconclusive when nothing was measured', readings: [], kind: 'inconclusive' },
  ] as const)('$name', ({ readings, kind }) => {
    expect(judged(policy, readings).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('says value, limit, hold and n', () => {
    expect(judged(policy, times(9, BAD)).verdict).toEqual({
      kind: 'failed',
      says: 'error-rate 8 % > 5 % for 2m (n=60)',
      at: BEGIN + 9 * INTERVAL,
    });
  });

  test('says how long it has held while it is pending', () => {
    expect(judged(policy, times(3, BAD)).verdict).toEqual({
      kind: 'pending',
      says: 'error-rate 8 % > 5 % for 30s (n=60), fails at 2m',
    });
  });

  test('fails early when the excess is beyond doubt, and says the bound', () => {
    expect(judged(policy, [GOOD, value(0.312, 412)]).verdict).toEqual({
      kind: 'failed',
      says: 'error-rate 31.2 % > 5 % (n=412), at least 24.5 % with 99.9 % confidence',
      at: BEGIN + 2 * INTERVAL,
    });
  });

  test.each([
    { name: 'twice the limit is not proven', reading: value(0.3, 20) },
    { name: 'the rate is above the limit, not above twice the limit', reading: value(0.09, 100_000) },
  ])('does not fail early when $name', ({ reading }) => {
    expect(judged(policy, [reading]).verdict.kind).toBe('pending');
  });

  test('waits for the hold when fast-fail is off', () => {
    const slow = policyOf([{ fail: 'error-rate > 5% for 2m', 'fast-fail': false }]);
    expect(judged(slow, [value(0.9, 1_000)]).verdict.kind).toBe('pending');
  });

  test('holds across the end of a step', () => {
    const readings = [...times(6, BAD), ...times(3, BAD)];
    const step = instant(BEGIN + 6 * INTERVAL);
    expect(judged(policy, readings, step).verdict.kind).toBe('failed');
  });

  test('wants a decided point of the step itself', () => {
    const step = instant(BEGIN + 10 * INTERVAL);
    expect(judged(policy, times(10, GOOD), step).verdict.kind).toBe('inconclusive');
    expect(judged(policy, times(11, GOOD), step).verdict.kind).toBe('passing');
  });

  test('does not count time that nobody looked at', () => {
    const [series] = allSeries(policy);
    const at = [15, 30, 300].map((offset) => ({ series: series?.key ?? '', at: instant(BEGIN + offset * 1_000), window: seconds(30), reading: BAD }));
    expect(judge(policy, { samples: at, begin: BEGIN, since: BEGIN }).verdict).toMatchObject({ kind: 'pending', says: expect.stringContaining('for 45s') });
  }); // prettier-ignore
});

describe('health fails 4 in a row', () => {
  const policy = policyOf(['health fails 4 in a row']);
  const [ok, broken] = [value(1, 1), value(0, 1)];

  test.each([
    { name: 'fails on the fourth', readings: times(4, broken), kind: 'failed' },
    { name: 'is pending on the third', readings: times(3, broken), kind: 'pending' },
    { name: 'is reset by a good one', readings: [...times(3, broken), ok, ...times(3, broken)], kind: 'pending' },
    { name: 'passes when the last one is good', readings: [...times(3, broken), ok], kind: 'passing' },
    { name: 'does not count an outage of the source', readings: [...times(3, broken), OUTAGE, OUTAGE], kind: 'pending' },
    { name: 'goes on counting after an outage', readings: [...times(3, broken), OUTAGE, broken], kind: 'failed' },
    { name: 'fails on a share of good checks below all', readings: times(4, value(0.9, 10)), kind: 'failed' },
  ] as const)('$name', ({ readings, kind }) => {
    expect(judged(policy, readings).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('counts a minute once that is given at four grid points', () => {
    const samples = samplesOf(policy, times(4, broken)).map((sample) => ({ ...sample, to: BEGIN }));
    expect(judge(policy, { samples, begin: BEGIN, since: BEGIN }).verdict).toMatchObject({ kind: 'pending', says: 'health failed 1 in a row, fails at 4' });
  }); // prettier-ignore

  test('says how many', () => {
    expect(judged(policy, times(4, broken)).verdict).toMatchObject({ says: 'health failed 4 in a row' });
  });
});

describe('p95 > 2000ms for 5m', () => {
  const policy = policyOf(['p95 > 2000ms for 5m']);
  test.each([
    { name: 'passes below the limit', readings: times(22, value(1_500, 400)), kind: 'passing' },
    { name: 'fails when it held for five minutes', readings: times(21, value(2_140, 3_120)), kind: 'failed' },
    { name: 'is pending before', readings: times(20, value(2_140, 3_120)), kind: 'pending' },
    { name: 'does not believe fewer than 200 requests', readings: times(22, value(9_000, 199)), kind: 'inconclusive' },
  ] as const)('$name', ({ readings, kind }) => {
    expect(judged(policy, readings).verdict.kind).toBe(kind);
  });

  test('says value, limit, hold and n', () => {
    const { verdict } = judged(policy, times(21, value(2_140, 3_120)));
    expect(verdict).toMatchObject({ says: 'p95 2140 ms > 2000 ms for 5m (n=3120)' });
  });
});

describe('no data', () => {
  const rules = ['error-rate > 5% for 2m'];
  test.each([
    { name: 'blocks promotion before the timeout', more: {}, readings: times(7, NONE), kind: 'blind' },
    { name: 'rolls back after the timeout', more: {}, readings: times(8, NONE), kind: 'failed' },
    { name: 'after the timeout holds when asked to', more: { 'on-no-data': 'hold' }, readings: times(20, NONE), kind: 'blind' },
    { name: 'after the timeout goes on, inconclusive, when asked to', more: { 'on-no-data': 'continue' }, readings: times(20, NONE), kind: 'inconclusive' },
    { name: 'is ended by a single request', more: {}, readings: [...times(7, NONE), value(0, 1), ...times(7, NONE)], kind: 'blind' },
    { name: 'is not an outage of the source', more: {}, readings: times(40, OUTAGE), kind: 'blind' },
    { name: 'is neither extended nor ended by an outage', more: {}, readings: [...times(4, NONE), ...times(9, OUTAGE), ...times(4, NONE)], kind: 'failed' },
    { name: 'ends a hold that will never be decided', more: {}, readings: [...times(3, BAD), ...times(8, NONE)], kind: 'failed' },
  ] as const)('$name', ({ more, readings, kind }) => {
    expect(judged(policyOf(rules, more), readings).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('says for how long, and the limit', () => {
    expect(judged(policyOf(rules), times(8, NONE)).verdict).toMatchObject({
      says: 'error-rate: no data for 2m (limit 2m)',
    });
  });
});

describe('a candidate that answers nobody any more but a check of ours', () => {
  const rules = ['error-rate > 5% for 2m'];
  const [many, few] = [value(0, 60), value(0, 1)];
  test.each([
    { name: 'blocks promotion within a minute', more: {}, readings: [...times(20, many), ...times(4, few)], kind: 'blind' },
    { name: 'rolls back after the timeout', more: {}, readings: [...times(20, many), ...times(8, few)], kind: 'failed' },
    { name: 'after the timeout holds when asked to', more: { 'on-no-data': 'hold' }, readings: [...times(20, many), ...times(20, few)], kind: 'blind' },
    { name: 'passes again when they come back', more: {}, readings: [...times(20, many), ...times(6, few), ...times(4, many)], kind: 'passing' },
  ] as const)('$name', ({ more, readings, kind }) => {
    expect(judged(policyOf(rules, more), readings).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('is none where stable lost its requests, too', () => {
    const policy = policyOf(rules);
    const samples = [...times(20, many), ...times(8, few)].flatMap((reading, index) =>
      allSeries(policy).map(({ key, window }) => ({ series: key, at: instant(BEGIN + (index + 1) * INTERVAL), window, reading })),
    );
    expect(judge(policy, { samples, begin: BEGIN, since: BEGIN }).verdict.kind).toBe('passing');
  }); // prettier-ignore

  test('says how many came, and how many before', () => {
    const says = (count: number) => judged(policyOf(rules), [...times(20, many), ...times(count, few)]).verdict;
    expect(says(4)).toMatchObject({ says: 'error-rate: next to no requests (4 in 1m, 240 before that)' });
    expect(says(8)).toMatchObject({ says: 'error-rate: next to no requests (4 in 1m, 240 before that) for 2m (limit 2m)' });
  }); // prettier-ignore
});

describe('several rules', () => {
  test('give the worst standing, and every finding', () => {
    const policy = policyOf(['error-rate > 5% for 2m', 'health fails 4 in a row']);
    const [rate, health] = allSeries(policy).filter(({ arm, window, minSamples }) => arm === 'candidate' && (window > INTERVAL || minSamples === 1)).filter(({ metric, window }) => metric === 'health' || window > INTERVAL); // prettier-ignore
    const samples = [1, 2, 3, 4].flatMap((index) => [
      { series: rate?.key ?? '', at: instant(BEGIN + index * INTERVAL), window: seconds(30), reading: GOOD },
      { series: health?.key ?? '', at: instant(BEGIN + index * INTERVAL), window: seconds(15), reading: value(0, 1) },
    ]);
    const { verdict, findings } = judge(policy, { samples, begin: BEGIN, since: BEGIN });
    expect(verdict.kind).toBe('failed');
    expect(findings.map((finding) => finding.standing.kind)).toEqual(['passing', 'failed']);
  });

  test('that both failed are explained by the earlier one', () => {
    const policy = policyOf(['error-rate > 5% for 2m', 'error-rate > 50%']);
    expect(judged(policy, [...times(9, BAD), value(0.9, 100)]).verdict).toMatchObject({
      says: 'error-rate 8 % > 5 % for 2m (n=60)',
    });
  });

  test('of level warn are told and stop nothing', () => {
    const policy = policyOf(['error-rate > 5% for 2m', 'warn: error-rate > 1% for 30s']);
    const { verdict, warnings } = judged(policy, times(6, value(0.02, 500)));
    expect(verdict.kind).toBe('passing');
    expect(warnings).toEqual(['error-rate 2 % > 1 % for 30s (n=500)']);
  });

  test('that need the same look share one series', () => {
    const policy = policyOf([
      'error-rate > 5% for 2m',
      'warn: error-rate > 1% for 5m',
      { fail: 'p95 > 1s', 'fast-fail': false },
    ]);
    expect(allSeries(policy).map((series) => series.key)).toEqual([
      'error-rate/30000/20',
      'error-rate/30000/20/stable',
      'error-rate/15000/1',
      'p95/30000/200/above-1000',
      'p95/30000/200/above-1000/stable',
    ]);
  });

  test('give the same judgement from the same samples at any later time', () => {
    const policy = policyOf(['error-rate > 5% for 2m'], { interval: '15s' });
    const samples = samplesOf(policy, times(9, BAD));
    const evidence = { samples, begin: BEGIN, since: BEGIN };
    expect(judge(policy, { ...evidence, samples: structuredClone(samples) })).toEqual(judge(policy, evidence));
  });
});
