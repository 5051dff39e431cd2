import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { hdrHistograms } from '../../../src/adapters/histogram/hdr.ts';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { between, milliseconds } from '../../../src/domain/duration.ts';
import type { LoadPart } from '../../../src/domain/load/result.ts';
import { finishLoad } from '../../../src/engine/load/finish-load.ts';
import { mergeParts } from '../../../src/engine/load/merge-parts.ts';
import { runLoad } from '../../../src/engine/load/run-load.ts';
import type { ProbeRequest } from '../../../src/ports/prober.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type Scripted, fakeProber } from '../../fakes/prober.ts';

const histograms = hdrHistograms();

const documentOf = (yaml: string) => {
  const parsed = parseChecks({ version: 1, ...(parseYaml(yaml) as object) }, matchers);
  const resolved = parsed.ok ? resolveChecks(parsed.value, () => undefined) : parsed;
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return resolved.value;
};

interface World {
  readonly script: (request: ProbeRequest, earlier: number) => Scripted;
  readonly stable?: string;
  readonly mask?: (secret: string) => void;
  readonly signal?: AbortSignal;
}

/** Runs the first load of a document in fake time. */
async function run(
  yaml: string,
  { script, stable, mask = () => undefined, signal = new AbortController().signal }: World,
) {
  const document = documentOf(yaml);
  const [load] = document.loads ?? [];
  if (load === undefined) throw new Error('no load');
  const clock = fakeClock({ mode: 'automatic' });
  const begin = clock.now();
  const log = recordingLog();
  const prober = fakeProber(script, { pass: (length, stop) => clock.sleep(milliseconds(length), stop) });
  const stopwatch = { elapsed: () => between(begin, clock.now()), busy: () => 0.1 };
  const random = { fraction: () => 0, token: () => '0'.repeat(32) };
  const tools = { prober, clock, stopwatch, histograms, log, random, mask };
  const target = { url: 'http://new.test', headers: {} };
  const sides = stable === undefined ? {} : { stable: { url: stable, headers: {} } };
  const made = await runLoad({ load, target, secrets: ['hunter2'], ...sides }, tools, signal);
  return { result: finishLoad(load, made, { secrets: ['hunter2'] }), prober, log, clock };
}

const takes = (after: number): Scripted => ({ status: 200, after });

describe('a closed load', () => {
  test('sends its count, so many at a time', async () => {
    const { result, prober } = await run(
      'load: [{ name: l, closed: { count: 100, concurrency: 10 }, get: /, rules: ["warn: mean > 2s"] }]',
      {
        script: () => takes(20),
      },
    );
    expect(prober.requests).toHaveLength(100);
    expect(result).toMatchObject({ verdict: 'pass', all: { requests: 100, errors: 0 }, seconds: 0.2 });
    expect(result.all.response.p50).toBeCloseTo(20, 0);
    expect(result.all.rate).toBeCloseTo(500, 0);
  });

  test('ends with its duration', async () => {
    const { result } = await run(
      'load: [{ name: l, closed: { duration: 1s, concurrency: 2 }, get: /, rules: ["fail: error-rate > 50%"] }]',
      {
        script: () => takes(100),
      },
    );
    expect(result).toMatchObject({ verdict: 'pass', all: { requests: 20 } });
  });

  test('ends at its budget, and that is no pass', async () => {
    const { result } = await run(
      'load: [{ name: l, closed: { duration: 60s, concurrency: 2 }, get: /, max-requests: 30, rules: ["fail: error-rate > 50%"] }]',
      { script: () => takes(10) },
    );
    expect(result).toMatchObject({ verdict: 'invalid', all: { requests: 30 } });
    expect(result.invalid[0]).toContain('the budget of requests was used up');
  });

  test('never sends more than its budget, however long its flows are', async () => {
    const { prober } = await run(
      'flows: { f: { flow: [{ get: /1 }, { get: /2 }, { get: /3 }] } }\n' +
        'load: [{ name: l, scenarios: [f], closed: { duration: 60s, concurrency: 7 }, max-requests: 50, rules: ["fail: error-rate > 50%"] }]',
      { script: () => takes(10) },
    );
    expect(prober.requests.length).toBeGreaterThan(20);
    expect(prober.requests.length).toBeLessThanOrEqual(50);
  });

  test('asks a dead port rarely, and counts every refusal at its timeout', async () => {
    const { result } = await run(
      'load: [{ name: l, closed: { duration: 10s, concurrency: 1 }, get: /, timeout: 3s, rules: ["fail: p95 > 500ms", "fail: error-rate > 1%"] }]',
      { script: () => ({ fault: 'refused', message: 'connection refused by new.test' }) },
    );
    expect(result.all.requests).toBeLessThan(20);
    expect(result).toMatchObject({ verdict: 'fail', reasons: [{ reason: 'connection refused by new.test' }] });
    expect(result.all.response.p50).toBeCloseTo(3_000, -1);
    expect(result.all.errors).toBe(result.all.requests);
  });

  test('whose requests are never answered has no good percentile', async () => {
    const { result } = await run(
      'load: [{ name: l, closed: { count: 300, concurrency: 10 }, get: /, timeout: 2s, rules: ["fail: p99 > 1s"] }]',
      { script: (_, earlier) => (earlier % 10 === 0 ? { silent: true } : takes(5)) },
    );
    expect(result).toMatchObject({ verdict: 'fail', all: { requests: 300, errors: 30 } });
    expect(result.all.response.p99).toBeGreaterThanOrEqual(1_999);
    expect(result.all.response.p50).toBeLessThan(6);
  });
});

describe('an open load', () => {
  const OPEN = (more: string): string =>
    `load: [{ name: l, phases: [{ duration: 10s, arrivals: 20/s }], get: /, rules: ["fail: p95 > 500ms"], ${more} }]`;

  test('sends at its rate, whatever the answers take', async () => {
    const { result, prober } = await run(OPEN('timeout: 9s'), { script: () => takes(3_000) });
    expect(prober.requests).toHaveLength(200);
    expect(result.generator).toMatchObject({ planned: 200, started: 200, waited: 0 });
    expect(result.generator.lagP99).toBeLessThan(1.1);
    expect(result.seconds).toBeCloseTo(12.95, 1);
  });

  test('counts the wait for a place as response time, not as service time', async () => {
    // 20 arrivals a second, 10 served: the last one waits for 10 s.
    const { result } = await run(OPEN('concurrency: 1, timeout: 9s'), { script: () => takes(100) });
    expect(result).toMatchObject({ verdict: 'fail', all: { requests: 200 } });
    expect(result.all.service.max).toBeCloseTo(100, 0);
    expect(result.all.response.max).toBeGreaterThan(9_900);
    expect(result.generator).toMatchObject({ started: 200, waited: 199 });
  });

  test('sees a server that freezes as its users do', async () => {
    // Frozen for 500 ms in every 5 s: an arrival in it waits for the end. By the uniform arrivals 10 % wait, up to 500 ms.
    const clockOf = (at: number): number => (at % 5_000 < 500 ? 500 - (at % 5_000) : 0);
    let at = -5;
    const { result } = await run(
      'load: [{ name: l, phases: [{ duration: 50s, arrivals: 200/s }], get: /, rules: ["fail: p95 > 1s"] }]',
      { script: () => takes(clockOf((at += 5))) },
    );
    expect(result.all.requests).toBe(10_000);
    expect(result.all.response.p95).toBeGreaterThan(245);
    expect(result.all.response.p95).toBeLessThan(255);
    expect(result.all.response.p99).toBeGreaterThan(445);
    expect(result.all.response.p99).toBeLessThan(455);
  });

  test('gives up who still waits for a place long after the last arrival', async () => {
    const { result } = await run(OPEN('concurrency: 1, timeout: 20s'), { script: () => ({ silent: true }) });
    expect(result).toMatchObject({ verdict: 'fail', all: { requests: 200, errors: 200 } });
    expect(result.reasons.map(({ reason }) => reason)).toContain(
      'no place among the users that are served at the same time',
    );
  });

  test('tells how it goes every five seconds', async () => {
    const { log } = await run(OPEN('timeout: 1s'), { script: () => takes(10) });
    expect(log.lines).toEqual([expect.stringMatching(/^l: 5s, 20\/s, 1\d\d answers, 0 errors, p95 10ms so far$/)]);
  });

  test('stops with the reason of the signal', async () => {
    const controller = new AbortController();
    const running = run(OPEN('timeout: 1s'), {
      signal: controller.signal,
      script(_, earlier) {
        if (earlier === 20) controller.abort(new Error('stop now'));
        return takes(1);
      },
    });
    await expect(running).rejects.toThrow('stop now');
  });
});

describe('scenarios', () => {
  const SHOP = `
flows:
  shop: { weight: 3, flow: [{ post: /login, json: {}, capture: { token: $.token } }, { think: 1s }, { get: /cart, auth: { bearer: "{{ token }}" } }] }
  browse: { weight: 1, flow: [{ get: / }] }
load:
  - name: l
    scenarios: [shop, browse]
    closed: { count: 4, concurrency: 1 }
    rules: [{ fail: error-rate > 50% }, { fail: p95 > 1s, scenario: shop }]
`;

  test('are chosen by weight, share what they capture, and are judged each', async () => {
    const { result, prober } = await run(SHOP, {
      script: ({ url }) => ({ status: 200, body: '{"token":"t1"}', after: url.endsWith('/cart') ? 70 : 10 }),
    });
    expect(prober.requests.map(({ url, headers }) => [new URL(url).pathname, headers['authorization']])).toEqual([
      ['/login', undefined],
      ['/cart', 'Bearer t1'],
      ['/login', undefined],
      ['/cart', 'Bearer t1'],
      ['/', undefined],
      ['/login', undefined],
      ['/cart', 'Bearer t1'],
    ]);
    expect(result.scenarios.map(({ name, requests }) => [name, requests])).toEqual([
      ['shop', 6],
      ['browse', 1],
    ]);
    expect(result).toMatchObject({ verdict: 'invalid', all: { requests: 7, errors: 0 } });
  });

  test('a failed step ends the run of its user, and its reason is counted without secrets', async () => {
    const { result, prober } = await run(SHOP, { script: () => ({ status: 200, body: '{"tokens":"hunter2"}' }) });
    expect(prober.requests).toHaveLength(4);
    expect(result).toMatchObject({
      all: { requests: 4, errors: 3 },
      reasons: [{ reason: 'capture token: $.token has no match, expected one', count: 3 }],
    });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  test('tells the runner of so many captured secrets, and shows none of the others either', async () => {
    const masked: string[] = [];
    const { result } = await run(
      'flows: { f: { flow: [{ post: /login, json: {}, capture: { token: { json: $.token, secret: true } } }, { get: /cart, auth: { bearer: "{{ token }}" }, expect: { body: { contains: fine } } }] } }\n' +
        'load: [{ name: l, scenarios: [f], closed: { count: 300, concurrency: 1 }, rules: ["fail: error-rate > 50%"] }]',
      {
        mask: (secret) => masked.push(secret),
        script: (_, earlier) => ({ status: 200, body: `{"token":"secret-${(earlier - (earlier % 2)) / 2}"}` }),
      },
    );
    expect([masked.length, new Set(masked).size]).toEqual([100, 100]);
    expect(result.all.errors).toBe(300);
    expect(JSON.stringify(result)).not.toContain('secret-');
  });

  test('each version that answered is counted', async () => {
    const { result } = await run(
      'load: [{ name: l, closed: { count: 10, concurrency: 1 }, get: /, expect: { version: { header: x-version, equals: new } }, rules: ["fail: error-rate > 0%"] }]',
      { script: (_, earlier) => ({ status: 200, headers: { 'x-version': earlier === 3 ? 'old' : 'new' } }) },
    );
    expect(result).toMatchObject({ verdict: 'fail', versions: { new: 9, old: 1 } });
  });

  test('a stable release gets every second user, and is what rules compare with', async () => {
    const { result, prober } = await run(
      'load: [{ name: l, closed: { count: 600, concurrency: 2 }, get: /, rules: ["fail: p95 > stable + 10%"] }]',
      { stable: 'http://old.test', script: ({ url }) => takes(url.startsWith('http://old') ? 100 : 150) },
    );
    expect(prober.requests.filter(({ url }) => url.startsWith('http://old'))).toHaveLength(300);
    expect(result).toMatchObject({
      verdict: 'fail',
      all: { requests: 300 },
      stable: { all: { requests: 300 } },
      rules: [
        {
          outcome: 'broken',
          words:
            'p95 150ms beside stable 100ms: x1.50, at least x1.50 with 95 % confidence, limit stable + 10% (n=300, stable n=300)',
        },
      ],
    });
  });

  test('those who never got a place count on both sides', async () => {
    const { result } = await run(
      'load: [{ name: l, phases: [{ duration: 10s, arrivals: 2/s }], concurrency: 1, get: /, timeout: 50s, rules: ["fail: error-rate > 0%"] }]',
      { stable: 'http://old.test', script: () => takes(45_000) },
    );
    expect([result.all.requests, result.stable?.all.requests]).toEqual([10, 10]);
  });
});

test('the parts of several runs merge to what one run would have measured', async () => {
  const yaml = (count: number): string =>
    `load: [{ name: l, closed: { count: ${count}, concurrency: 1 }, get: /, rules: ["fail: error-rate > 50%"] }]`;
  const length = (index: number): Scripted => takes(1 + ((index * 37) % 500));
  const whole = await run(yaml(80), { script: (_, earlier) => length(earlier) });
  const shards = await Promise.all(
    Array.from({ length: 8 }, (_, shard) =>
      run(yaml(10), { script: (_request, earlier) => length(shard * 10 + earlier) }),
    ),
  );
  const parts = shards.map(({ result }) => result.all) as [LoadPart, ...LoadPart[]];
  const merged = mergeParts(parts, histograms);
  expect(merged).toMatchObject({
    requests: 80,
    histograms: whole.result.all.histograms,
    response: whole.result.all.response,
  });
});
