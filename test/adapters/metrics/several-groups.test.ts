import { describe, expect, test } from '@jest/globals';
import { instant, minutes, seconds } from '../../../src/domain/duration.ts';
import type { MetricSource } from '../../../src/domain/policy/policy.ts';
import type { Color } from '../../../src/domain/traffic-split.ts';
import type { Meter } from '../../../src/ports/meter.ts';
import type { Measurement } from '../../../src/ports/metric-provider.ts';
import type { CloudWatchAccess, DataPoints, DataQuery } from '../../../src/adapters/metrics/cloudwatch.ts';
import { addUp, severalGroups } from '../../../src/adapters/metrics/several-groups.ts';
import { type SourceTools, metricSources } from '../../../src/adapters/metrics/sources.ts';
import { metricProviderContract } from '../../contract/metric-provider.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { fakeMetric } from '../../fakes/metric-provider.ts';
import { fakeProber } from '../../fakes/prober.ts';

const { signal } = new AbortController();
const FROM = instant(Date.UTC(2026, 10, 20, 12));
const WINDOW = { from: FROM, to: instant(FROM + minutes(1)) };
const value = (number: number, samples: number, slower?: number): Measurement => {
  return { kind: 'value', value: number, samples, ...(slower === undefined ? {} : { slower }) };
};
const NONE: Measurement = { kind: 'no-data' };
const LOST: Measurement = { kind: 'unreachable', cause: new Error('no answer') };

metricProviderContract('several target groups', async () => {
  const clock = fakeClock();
  let answers: readonly Measurement[] = [];
  const parts = [0, 1].map((index) => ({
    provider: fakeMetric(() => answers[index] ?? NONE),
    keyOf: () => String(index),
    isMeasured: () => true,
  }));
  const set = (next: readonly Measurement[]) => async () => void (answers = next);
  return {
    provider: severalGroups('by-requests', parts),
    now: () => clock.now(),
    busy: set([value(0.2, 30), value(0.4, 10)]),
    clean: set([value(0, 30), value(0, 10)]),
    silent: set([NONE, NONE]),
    down: set([value(0, 30), LOST]),
    close: async () => undefined,
  };
});

describe('the target groups of a color', () => {
  test.each([
    { name: 'rates by their requests', adding: 'by-requests', of: [value(0, 90), value(0.5, 10)], gives: value(0.05, 100) },
    { name: 'throughputs are summed', adding: 'sum', of: [value(3, 1), value(0.5, 1)], gives: value(3.5, 1) },
    { name: 'percentiles by the greatest, their slow requests by all', adding: 'greatest', of: [value(180, 300, 0.01), value(900, 100, 0.05)], gives: value(900, 400, 0.02) },
    { name: 'percentiles of which one counts no slow requests', adding: 'greatest', of: [value(900, 300, 0.01), value(180, 100)], gives: value(900, 400) },
    { name: 'health by the least healthy', adding: 'least', of: [value(1, 1), value(0.5, 1)], gives: value(0.5, 1) },
    { name: 'one without requests says nothing', adding: 'by-requests', of: [NONE, value(0.5, 10)], gives: value(0.5, 10) },
    { name: 'one that is not reached hides nothing', adding: 'sum', of: [value(1, 1), LOST, NONE], gives: LOST },
  ] as const)('$name', ({ adding, of, gives }) => {
    expect(addUp(adding, of)).toEqual(gives);
  }); // prettier-ignore
});

/** Requests and errors of each target group, as a load balancer reports them. */
const COUNTS: Readonly<Record<string, readonly [requests: number, errors: number]>> = {
  'web-green': [90, 0],
  'hub-green': [10, 8],
  'web-blue': [60, 0],
  'hub-blue': [60, 3],
};
const access: CloudWatchAccess = {
  dimensions: async (TargetGroup) => ({ TargetGroup, LoadBalancer: 'app/shop' }),
  async data(queries) {
    const pointOf = (query: DataQuery): ReadonlyMap<typeof FROM, number> => {
      if (query.kind !== 'metric') throw new TypeError('no maths is asked for here');
      const [requests, errors] = COUNTS[query.dimensions['TargetGroup'] ?? ''] ?? [0, 0];
      return new Map([[FROM, query.metric === 'RequestCount' ? requests : query.metric.includes('5XX') ? errors : 0]]);
    };
    return new Map(queries.map((query) => [query.id, pointOf(query)])) satisfies DataPoints;
  },
};
const placeOf = (name: string, meter: Meter | undefined = undefined) => ({
  targetGroupOf: (color: Color) => `${name}-${color}`,
  meterOf: (color: Color): Meter => meter ?? { kind: 'target-group', name: `${name}-${color}` },
});
const tools = (...places: readonly ReturnType<typeof placeOf>[]): SourceTools => {
  const [first = placeOf('web'), ...others] = places;
  return {
    prober: fakeProber(() => ({ status: 200 })),
    clock: fakeClock(),
    environment: () => undefined,
    colorOf: (arm) => (arm === 'candidate' ? 'green' : 'blue'),
    address: undefined,
    cloudWatch: async () => access,
    ...first,
    others,
  };
};

describe('a policy of several routes', () => {
  const CLOUDWATCH = { from: 'cloudwatch', delay: seconds(30), query: { kind: 'load-balancer' } } as const;
  const errorRate = (given: SourceTools, arm: 'candidate' | 'stable' = 'candidate') => {
    const { providers } = metricSources({ metrics: { 'error-rate': CLOUDWATCH }, rules: [] }, given);
    return providers['error-rate']?.measure({ metric: 'error-rate', arm }, WINDOW, signal);
  };

  test('sees the errors of all of its target groups', async () => {
    const both = tools(placeOf('web'), placeOf('hub'));
    expect(await errorRate(both)).toEqual(value(0.08, 100));
    expect(await errorRate(both, 'stable')).toEqual(value(3 / 120, 120));
  });

  test('counts a target group once that several routes lead to', async () => {
    expect(await errorRate(tools(placeOf('hub'), placeOf('hub')))).toEqual(value(0.8, 10));
  });

  test('leaves out a route that nothing here measures, beside one that something does', async () => {
    const elsewhere = placeOf('hub', { kind: 'none' });
    expect(await errorRate(tools(placeOf('web'), elsewhere))).toEqual(value(0, 90));
    expect(await errorRate(tools(elsewhere, elsewhere))).toMatchObject({ kind: 'unreachable' });
  });

  test('counts a load balancer once that several names lead to', async () => {
    const LB: Meter = { kind: 'load-balancer', region: 'us-west-2', loadBalancer: 'app/shop', targetGroup: undefined };
    const given = tools(placeOf('web', LB), placeOf('www', LB));
    COUNTED.length = 0;
    await errorRate({ ...given, cloudWatch: async () => counting });
    expect(COUNTED).toHaveLength(1);
  });

  test('is refused where nobody knows what its own numbers are together, and names the groups', () => {
    const own: MetricSource = { from: 'web', url: 'http://m/{target-group}', value: '$.v', samples: undefined, headers: {}, timeout: seconds(5) };
    const open = (...places: readonly ReturnType<typeof placeOf>[]) => metricSources({ metrics: { queue: own }, rules: [] }, tools(...places));
    expect(() => open(placeOf('web'), placeOf('hub'))).toThrow(/metrics.queue: .*web-blue and hub-blue, and to web-green and hub-green/);
    expect(() => open(placeOf('web'), placeOf('web'))).not.toThrow();
  }); // prettier-ignore
});

const COUNTED: string[] = [];
const counting: CloudWatchAccess = {
  ...access,
  data: (queries, ...rest) => (COUNTED.push('asked'), access.data(queries, ...rest)),
};
