import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { httpProber } from '../../../src/adapters/http/prober.ts';
import { webMetric } from '../../../src/adapters/metrics/web.ts';
import { before, seconds } from '../../../src/domain/duration.ts';
import { messageOf } from '../../../src/domain/failure.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import type { WebSource } from '../../../src/domain/policy/policy.ts';
import { metricProviderContract } from '../../contract/metric-provider.ts';
import { NOW } from '../../domain/shift/records.ts';
import { type JsonServer, jsonServer } from './json-server.ts';

const signal = new AbortController().signal;
const WINDOW = { from: before(NOW, seconds(30)), to: NOW };

let server: JsonServer;
beforeEach(async () => {
  server = await jsonServer();
});
afterEach(() => server.close());

const source = (more: Partial<WebSource> = {}): WebSource => ({
  from: 'web',
  url: `${server.url}/api?group={target-group}&color={color}&window={window}`,
  value: '$.errorRate',
  samples: '$.requests',
  headers: {},
  timeout: seconds(2),
  ...more,
});
const place = (environment: Record<string, string> = {}) => ({
  metric: 'error-rate',
  colorOf: (arm: 'stable' | 'candidate') => (arm === 'candidate' ? ('green' as const) : ('blue' as const)),
  targetGroupOf: (color: string) => `shop ${color}`,
  environment: (name: string) => environment[name],
});
const ask = (more: Partial<WebSource> = {}, arm: 'stable' | 'candidate' = 'candidate') =>
  webMetric(source(more), place(), httpProber()).measure({ metric: 'error-rate', arm }, WINDOW, signal);

metricProviderContract('JSON over HTTP', async () => {
  const own = await jsonServer();
  const set = (requests: number, errorRate: number | null) => async (): Promise<void> => {
    own.answer = { status: 200, body: JSON.stringify({ requests, errorRate }) };
  };
  return {
    provider: webMetric(source({ url: `${own.url}/` }), place(), httpProber()),
    now: () => NOW,
    busy: set(40, 0.25),
    clean: set(40, 0),
    silent: set(0, null),
    down: () => own.close(),
    close: () => own.close().catch(() => undefined),
  };
});

describe('a question', () => {
  test('names color, target group and window, each safe in a URL', async () => {
    await ask();
    expect(server.asked[0]?.path).toBe('/api?group=shop%20green&color=green&window=30s');
    await ask({}, 'stable');
    expect(server.asked[1]?.path).toBe('/api?group=shop%20blue&color=blue&window=30s');
  });

  test('may name both ends of the window instead', async () => {
    await ask({ url: `${server.url}/api?from={from}&to={to}` });
    expect(server.asked[0]?.path).toBe(`/api?from=${NOW - 30_000}&to=${NOW}`);
  });

  test('that does not name the color is not asked about stable: the answer would be that of both', async () => {
    server.answer = { status: 200, body: '{"errorRate":0.04,"requests":120}' };
    const blind = { url: `${server.url}/api?window={window}` };
    expect(await ask(blind, 'stable')).toEqual({ kind: 'no-data' });
    expect(await ask(blind)).toMatchObject({ kind: 'value' });
    expect(server.asked).toHaveLength(1);
  });

  test('takes address and headers from the environment', async () => {
    const provider = webMetric(
      source({ url: '${METRICS_URL}/api', headers: { authorization: 'Bearer ${METRICS_TOKEN}' } }),
      place({ METRICS_URL: server.url, METRICS_TOKEN: 'geheim' }),
      httpProber(),
    );
    await provider.measure({ metric: 'error-rate', arm: 'candidate' }, WINDOW, signal);
    expect(server.asked[0]).toMatchObject({ path: '/api', headers: { authorization: 'Bearer geheim' } });
    expect(provider.name).toBe(`web ${server.url.replace('http://', '')}`);
  });
});

describe('an answer', () => {
  test.each([
    {
      name: 'a number is the value',
      body: '{"errorRate":0.04,"requests":120}',
      read: { kind: 'value', value: 0.04, samples: 120 },
    },
    { name: 'null is no data', body: '{"errorRate":null,"requests":0}', read: { kind: 'no-data' } },
    { name: 'nothing at the path is no data', body: '{"requests":120}', read: { kind: 'no-data' } },
    {
      name: 'a value without its number of requests is no data',
      body: '{"errorRate":0.04}',
      read: { kind: 'no-data' },
    },
    { name: 'zero is zero', body: '{"errorRate":0,"requests":3}', read: { kind: 'value', value: 0, samples: 3 } },
  ])('$name', async ({ body, read }) => {
    server.answer = { status: 200, body };
    expect(await ask()).toEqual(read);
  });

  test.each([
    { name: 'an error of the service', status: 503, body: '{"errorRate":0}', why: 'status 503' },
    { name: 'a redirect', status: 302, body: '', why: 'status 302' },
    { name: 'no JSON', status: 200, body: '<html>', why: 'the answer is not JSON' },
    {
      name: 'a number as text',
      status: 200,
      body: '{"errorRate":"0.04","requests":1}',
      why: '$.errorRate is "0.04", not a number',
    },
    { name: 'an object', status: 200, body: '{"errorRate":{},"requests":1}', why: '$.errorRate is {}, not a number' },
  ])('that is $name was not an answer', async ({ status, body, why }) => {
    server.answer = { status, body };
    const read = await ask();
    expect(read).toMatchObject({ kind: 'unreachable' });
    expect(messageOf((read as { cause: unknown }).cause)).toContain(why);
  });

  test('with several values at the path was not an answer', async () => {
    server.answer = { status: 200, body: '{"rates":[0.1,0.2],"requests":1}' };
    expect(await ask({ value: '$.rates[*]' })).toMatchObject({ kind: 'unreachable' });
  });

  test('of a value that stands for itself needs no number of requests', async () => {
    server.answer = { status: 200, body: '{"depth":17}' };
    expect(await ask({ value: '$.depth', samples: undefined })).toEqual({ kind: 'value', value: 17, samples: 1 });
  });
});

test('a source that cannot work is refused before anything is asked, with every reason', () => {
  const broken = source({ url: '${METRICS_URL}/x', value: '$.[', headers: { authorization: '${TOKEN}' } });
  const refused = (): unknown => webMetric(broken, place(), httpProber());
  expect(refused).toThrow(InvalidInput);
  expect(refused).toThrow(
    /metrics\.error-rate\.url: .*\$\{METRICS_URL\}.* names an environment variable that is not set[\s\S]*headers\.authorization[\s\S]*metrics\.error-rate\.value/,
  );
  expect(server.asked).toEqual([]);
});
