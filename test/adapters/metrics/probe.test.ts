import { describe, expect, test } from '@jest/globals';
import { type Probing, probeHealth, probeMetric } from '../../../src/adapters/metrics/probe.ts';
import { metricSources } from '../../../src/adapters/metrics/sources.ts';
import { type Duration, before, milliseconds, seconds } from '../../../src/domain/duration.ts';
import type { ProbeSource } from '../../../src/domain/policy/policy.ts';
import { metricProviderContract } from '../../contract/metric-provider.ts';
import { policyOf } from '../../domain/policy/policies.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { type FakeProber, type Scripted, fakeProber } from '../../fakes/prober.ts';

const signal = new AbortController().signal;
const SOURCE: ProbeSource = { from: 'probe', path: '/', every: seconds(1), timeout: seconds(5) };
const CANDIDATE = { url: 'https://lb.test', host: 'shop.example.com', headers: { 'x-color': 'green' } };

const ALONE = { arms: ['candidate'] as const, addressOf: () => CANDIDATE };

interface Bench {
  readonly clock: FakeClock;
  readonly prober: FakeProber;
  readonly probing: Probing;
  /** Probes for so long. */
  probe(length: Duration): Promise<void>;
  measure(metric: string, back?: Duration): ReturnType<Probing['measure']>;
}

function bench(script: (earlier: number) => Scripted, source: Partial<ProbeSource> = {}): Bench {
  const clock = fakeClock();
  const prober = fakeProber((_, earlier) => script(earlier), {
    pass: (length, inner) => clock.sleep(milliseconds(length), inner),
  });
  const probing = probeMetric({ ...SOURCE, ...source }, { prober, clock, ...ALONE });
  return {
    clock,
    prober,
    probing,
    async probe(length) {
      const stop = new AbortController();
      const running = probing.run(stop.signal);
      await clock.advance(length);
      stop.abort();
      await running;
    },
    measure: (metric, back = seconds(60)) =>
      probing.measure({ metric, arm: 'candidate' }, { from: before(clock.now(), back), to: clock.now() }, signal),
  };
}

metricProviderContract('own probes', async () => {
  const script: { bad: (earlier: number) => boolean; every: Duration } = { bad: () => false, every: milliseconds(750) };
  const { clock, probing, probe } = bench((earlier) => ({ status: script.bad(earlier) ? 500 : 200 }), {
    every: script.every,
  });
  return {
    provider: probing,
    now: () => clock.now(),
    busy: async () => {
      script.bad = (earlier) => earlier % 4 === 0;
      await probe(milliseconds(29_999));
    },
    clean: () => probe(milliseconds(29_999)),
    silent: async () => undefined,
    close: async () => undefined,
  };
});

describe('own probes', () => {
  test('go to the candidate alone, on a fixed beat', async () => {
    const { probe, prober } = bench(() => ({ status: 200 }));
    await probe(milliseconds(4_500));
    expect(prober.requests).toHaveLength(5);
    expect(prober.requests[0]).toMatchObject({
      method: 'GET',
      url: 'https://lb.test/',
      host: 'shop.example.com',
      headers: { 'x-color': 'green' },
      timeout: 5_000,
    });
  });

  test.each([
    { name: 'a server error', script: { status: 503 } as Scripted, rate: 1 },
    { name: 'a refused connection', script: { fault: 'refused' } as Scripted, rate: 1 },
    { name: 'no answer in time', script: { silent: true } as Scripted, rate: 1 },
    { name: 'an error of the client', script: { status: 404 } as Scripted, rate: 0 },
    { name: 'a redirect', script: { status: 302 } as Scripted, rate: 0 },
  ])('count $name for what it is', async ({ script, rate }) => {
    const { probe, measure } = bench(() => script, { timeout: milliseconds(500) });
    await probe(seconds(10));
    expect(await measure('error-rate')).toMatchObject({ kind: 'value', value: rate });
  });

  test('give percentiles of times that were really seen', async () => {
    const { probe, measure } = bench((earlier) => ({ status: 200, after: 10 * (earlier + 1) }));
    await probe(milliseconds(99_999));
    const all = seconds(200);
    expect(await measure('p50', all)).toEqual({ kind: 'value', value: 500, samples: 99 });
    expect(await measure('p95', all)).toMatchObject({ value: 950 });
    expect(await measure('p99', all)).toMatchObject({ value: 990 });
    expect(await measure('mean', all)).toMatchObject({ value: 500 });
  });

  test('let a request that hung count as slow, and a refused one not as fast', async () => {
    const { probe, measure } = bench((earlier) => (earlier % 2 === 0 ? { silent: true } : { fault: 'refused' }), {
      timeout: milliseconds(800),
    });
    await probe(seconds(10));
    expect(await measure('p95')).toMatchObject({ value: 800 });
    expect(await measure('error-rate')).toMatchObject({ value: 1 });
  });

  test('see only their window', async () => {
    const { probe, measure } = bench((earlier) => ({ status: earlier < 10 ? 500 : 200 }));
    await probe(milliseconds(19_999));
    expect(await measure('error-rate', seconds(9))).toMatchObject({ value: 0 });
    expect(await measure('error-rate', seconds(60))).toMatchObject({ value: 0.5, samples: 20 });
  });

  test('do not pile up on a candidate that hangs', async () => {
    const { probe, prober } = bench(() => ({ silent: true }), { every: milliseconds(20), timeout: seconds(60) });
    await probe(seconds(5));
    expect(prober.requests).toHaveLength(50);
  });

  test('go to stable too where an address tells the two apart, and are counted apart', async () => {
    const clock = fakeClock();
    const prober = fakeProber(({ url }) => ({ status: url.includes('green') ? 500 : 200 }));
    const addressOf = (arm: 'stable' | 'candidate') => ({ ...CANDIDATE, url: `https://${arm === 'stable' ? 'blue' : 'green'}.test` });
    const probing = probeMetric(SOURCE, { prober, clock, arms: ['candidate', 'stable'], addressOf });
    const stop = new AbortController();
    const running = probing.run(stop.signal);
    await clock.advance(milliseconds(9_500));
    stop.abort();
    await running;
    const window = { from: before(clock.now(), seconds(60)), to: clock.now() };
    const rates = await Promise.all((['candidate', 'stable'] as const).map((arm) => probing.measure({ metric: 'error-rate', arm }, window, signal)));
    expect(rates).toEqual([{ kind: 'value', value: 1, samples: 10 }, { kind: 'value', value: 0, samples: 10 }]);
  }); // prettier-ignore

  test('count the slow ones when a limit is asked about', async () => {
    const { probe, probing, clock } = bench((earlier) => ({ status: 200, after: earlier % 10 === 0 ? 900 : 20 }));
    await probe(milliseconds(99_500));
    const window = { from: before(clock.now(), seconds(200)), to: clock.now() };
    const query = { metric: 'p95', arm: 'candidate', above: 500 } as const;
    expect(await probing.measure(query, window, signal)).toMatchObject({ value: 900, samples: 100, slower: 0.1 });
  });

  test('know nothing of stable', async () => {
    const { probing, probe, clock } = bench(() => ({ status: 200 }));
    await probe(seconds(5));
    const window = { from: before(clock.now(), seconds(60)), to: clock.now() };
    expect(await probing.measure({ metric: 'error-rate', arm: 'stable' }, window, signal)).toEqual({ kind: 'no-data' });
  });
});

describe('a health probe', () => {
  const health = async (script: Scripted) => {
    const clock = fakeClock();
    const prober = fakeProber(() => script);
    const window = { from: clock.now(), to: clock.now() };
    return probeHealth(SOURCE, { prober, clock, ...ALONE }).measure(
      { metric: 'health', arm: 'candidate' },
      window,
      signal,
    );
  };
  test.each([
    { name: '200 is good', script: { status: 200 } as Scripted, value: 1 },
    { name: '204 is good', script: { status: 204 } as Scripted, value: 1 },
    { name: '302 is not', script: { status: 302 } as Scripted, value: 0 },
    { name: '503 is not', script: { status: 503 } as Scripted, value: 0 },
    { name: 'a refused connection is not', script: { fault: 'refused' } as Scripted, value: 0 },
  ])('is one check: $name', async ({ script, value }) => {
    expect(await health(script)).toEqual({ kind: 'value', value, samples: 1 });
  });
});

describe('the sources of a policy', () => {
  const tools = {
    prober: fakeProber(() => ({ status: 200 })),
    clock: fakeClock(),
    environment: () => undefined,
    colorOf: () => 'green' as const,
    targetGroupOf: () => 'shop-green',
    cloudWatch: () => Promise.reject(new Error('not asked for')),
  };
  const metrics = {
    'error-rate': SOURCE,
    p95: SOURCE,
    p99: { ...SOURCE, path: '/slow' },
    health: { ...SOURCE, path: '/health' },
  };

  test('share the probes of metrics that look at the same requests', () => {
    const { providers } = metricSources({ metrics, rules: [] }, { ...tools, address: () => CANDIDATE });
    expect(providers['p95']).toBe(providers['error-rate']);
    expect(providers['p99']).not.toBe(providers['error-rate']);
  });

  test('are refused for a comparison where nothing reaches stable alone', () => {
    const { rules } = policyOf(['error-rate > stable + 1pp']);
    const probed = { metrics: { 'error-rate': SOURCE }, rules };
    expect(() => metricSources(probed, { ...tools, address: () => CANDIDATE })).toThrow(
      /cannot be compared with stable/,
    );
    const colored = (color: string) => ({ ...CANDIDATE, headers: { 'x-color': color } });
    expect(Object.keys(metricSources(probed, { ...tools, address: colored }).providers)).toEqual(['error-rate']);
  });

  test('are refused all at once where nothing reaches the candidate alone', () => {
    const refused = (): unknown => metricSources({ metrics, rules: [] }, { ...tools, address: undefined });
    expect(refused).toThrow(
      /4 problems[\s\S]*metrics\.error-rate\.from: "probe" cannot be used: no request is known to reach the candidate alone/,
    );
  });
});
