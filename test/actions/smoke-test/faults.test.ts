import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { selfSigned } from '../../adapters/http/certificate.ts';
import { type LocalServer, closedPort, httpServer, tlsServer, webSocketServer } from '../../adapters/http/servers.ts';
import type { CheckResult } from '../../../src/domain/checks/result.ts';
import type { LoadResult } from '../../../src/domain/load/result.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

/** Every fault that a release may have, at a path each. Nothing here is healthy but `/good`. */
function faulty(): (request: IncomingMessage, response: ServerResponse) => void {
  let asked = 0;
  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    asked += 1;
    const turn = asked;
    switch (path) {
      case '/good':
        return void response.end('{"id":1}');
      case '/500':
        return void response.writeHead(500).end('down');
      case '/never':
        return undefined;
      case '/closes':
        return void request.socket.destroy();
      case '/never-a-tenth':
        return turn % 10 === 0 ? undefined : void response.end();
      case '/closes-half':
        return turn % 2 === 0 ? void request.socket.destroy() : void response.end();
      case '/slow-body':
        response.write('begins');
        return;
      case '/loop':
        return void response.writeHead(302, { location: '/loop' }).end();
      case '/huge':
        return void sendHuge(response);
      case '/broken-json':
        return void response.end('{"id": 1');
      case '/two':
        return void response.end('{"items":[{"id":1},{"id":2}]}');
      case '/stall':
        return void wait(turn % 3 === 0 ? 500 : 1).then(() => response.end());
      case '/old':
        return void response.writeHead(200, { 'x-version': turn % 2 === 0 ? 'old' : 'new' }).end();
      default:
        return void response.writeHead(404).end();
    }
  };
}

async function sendHuge(response: ServerResponse): Promise<void> {
  const piece = Buffer.alloc(65_536, 'x');
  for (let sent = 0; sent < 1_600 && !response.destroyed; sent++) {
    if (!response.write(piece)) await Promise.race([new Promise((next) => response.once('drain', next)), wait(100)]);
  }
  response.end();
}

let server: LocalServer;
let untrusted: LocalServer;
let closed: string;
beforeAll(async () => {
  // `/hello` opens a WebSocket that says nothing.
  server = await webSocketServer(() => undefined, { listener: faulty() });
  untrusted = await tlsServer(selfSigned('shop.example.com'), (_, response) => response.end());
  closed = `http://127.0.0.1:${await closedPort()}`;
});
afterAll(() => Promise.all([server.close(), untrusted.close()]));

const temp = mkdtempSync(join(tmpdir(), 'faults-'));
afterAll(() => rmSync(temp, { recursive: true, force: true }));

const check = (rest: string): string => `checks: [{ name: it, timeout: 400ms, ${rest} }]`;

/** `more` may have a timeout of its own, in place of the usual one. */
const load = (path: string, rules: string, more = '', count = 100): string => {
  const timeout = more.includes('timeout:') ? '' : 'timeout: 400ms, ';
  return `{ name: it, closed: { count: ${count}, concurrency: 10 }, ${timeout}get: ${path}, rules: [${rules}]${more === '' ? '' : `, ${more}`} }`;
};

const smoke = (checks: string, url = `http://127.0.0.1:${server.port}`) =>
  runBundle({
    action: 'smoke-test',
    inputs: { url, checks: 'it.yml' },
    files: { 'it.yml': `version: 1\n${checks}\n` },
    env: { RUNNER_TEMP: temp },
  });

const resultsOf = ({
  outputs,
}: BundleResult): { readonly checks: readonly CheckResult[]; readonly loads: readonly LoadResult[] } =>
  JSON.parse(readFileSync(outputs['results'] ?? '', 'utf8')) as ReturnType<typeof resultsOf>;

/** One run makes all checks of a table, each on a line of its own from the third on. */
const CHECKS: readonly { readonly name: string; readonly rest: string; readonly says: string }[] = [
  { name: '500s', rest: 'get: /500', says: 'status 500, expected <400' },
  {
    name: 'a WebSocket that opens and stays silent',
    rest: 'ws: /hello, flow: [{ receive: true }]',
    says: 'no message within 400ms: the WebSocket is open and silent',
  },
  { name: 'a tenth that is never answered', rest: 'get: /never', says: 'no answer within 400ms' },
  {
    name: 'a connection closed without a reply',
    rest: 'get: /closes',
    says: 'closed the connection without an answer',
  },
  { name: 'a slow body', rest: 'get: /slow-body', says: 'no complete answer within 400ms' },
  { name: 'a redirect loop', rest: 'get: /loop, follow-redirects: same-host', says: 'more than 5 redirects' },
  {
    name: 'a body of 100 MB',
    rest: 'get: /huge, timeout: 30s, expect: { json: { "$.id": 1 } }',
    says: 'the body is longer than the 1048576 characters that are read, so its JSON is not judged',
  },
  {
    name: 'broken JSON',
    rest: 'get: /broken-json, expect: { json: { "$.id": 1 } }',
    says: 'the body is not JSON (no content-type): {"id": 1',
  },
  {
    name: 'the old version behind some answers',
    rest: 'get: /old, retry: { count: 4, interval: 10ms, consecutive: 3 }, expect: { version: { header: x-version, equals: new } }',
    says: 'version old answers, expected new (header x-version)',
  },
];

describe('as a check', () => {
  let run: BundleResult;
  beforeAll(async () => {
    const lines = CHECKS.map(({ name, rest }) => `  - { name: ${name}, ${rest} }`).join('\n');
    run = await smoke(`defaults: { timeout: 400ms }\nchecks:\n${lines}`);
  });

  test.each(CHECKS.map((each, index) => ({ ...each, line: index + 4 })))('$name fails', ({ name, says, line }) => {
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    const made = resultsOf(run).checks.find((each) => each.name === name);
    expect(made).toMatchObject({ verdict: 'fail', reasons: expect.arrayContaining([expect.stringContaining(says)]) });
    expect(run.stdout).toContain(`${name}: failed (`);
    expect(run.annotations).toContainEqual(
      expect.objectContaining({ level: 'error', title: `Check ${name}`, file: 'it.yml', line }),
    );
  });

  test.each<{ name: string; yaml: string; says: string; at?: () => string }>([
    { name: 'a closed port', yaml: check('get: /'), at: () => closed, says: 'connection refused by 127.0.0.1:' },
    {
      name: 'a self-signed certificate',
      yaml: check('get: /'),
      at: () => `https://127.0.0.1:${untrusted.port}`,
      says: 'failed: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
    },
    {
      name: 'a name that does not resolve',
      yaml: check('get: /'),
      at: () => 'http://nobody.invalid',
      says: 'the name of nobody.invalid cannot be resolved',
    },
    {
      name: 'a capture with two matches',
      yaml: 'flows: { it: { flow: [{ get: /two, capture: { id: "$.items[*].id" } }, { get: "/{{ id }}" }] } }',
      says: 'GET /two: capture id: $.items[*].id has 2 matches, expected one',
    },
  ])('$name fails', async ({ yaml, says, at }) => {
    const done = await smoke(yaml, at?.());
    expect(done).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    expect(done.stdout).toContain(says);
    expect(done.annotations).toContainEqual(expect.objectContaining({ level: 'error', file: 'it.yml', line: 2 }));
  });
});

describe('behind a name with two addresses', () => {
  const says = (version: string) => (_: unknown, response: ServerResponse) =>
    void response.writeHead(200, { 'x-version': version }).end();
  const names = pathToFileURL(join(import.meta.dirname, '../../harness/fixtures/names.mjs')).href;
  let servers: readonly LocalServer[];
  beforeAll(async () => {
    const first = await httpServer(says('new'));
    servers = [first, await httpServer(says('old'), { port: first.port, address: '127.0.0.2' })];
  });
  afterAll(() => Promise.all(servers.map((each) => each.close())));

  const run = (addresses: readonly string[], more: string) =>
    runBundle({
      action: 'smoke-test',
      inputs: { url: `http://shop.test:${servers[0]?.port}`, checks: 'it.yml' },
      files: {
        'it.yml': `version: 1\nchecks: [{ name: it, get: /, ${more} expect: { version: { header: x-version, equals: new } } }]\n`,
      },
      env: { NODE_OPTIONS: `--import ${names}`, FAKE_NAMES: JSON.stringify({ 'shop.test': addresses }) },
    });

  test('the wrong version at the second one fails, with its address', async () => {
    const done = await run(['127.0.0.1', '127.0.0.2'], 'addresses: every,');
    expect(done).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
    expect(done.stdout).toContain('version old answers, expected new (header x-version) (at 127.0.0.2)');
    expect(done.annotations).toContainEqual(expect.objectContaining({ level: 'error', file: 'it.yml', line: 2 }));
  });

  test('the right version at both passes', async () => {
    const done = await run(['127.0.0.1', '127.0.0.1'], 'addresses: every,');
    expect(done.outputs).toMatchObject({ verdict: 'pass' });
  });

  test('an address that is refused is not asked, also when another one is not', async () => {
    const done = await run(['127.0.0.1', '169.254.169.254'], 'addresses: every,');
    expect(done.outputs).toMatchObject({ verdict: 'fail' });
    expect(done.stdout).toContain('address 169.254.169.254 is refused');
  });
});

const LIMITS = '"fail: p95 > 300ms", "fail: error-rate > 5%"';

/** One run makes all loads of a table. */
const LOADS: readonly { readonly name: string; readonly yaml: string; readonly says: readonly string[] }[] = [
  {
    name: '500s',
    yaml: load('/500', LIMITS),
    says: ['error-rate 100% > 5% (n=100)', 'status 500, expected <400: 100'],
  },
  {
    name: 'a tenth that is never answered',
    yaml: load('/never-a-tenth', LIMITS),
    says: ['error-rate 10% > 5% (n=100)', 'ms > 300ms (n=100)', 'no answer within 400ms: 10'],
  },
  {
    name: 'half of the connections closed without a reply',
    yaml: load('/closes-half', LIMITS),
    says: ['p95 400ms > 300ms (n=100)', 'closed the connection without an answer'],
  },
  { name: 'stalls of 500 ms', yaml: load('/stall', LIMITS, 'timeout: 5s'), says: ['> 300ms (n=100)'] },
  { name: 'a slow body', yaml: load('/slow-body', LIMITS, '', 20), says: ['no complete answer within 400ms: 20'] },
  {
    name: 'broken JSON',
    yaml: load('/broken-json', LIMITS, 'expect: { json: { "$.id": 1 } }'),
    says: ['the body is not JSON'],
  },
  {
    name: 'a redirect loop',
    yaml: load('/loop', LIMITS, 'follow-redirects: same-host'),
    says: ['more than 5 redirects: 100'],
  },
  {
    name: 'a body of 100 MB',
    yaml: load('/huge', LIMITS, 'timeout: 30s, expect: { json: { "$.id": 1 } }', 20),
    says: ['the body is longer than the 1048576 characters that are read'],
  },
  {
    name: 'an old version among the answers',
    yaml: load('/old', '"fail: error-rate > 5%"', 'expect: { version: { header: x-version, equals: new } }'),
    says: ['error-rate 50% > 5% (n=100)', 'version old: 50', 'version new: 50'],
  },
  {
    name: 'a WebSocket that stays silent',
    yaml: load('/hello', LIMITS, 'flow: [{ receive: true }]', 20).replace('get:', 'ws:'),
    says: ['the WebSocket is open and silent'],
  },
];

describe('under load', () => {
  let run: BundleResult;
  beforeAll(async () => {
    const lines = LOADS.map(({ name, yaml }) => `  - ${yaml.replace('name: it', `name: ${name}`)}`).join('\n');
    run = await smoke(`load:\n${lines}`);
  });

  test.each(LOADS.map((each, index) => ({ ...each, line: index + 3 })))('$name fails', ({ name, says, line }) => {
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    const made = resultsOf(run).loads.find((each) => each.name === name);
    const words = [
      ...(made?.rules ?? []).map((rule) => rule.words),
      ...(made?.reasons ?? []).map(({ reason, count }) => `${reason}: ${count}`),
      ...Object.entries(made?.versions ?? {}).map(([version, count]) => `version ${version}: ${count}`),
    ].join('\n');
    expect(made?.verdict).toBe('fail');
    for (const each of says) expect(words).toContain(each);
    expect(run.annotations).toContainEqual(
      expect.objectContaining({ level: 'error', title: `Load ${name}`, file: 'it.yml', line }),
    );
  });

  test.each([
    { name: 'a closed port', at: () => closed, says: 'connection refused' },
    {
      name: 'a self-signed certificate',
      at: () => `https://127.0.0.1:${untrusted.port}`,
      says: 'self-signed certificate',
    },
    { name: 'a name that does not resolve', at: () => 'http://nobody.invalid', says: 'cannot be resolved' },
  ])('$name fails', async ({ at, says }) => {
    const done = await smoke(`load: [${load('/', LIMITS, '', 20)}]`, at());
    expect(done).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    expect(done.stdout).toContain('error-rate 100% > 5% (n=20)');
    expect(done.summary).toContain(says);
  });

  test('a system that is fine passes, with its numbers', async () => {
    const run = await smoke(
      `load: [${load('/good', '"fail: p95 > 10s", "warn: mean > 5s", "fail: error-rate > 5%"')}]`,
    );
    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'passed', verdict: 'pass', requests: '100', 'error-rate': '0' },
      annotations: [],
    });
    expect(Number(run.outputs['p95-ms'])).toBeGreaterThan(0);
    expect(run.summary).toContain('xychart-beta');
    expect(run.outputs['junit']).toMatch(/\.xml$/);
  });

  test('a claim that 100 answers cannot show is invalid, red, and says what to do', async () => {
    const run = await smoke(`load: [${load('/good', '"fail: p99 > 10s"')}]`);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid', verdict: 'invalid' } });
    expect(run.stdout).toContain('p99 > 10s cannot be shown by 100 answers: it needs 299. Send more, or claim less');
  });

  test('on-invalid: continue stays green and keeps the verdict', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: {
        url: `http://127.0.0.1:${server.port}`,
        paths: '/good',
        load: '100 requests at 10',
        'load-rules': 'fail: p99 > 10s',
        'on-invalid': 'continue',
      },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'invalid', verdict: 'invalid' } });
  });

  test('the short form fails at one error', async () => {
    const inputs = { url: `http://127.0.0.1:${server.port}`, paths: '/good\n/closes-half', load: '40 requests at 2' };
    const run = await runBundle({ action: 'smoke-test', inputs: { ...inputs, timeout: '400ms', 'retry-count': '3' } });
    expect(run.outputs['verdict']).toBe('fail');
    expect(run.stdout).toContain('error-rate');
  });

  test('failed checks keep the load away', async () => {
    const run = await smoke(`${check('get: /500')}\nload: [${load('/good', LIMITS)}]`);
    expect(run.stdout).toContain('The loads are not run, because checks failed');
    expect(run.outputs).toMatchObject({ verdict: 'fail', requests: '' });
  });

  test('production above the cap is refused before the first request', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { url: closed, paths: '/', load: '2000 requests at 10', stage: 'production' },
      files: { 'sluice.yml': 'stages: { production: { environment: production } }\n' },
    });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.stdout).toContain('load load: plans 2000 requests at the stage production');
  });

  test('a host that is not allowed is refused before the first request', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { url: closed, paths: '/', 'allowed-hosts': 'a.test' },
    });
    expect(run.stdout).toContain('allowed-hosts: "127.0.0.1" is not among them. Accepted: a.test');
  });
});
