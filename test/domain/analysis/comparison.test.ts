import { describe, expect, test } from '@jest/globals';
import { type Judgement, judge } from '../../../src/domain/analysis/judge.ts';
import { type Reading, type Sample, allSeries } from '../../../src/domain/analysis/sample.ts';
import { instant } from '../../../src/domain/duration.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { policyOf } from '../policy/policies.ts';

const BEGIN = instant(Date.UTC(2026, 10, 20, 12));
const INTERVAL = 15_000;

interface Point {
  readonly candidate: Reading;
  readonly stable: Reading;
}
const rate = (bad: number, samples: number): Reading => ({ kind: 'value', value: bad / samples, samples });
const times = (count: number, point: Point): readonly Point[] => Array.from({ length: count }, () => point);

function samplesOf(policy: Policy, points: readonly Point[]): readonly Sample[] {
  return points.flatMap((point, index) =>
    allSeries(policy).map(({ key, arm, window }) => ({
      series: key,
      at: instant(BEGIN + (index + 1) * INTERVAL),
      window,
      reading: point[arm],
    })),
  );
}
const judged = (policy: Policy, points: readonly Point[]): Judgement =>
  judge(policy, { samples: samplesOf(policy, points), begin: BEGIN, since: BEGIN });

describe('error-rate > stable + 0.1pp', () => {
  const policy = policyOf(['error-rate > stable + 0.1pp']);
  test.each([
    { name: 'fails what is far worse', point: { candidate: rate(8, 100), stable: rate(4, 800) }, points: 4, kind: 'failed' },
    { name: 'is not sure of what may be chance', point: { candidate: rate(1, 100), stable: rate(4, 800) }, points: 8, kind: 'inconclusive' },
    { name: 'passes what is the same for certain', point: { candidate: rate(0, 9_000), stable: rate(0, 9_000) }, points: 8, kind: 'passing' },
    { name: 'does not take a better candidate for a worse one', point: { candidate: rate(0, 200), stable: rate(60, 800) }, points: 20, kind: 'passing' },
    { name: 'promotes nothing as long as nobody knows nearly enough', point: { candidate: rate(0, 5), stable: rate(0, 40) }, points: 4, kind: 'pending' },
    { name: 'wants five bad requests before it fails', point: { candidate: rate(4, 60), stable: rate(0, 500) }, points: 1, kind: 'pending' },
    { name: 'never passes without requests of both', point: { candidate: rate(0, 100), stable: { kind: 'no-data' } as const }, points: 8, kind: 'pending' },
    { name: 'takes NaN for no requests', point: { candidate: rate(0, 100), stable: { kind: 'value', value: Number.NaN, samples: 90 } as const }, points: 8, kind: 'pending' },
  ] as const)('$name', ({ point, points, kind }) => {
    expect(judged(policy, times(points, point)).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('stays failed although the candidate came down', () => {
    const bad = times(4, { candidate: rate(8, 100), stable: rate(4, 800) });
    const well = times(100, { candidate: rate(0, 100), stable: rate(4, 800) });
    expect(judged(policy, [...bad, ...well]).verdict).toMatchObject({ kind: 'failed', at: BEGIN + 3 * INTERVAL });
  });

  test('is not misled by a split that changes while both get worse', () => {
    // One percent at 10 % of the traffic, four at 50 %: added up without strata, the candidate would look worse.
    const first = times(20, { candidate: rate(1, 100), stable: rate(9, 900) });
    const then = times(20, { candidate: rate(20, 500), stable: rate(20, 500) });
    expect(judged(policy, [...first, ...then]).verdict.kind).toBe('inconclusive');
  });

  test('counts a minute once that is given at four grid points', () => {
    const at = [1, 2, 3, 4].map((index) => instant(BEGIN + 60_000 + index * INTERVAL));
    const samples = at.flatMap((moment) =>
      allSeries(policy).map(({ key, arm }): Sample => {
        const reading = arm === 'stable' ? rate(4, 800) : rate(5, 100);
        return { series: key, at: moment, window: 60_000 as Sample['window'], to: instant(BEGIN + 60_000), reading };
      }),
    );
    const { verdict } = judge(policy, { samples, begin: BEGIN, since: BEGIN });
    expect(verdict).toMatchObject({ says: expect.stringContaining('(n=100, stable n=800)') });
  });

  test('says what was reached, with what confidence, and what the margin would need', () => {
    expect(judged(policy, times(20, { candidate: rate(1, 200), stable: rate(9, 1_800) })).verdict).toMatchObject({
      says: expect.stringMatching(
        /^error-rate > stable \+ 0\.1pp: the candidate is at most \+0\.\d+ pp worse with 99 % confidence \(n=4000, stable n=36000\); \+ 0\.1pp needs about \d+ requests of the candidate \(\w+ at this rate\)$/,
      ),
    });
    expect(judged(policy, times(4, { candidate: rate(8, 100), stable: rate(4, 800) })).verdict).toMatchObject({
      says: expect.stringMatching(
        /^error-rate > stable \+ 0\.1pp: error-rate is \+7\.5 pp from stable, at least \+\d\.\d+ pp with 99\.9 % confidence/,
      ),
    });
  });

  test('that only warns stops nothing', () => {
    const warning = policyOf(['error-rate > 50%', 'warn: error-rate > stable + 0.1pp']);
    const { verdict, warnings } = judged(warning, times(4, { candidate: rate(8, 100), stable: rate(4, 800) }));
    expect(verdict.kind).toBe('passing');
    expect(warnings).toHaveLength(1);
  });
});

describe('other margins', () => {
  test.each([
    { name: 'a tenth more of much', rules: 'error-rate > stable + 10%', point: { candidate: rate(300, 1_000), stable: rate(200, 1_000) }, kind: 'failed' },
    { name: 'half more where twice as much is allowed', rules: 'error-rate > stable + 100%', point: { candidate: rate(300, 1_000), stable: rate(200, 1_000) }, kind: 'passing' },
    { name: 'slow requests beyond stable and 50 ms', rules: 'p95 > stable + 50ms', point: { candidate: { kind: 'value', value: 400, samples: 200, slower: 0.2 }, stable: { kind: 'value', value: 250, samples: 900 } }, kind: 'failed' },
    { name: 'a few slow requests less than stable has', rules: 'p95 > stable + 50ms', point: { candidate: { kind: 'value', value: 250, samples: 900, slower: 0.02 }, stable: { kind: 'value', value: 250, samples: 900 } }, kind: 'passing' },
  ] as const)('$name', ({ rules, point, kind }) => {
    expect(judged(policyOf([rules]), times(20, point)).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('what should be high is counted the other way round', () => {
    const source = { from: 'web', url: 'http://m/{color}', value: '$.v', samples: '$.n' };
    const policy = policyOf(['conversion < stable - 3pp'], { metrics: { conversion: source } });
    const low = times(20, { candidate: rate(100, 1_000), stable: rate(200, 1_000) });
    const same = times(20, { candidate: rate(200, 1_000), stable: rate(200, 1_000) });
    expect(judged(policy, low).verdict.kind).toBe('failed');
    expect(judged(policy, same).verdict.kind).toBe('passing');
  });
});

describe('an incident that stable shares', () => {
  const policy = policyOf(['error-rate > 5% for 2m']);
  const both = { candidate: rate(30, 300), stable: rate(270, 2_700) };
  const calm = { candidate: rate(1, 300), stable: rate(9, 2_700) };

  test.each([
    { name: 'holds the step, and rolls nothing back', points: times(40, both), kind: 'pending' },
    { name: 'is over when both recover', points: [...times(20, both), ...times(2, calm)], kind: 'passing' },
    { name: 'is the candidate alone when it is twice as bad for certain', points: times(9, { candidate: rate(90, 300), stable: rate(270, 2_700) }), kind: 'failed' },
    { name: 'does not cover a candidate that is bad alone', points: times(9, { ...both, stable: rate(9, 2_700) }), kind: 'failed' },
    { name: 'is not seen where nothing is known of stable', points: times(9, { ...both, stable: { kind: 'no-data' } as const }), kind: 'failed' },
  ])('$name', ({ points, kind }) => {
    expect(judged(policy, points).verdict.kind).toBe(kind);
  }); // prettier-ignore

  test('is told with both values', () => {
    expect(judged(policy, times(9, both)).verdict).toMatchObject({
      says: 'error-rate 10 % > 5 % (n=300), but stable breaks it too (10 %): not held against the candidate',
    });
  });
});

describe('a fault that is younger than the window', () => {
  test('is seen in the last slot, and the slot is named', () => {
    const policy = policyOf(['error-rate > 5% for 2m']);
    const at = instant(BEGIN + INTERVAL);
    const samples = allSeries(policy).map(({ key, arm, window }): Sample => {
      const reading = arm === 'stable' ? rate(0, 900) : window > INTERVAL ? rate(22, 150) : rate(22, 75);
      return { series: key, at, window, reading };
    });
    expect(judge(policy, { samples, begin: BEGIN, since: BEGIN }).verdict).toMatchObject({
      kind: 'failed',
      says: expect.stringMatching(
        /^error-rate 14\.7 % > 5 % \(n=150\), 22 of the last 75: at least 1\d\.\d % with 99\.9 % confidence$/,
      ),
    });
  });
});

describe('p95 > 2000ms for 5m by counted slow requests', () => {
  const policy = policyOf(['p95 > 2000ms for 5m']);
  const slow = (slower: number): Point => ({
    candidate: { kind: 'value', value: 1_900, samples: 300, slower },
    stable: { kind: 'no-data' },
  });
  test.each([
    { name: 'holds when five of a hundred are slow', points: times(40, slow(0.05)), kind: 'passing' },
    { name: 'fails after five minutes of a few more, whatever the percentile of one target says', points: times(21, slow(0.06)), kind: 'failed' },
    { name: 'is pending until then', points: times(20, slow(0.06)), kind: 'pending' },
    { name: 'fails at once when far more are slow for certain', points: times(1, slow(0.3)), kind: 'failed' },
  ])('$name', ({ points, kind }) => {
    expect(judged(policy, points).verdict.kind).toBe(kind);
  }); // prettier-ignore
});
