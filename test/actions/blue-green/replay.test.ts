import { describe, expect, test } from '@jest/globals';
import { minutes } from '../../../src/domain/duration.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import {
  type Run,
  type Scenario,
  blueIsLive,
  goalOf,
  good,
  healthyRelease,
  policyOf,
  rehearse,
  withErrorRate,
} from './rehearsal.ts';

const secondsOf = (run: Run): number => (run.world.now - run.world.record!.begunAt) / 1_000;
const reasonOf = (run: Run): string => run.world.record!.reason;
const play = (scenario: Scenario, more: Parameters<typeof goalOf>[0] = {}): Run =>
  rehearse(goalOf(more), blueIsLive(), scenario);

describe('a good release', () => {
  const run = play(healthyRelease);

  test('goes 0, 10, 50, 100 with the bake between', () => {
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    expect(run.weights.map(([, percent]) => percent)).toEqual([0, 10, 50, 100]);
    const [, ten, fifty, hundred] = run.weights.map(([second]) => second);
    expect(fifty! - ten!).toBeGreaterThanOrEqual(300);
    expect(fifty! - ten!).toBeLessThan(305);
    expect(hundred! - fifty!).toBeLessThan(305);
  });

  test('ends with green live and blue scaled down, after recheck and drain', () => {
    expect(run.world).toMatchObject({
      live: splitGiving('green', 100),
      desired: { blue: 0, green: 3 },
      record: { phase: 'done' },
    });
    expect(secondsOf(run)).toBeCloseTo(60 + 3 * 300 + 150 + 300, -1.5);
  });

  test('is passed by every rule', () => {
    expect(run.outcome).toMatchObject({ judgement: { verdict: { kind: 'passing' } } });
  });

  test('keeps the old color at full size until the drain gate', () => {
    const scale = run.moves.findIndex((move) => move.kind === 'scale');
    const finishing = run.moves.findIndex((move) => move.kind === 'record' && move.record.phase === 'finishing');
    expect(scale).toBeGreaterThan(finishing);
    expect(run.moves.filter((move) => move.kind === 'scale')).toEqual([{ kind: 'scale', color: 'blue', desired: 0 }]);
  });

  test('puts the idle target group into the rule before it deploys', () => {
    const kinds = run.moves.map((move) => move.kind).filter((kind) => kind === 'weigh' || kind === 'deploy');
    expect(kinds.slice(0, 2)).toEqual(['weigh', 'deploy']);
  });

  test('says each step in one line', () => {
    expect(run.said).toEqual([
      'blue is live; green becomes the candidate',
      'green into the rule at weight 0',
      'green is ready at weight 0. Weight 0 -> 10, bake 5m',
      'Giving green 10 %',
      'green serves 10 % since now',
      'Weight 10 -> 50, bake 5m',
      'Giving green 50 %',
      'green serves 50 % since now',
      'Weight 50 -> 100, bake 5m',
      'Giving green 100 %',
      'green serves 100 % since now',
      'All steps are judged good; rechecking after 30s for 2m',
      'green is judged good at 100 %. Draining blue',
      'green is the live color',
    ]);
  });

  test('records its intent before every change of weights', () => {
    const weighed = run.moves.flatMap((move, index) => (move.kind === 'weigh' ? [run.moves[index - 1]!] : []));
    expect(weighed.map((move) => (move.kind === 'record' ? move.record.phase : move.kind))).toEqual([
      'preparing',
      'shifting',
      'shifting',
      'shifting',
    ]);
  });
});

describe('a bad release is rolled back', () => {
  test.each([
    { name: 'an error rate of 30 % from the start, long before the hold is over', scenario: withErrorRate(() => 0.3), reached: 10, within: 60, says: /^error-rate 30 % > 5 % \(n=\d+\), at least/ },
    { name: 'an error rate of 8 % after the hold', scenario: withErrorRate(() => 0.08), reached: 10, within: 160, says: /^error-rate 8 % > 5 % for 2m \(n=150\)$/ },
    { name: 'a fault that only shows at 50 %', scenario: withErrorRate((percent) => (percent >= 50 ? 0.3 : 0.005)), reached: 50, within: 340, says: /^error-rate 30 % > 5 % \(n=\d+\), at least/ },
    { name: 'a slow leak after 100 %', scenario: withErrorRate((percent, at) => (percent === 100 ? (at - 600) / 4_000 : 0.001)), reached: 100, within: 1_100, says: /^error-rate .* > 5 % / },
    { name: 'health that fails four times in a row', scenario: { ...healthyRelease, metric: (metric, seen) => (metric === 'health' && seen.seconds > 100 ? good(0, 1) : healthyRelease.metric(metric, seen)) } as Scenario, reached: 10, within: 170, says: /^health failed 4 in a row$/ },
    { name: 'a p95 above its limit for five minutes', scenario: { ...healthyRelease, metric: (metric, seen) => (metric === 'p95' ? good(2_140, 3_120) : healthyRelease.metric(metric, seen)) } as Scenario, reached: 10, within: 330, says: /^p95 2140 ms > 2000 ms for 5m \(n=3120\)$/ },
    { name: 'a candidate that nobody can measure', scenario: { ...healthyRelease, metric: (metric, seen) => (metric === 'error-rate' ? { kind: 'no-data' } : healthyRelease.metric(metric, seen)) } as Scenario, reached: 10, within: 130, says: /^error-rate: no data for 2m \(limit 2m\)$/ },
    { name: 'checks that fail after the switch', scenario: { ...healthyRelease, checks: { after: { kind: 'bad', why: 'check usage trends failed: 500' } } } as Scenario, reached: 100, within: 1_100, says: /^check usage trends failed: 500$/ },
  ])('for $name', ({ scenario, reached, within, says }) => {
    const run = play(scenario, { checks: 'given' });
    expect(run.outcome).toMatchObject({ kind: 'rolled-back' });
    expect(reasonOf(run)).toMatch(says);
    expect(Math.max(...run.weights.map(([, percent]) => percent))).toBe(reached);
    const onset = run.weights.find(([, percent]) => percent === 10)![0];
    const restored = run.weights.at(-1)!;
    expect(restored[1]).toBe(0);
    expect(restored[0] - onset).toBeLessThan(within);
    expect(run.world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 0 }, record: { phase: 'rolled-back' } });
  }); // prettier-ignore

  test('with the traffic first, then the candidate, then the words', () => {
    const run = play(withErrorRate(() => 0.3));
    const tail = run.moves.slice(
      run.moves.findIndex((move) => move.kind === 'record' && move.record.phase === 'rolling-back'),
    );
    expect(tail.map((move) => move.kind)).toEqual(['record', 'restore', 'record', 'scale', 'record']);
    const { detectedAt, restoredAt } = run.world.record!;
    expect(restoredAt! - detectedAt!).toBeLessThan(1_000);
  });
});

describe('a release that never got traffic', () => {
  test.each([
    { name: 'its deployment fails', scenario: { ...healthyRelease, deployed: { kind: 'bad', why: 'tasks failed to start: exit code 1 in web' } } as Scenario, says: 'tasks failed to start: exit code 1 in web' },
    { name: 'its checks fail', scenario: { ...healthyRelease, checks: { before: { kind: 'bad', why: 'check health failed: 503' } } } as Scenario, says: 'check health failed: 503' },
    { name: 'its targets stay unhealthy', scenario: { ...healthyRelease, meanwhile: (world) => { world.healthy.green = Math.min(world.healthy.green, 1); } } as Scenario, says: 'green has 1 of 2 healthy targets (2 initial)' },
  ])('is taken back when $name', ({ scenario, says }) => {
    const run = play(scenario, { checks: 'given' });
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { trafficAt: undefined, reason: says } });
    expect(run.world).toMatchObject({ live: splitGiving('blue', 100), desired: { green: 0 } });
    expect(run.moves.filter((move) => move.kind === 'weigh')).toHaveLength(1);
  }); // prettier-ignore
});

describe('doubt', () => {
  test('an outage of the source for two minutes holds the step and nothing else', () => {
    const outage: Scenario = {
      ...healthyRelease,
      metric: (metric, seen) =>
        seen.seconds > 250 && seen.seconds < 370
          ? { kind: 'error', message: 'connection refused' }
          : healthyRelease.metric(metric, seen),
    };
    const run = play(outage);
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    const [, ten, fifty] = run.weights.map(([second]) => second);
    expect(fifty! - ten!).toBeGreaterThan(365);
    expect(fifty! - ten!).toBeLessThan(400);
  });

  test('an outage that does not end is rolled back at the deadline, blind', () => {
    const run = play({ ...healthyRelease, metric: () => ({ kind: 'error', message: 'connection refused' }) });
    // What was waited for comes first.
    expect(reasonOf(run)).toMatch(
      /the source does not answer.*connection refused.*; the deadline of 30m passed at 10 %$/,
    );
    expect(run.world.live).toEqual(splitGiving('blue', 100));
  });

  test('a hold that is open at the end of a step blocks the next one until it is decided', () => {
    const run = play(withErrorRate((percent, at) => (percent === 10 && at > 280 && at < 340 ? 0.08 : 0.004)));
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    const [, ten, fifty] = run.weights.map(([second]) => second);
    expect(fifty! - ten!).toBeGreaterThanOrEqual(340);
  });

  test('a fault that flaps faster than the hold is not caught, but no step is taken while it shows', () => {
    const run = play(withErrorRate((_, at) => (at % 90 < 45 ? 0.08 : 0.004)));
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    const trafficAt = run.weights.find(([, percent]) => percent === 10)![0];
    const steps = run.weights
      .filter(([, percent]) => percent > 10)
      .map(([second]) => Math.floor((second - trafficAt) / 15) * 15);
    expect(steps.map((second) => second % 90 < 45)).toEqual([false, false]);
  });

  test.each([
    { name: 'continue goes on and says so', onInconclusive: 'continue', kind: 'promoted' },
    { name: 'rollback goes back', onInconclusive: 'rollback', kind: 'rolled-back' },
    { name: 'hold waits until the deadline', onInconclusive: 'hold', kind: 'rolled-back' },
  ] as const)('too few requests: $name', ({ onInconclusive, kind }) => {
    const few: Scenario = {
      ...healthyRelease,
      metric: (metric, seen) => (metric === 'p95' ? good(180, 12) : healthyRelease.metric(metric, seen)),
    };
    const run = play(few, { policy: policyOf({ 'on-inconclusive': onInconclusive }) });
    expect(run.outcome).toMatchObject({ kind });
  });

  test('a promotion on too few requests is inconclusive, never a pass', () => {
    const few: Scenario = {
      ...healthyRelease,
      metric: (metric, seen) => (metric === 'p95' ? good(180, 12) : healthyRelease.metric(metric, seen)),
    };
    expect(play(few).outcome).toMatchObject({
      kind: 'promoted',
      judgement: { verdict: { kind: 'inconclusive', says: 'p95: 12 requests, 200 needed' } },
    });
  });
});

describe('somebody else', () => {
  test('who moves the weights stops the shift, with both values and no further write', () => {
    const meddled: Scenario = {
      ...healthyRelease,
      meanwhile: (world) => {
        world.live =
          world.record?.phase === 'judging' && world.now > world.record.since + 60_000
            ? splitGiving('green', 30)
            : world.live;
      },
    };
    const run = play(meddled);
    expect(run.outcome).toMatchObject({
      kind: 'drifted',
      live: splitGiving('green', 30),
      expected: [splitGiving('green', 10)],
    });
    expect(run.world.live).toEqual(splitGiving('green', 30));
    expect(run.world.record!.phase).toBe('judging');
  });

  test('who takes the shift over ends this one without a write', () => {
    const taken: Scenario = {
      ...healthyRelease,
      meanwhile: (world) => {
        if (world.record?.phase === 'judging') world.record = { ...world.record, run: { id: '101', attempt: 1 } };
      },
    };
    const run = play(taken);
    expect(run.outcome).toEqual({ kind: 'superseded', by: '101/1' });
    expect(run.moves.at(-1)).toMatchObject({ kind: 'record', record: { phase: 'judging' } });
  });

  describe('who takes targets from the candidate', () => {
    /** Healthy targets of green by the seconds since its traffic began. */
    const targets = (counts: (second: number) => number): Scenario => ({
      ...healthyRelease,
      meanwhile: (world) => {
        if (world.record?.phase === 'judging' && world.trafficAt !== undefined)
          world.healthy.green = world.desired.green = counts((world.now - world.trafficAt) / 1_000);
      },
    });
    const flapping = targets((second) => (Math.floor(second / 20) % 2 === 0 ? 4 : 3));

    test('of the many that followed its first ones, replaced as platforms do, is nobody that a release goes back for', () => {
      const counts = [2, 4, 20, 18, 20];
      const run = play(targets((second) => counts[Math.floor(second / 40)] ?? 20));
      expect(run.outcome).toMatchObject({ kind: 'promoted' });
    });

    test('one after the other, until as many are gone as there were, causes a rollback', () => {
      const run = play(flapping);
      expect(run.outcome).toMatchObject({ kind: 'rolled-back' });
      expect(reasonOf(run)).toBe('green lost 4 healthy targets since its traffic began, and never had more than 4: what replaces them does not stay healthy');
    }); // prettier-ignore

    test('the same where its size is free, as long as they are replaced; fewer for less load are no loss', () => {
      expect(play(flapping, { autoscaling: 'leave' }).outcome).toMatchObject({ kind: 'rolled-back' });
      const scaledIn = targets((second) => (second < 60 ? 4 : second < 120 ? 2 : 1));
      expect(play(scaledIn, { autoscaling: 'leave', minHealthy: 1, policy: policyOf({ recheck: 'none', rules: ['error-rate > 5% for 2m'] }) }).outcome).toMatchObject({ kind: 'promoted' });
    }); // prettier-ignore
  });

  test('who kills every task of the candidate causes a rollback at once', () => {
    const killed: Scenario = {
      ...healthyRelease,
      meanwhile: (world) => {
        world.healthy.green =
          world.record?.phase === 'judging' && world.record.percent === 50 ? 0 : world.healthy.green;
      },
    };
    const run = play(killed);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back' });
    expect(reasonOf(run)).toBe('green has no healthy target (3 initial)');
  });
});

describe('a deadline', () => {
  test('rolls back however good the release looks', () => {
    const run = play(
      withErrorRate((_, at) => (at % 60 < 30 ? 0.06 : 0.06)),
      { policy: policyOf({ deadline: '20m', rules: ['p95 > 100ms for 30m'] }) },
    );
    expect(reasonOf(run)).toMatch(/^p95 180 ms > 100 ms.*; the deadline of 20m passed at 10 %$/);
    expect(secondsOf(run)).toBeLessThan(minutes(20) / 1_000 + 10);
  });
});
