import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { type LocalServer, closedPort, httpServer } from '../../adapters/http/servers.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

const TOKEN = 'bearer-token-4711';

let own: LocalServer;
/** Of another origin: the port differs. */
let other: LocalServer;
const reached: IncomingMessage[] = [];
let requests = 0;
beforeAll(async () => {
  other = await httpServer((request, response) => {
    reached.push(request);
    response.end('elsewhere');
  });
  own = await httpServer((request, response) => {
    requests += 1;
    const to: Readonly<Record<string, string>> = {
      '/away': `http://127.0.0.1:${other.port}/there`,
      '/metadata': 'http://169.254.169.254/latest/meta-data/',
      '/metadata-as-number': 'http://2852039166/',
      '/metadata-in-ipv6': 'http://[::ffff:169.254.169.254]/',
    };
    const location = to[request.url ?? ''];
    if (location === undefined) response.end('{"next":"http://169.254.169.254/"}');
    else response.writeHead(302, { location }).end();
  });
});
afterAll(() => Promise.all([own.close(), other.close()]));

const smoke = (checks: string, inputs: Readonly<Record<string, string>> = {}): Promise<BundleResult> =>
  runBundle({
    action: 'smoke-test',
    inputs: { url: `http://127.0.0.1:${own.port}`, checks: 'it.yml', ...inputs },
    files: {
      'it.yml': `version: 1\nsecrets: [TOKEN]\n${checks}\n`,
      'sluice.yml': 'stages: { production: { environment: production } }\n',
    },
    env: { TOKEN },
  });

test('a redirect to another origin is followed without credentials', async () => {
  const run = await smoke(
    "checks: [{ name: a, get: /away, auth: { bearer: '${TOKEN}' }, headers: { x-api-key: '${TOKEN}', accept: text/plain }, follow-redirects: same-host, expect: { body: { contains: elsewhere } } }]",
  );
  expect(run.outputs['verdict']).toBe('pass');
  expect(reached.map(({ url, headers }) => [url, headers.accept, headers.authorization, headers['x-api-key']])).toEqual(
    [['/there', 'text/plain', undefined, undefined]],
  );
});

test('a metadata service is not reached by a redirect either, whoever allows its host', async () => {
  const run = await smoke(`checks:
  - { name: dotted, get: /metadata, follow-redirects: [169.254.169.254] }
  - { name: number, get: /metadata-as-number, follow-redirects: [169.254.169.254] }
  - { name: ipv6, get: /metadata-in-ipv6, follow-redirects: [169.254.169.254] }
  - { name: target only, get: /metadata, follow-redirects: same-host }`);
  expect(run.outputs).toMatchObject({ verdict: 'fail', failed: '4' });
  expect(run.stdout).toMatch(/^dotted: failed .*address 169\.254\.169\.254 is refused/m);
  expect(run.stdout).toMatch(/^number: failed .*address 169\.254\.169\.254 is refused/m);
  expect(run.stdout).toMatch(/^ipv6: failed .*which is not in follow-redirects/m);
  expect(run.stdout).toMatch(/^target only: failed .*which is not in follow-redirects/m);
});

test('what an answer says is never a host: a captured URL is no path', async () => {
  const run = await smoke("flows: { f: { flow: [{ get: /, capture: { next: $.next } }, { get: '{{ next }}' }] } }");
  expect(run).toMatchObject({ exitCode: 1 });
  expect(run.stdout).toMatch(/is not a path/);
});

describe('a load', () => {
  const LOAD =
    'load: [{ name: l, get: /, closed: { count: 2000, concurrency: 10 }, rules: ["fail: p95 > 10s"], MORE }]';

  test('never sends more than its budget, and is invalid then', async () => {
    requests = 0;
    const endless = LOAD.replace('count: 2000', 'duration: 60s');
    const run = await smoke(endless.replace('MORE', 'max-requests: 120'));
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'invalid', requests: '120' } });
    expect(run.stdout).toContain('the budget of requests was used up before the plan was done');
    expect(requests).toBe(120);
  });

  test('above the cap of production runs only when it is allowed', async () => {
    const large = LOAD.replace(', MORE', '');
    requests = 0;
    const refused = await smoke(large, { stage: 'production' });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect([requests, refused.stdout.includes('more with allow-production-load: true')]).toEqual([0, true]);
    const allowed = await smoke(large, { stage: 'production', 'allow-production-load': 'true' });
    expect([allowed.outputs['verdict'], requests]).toEqual(['pass', 2_000]);
  });
});

test.each([
  {
    name: 'of a load',
    checks:
      'load: [{ name: l, stable: "http://old.test", get: /, closed: { count: 1, concurrency: 1 }, rules: ["fail: error-rate > 0%"] }]',
  },
  { name: 'of redirects', checks: 'checks: [{ name: a, get: /, follow-redirects: [old.test] }]' },
])('a further host $name must be allowed, too', async ({ checks }) => {
  requests = 0;
  const run = await smoke(checks, { 'allowed-hosts': '127.0.0.1' });
  expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
  expect([run.stdout.includes('"old.test" is not among them'), requests]).toEqual([true, 0]);
});

test('every number of a load is an output, and a WebSocket in short form is a check', async () => {
  const run = await runBundle({
    action: 'smoke-test',
    inputs: { url: `http://127.0.0.1:${own.port}`, paths: '/', load: '100 requests at 10' },
  });
  const number = (name: string): number => Number(run.outputs[name]);
  expect(run.outputs).toMatchObject({ verdict: 'pass', passed: '1', requests: '100', 'error-rate': '0' });
  expect(number('p50-ms')).toBeGreaterThan(0);
  expect(number('p95-ms')).toBeGreaterThanOrEqual(number('p50-ms'));
  expect(number('p99-ms')).toBeGreaterThanOrEqual(number('p95-ms'));
  expect(number('mean-ms')).toBeGreaterThan(0);
  expect(number('requests-per-second')).toBeGreaterThan(0);
  const closed = `http://127.0.0.1:${await closedPort()}`;
  const socket = await runBundle({ action: 'smoke-test', inputs: { url: closed, websocket: '/ws' } });
  expect(socket.stdout).toMatch(/^WebSocket \/ws: failed .*connection refused/m);
});
