import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { type LocalServer, closedPort, tlsServer, webSocketServer } from '../../adapters/http/servers.ts';
import { runBundle } from '../../harness/run-bundle.ts';

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

const smoke = async (checks: string, url = `http://127.0.0.1:${server.port}`) =>
  runBundle({
    action: 'smoke-test',
    inputs: { url, checks: 'it.yml' },
    files: { 'it.yml': `version: 1\n${checks}\n` },
  });

const check = (rest: string): string => `checks: [{ name: it, timeout: 400ms, ${rest} }]`;
const load = (path: string, rules: string, more = ''): string =>
  `load: [{ name: it, closed: { count: 100, concurrency: 10 }, timeout: 400ms, get: ${path}, rules: [${rules}] ${more} }]`;

describe('as a check', () => {
  test.each<{ name: string; yaml: string; says: string; at?: () => string }>([
    { name: '500s', yaml: check('get: /500'), says: 'it: failed (~): status 500, expected <400' },
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
      name: 'a WebSocket that opens and stays silent',
      yaml: check('ws: /hello, flow: [{ receive: true }]'),
      says: 'no message within 400ms: the WebSocket is open and silent',
    },
    { name: 'a slow body', yaml: check('get: /slow-body'), says: 'no complete answer within 400ms' },
    {
      name: 'a redirect loop',
      yaml: check('get: /loop, follow-redirects: same-host'),
      says: 'more than 5 redirects',
    },
    {
      name: 'a body of 100 MB',
      yaml: check('get: /huge, expect: { json: { "$.id": 1 } }').replace('400ms', '8s'),
      says: 'the body is longer than the 1048576 characters that are read, so its JSON is not judged',
    },
    {
      name: 'broken JSON',
      yaml: check('get: /broken-json, expect: { json: { "$.id": 1 } }'),
      says: 'the body is not JSON (no content-type): {"id": 1',
    },
    {
      name: 'a capture with two matches',
      yaml: 'flows: { it: { flow: [{ get: /two, capture: { id: "$.items[*].id" } }, { get: "/{{ id }}" }] } }',
      says: 'GET /two: capture id: $.items[*].id has 2 matches, expected one',
    },
    {
      name: 'the old version behind some answers',
      yaml: check(
        'get: /old, retry: { count: 4, interval: 10ms, consecutive: 3 }, expect: { version: { header: x-version, equals: new } }',
      ),
      says: 'version old answers, expected new (header x-version)',
    },
  ])('$name fails', async ({ yaml, says, at }) => {
    const run = await smoke(yaml, at?.());
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    expect(run.stdout.replaceAll(/\(\d[\d.]*m?s/g, '(~')).toContain(says);
    expect(run.annotations).toContainEqual(expect.objectContaining({ level: 'error', file: 'it.yml', line: 2 }));
  });
});

describe('under load', () => {
  const LIMITS = '"fail: p95 > 300ms", "fail: error-rate > 5%"';
  test.each<{ name: string; yaml: string; says: readonly string[]; at?: () => string }>([
    {
      name: '500s',
      yaml: load('/500', LIMITS),
      says: ['error-rate 100% > 5% (n=100)', '| status 500, expected &lt;400 | 100 |'],
    },
    {
      name: 'a tenth that is never answered',
      yaml: load('/never-a-tenth', LIMITS),
      says: ['error-rate 10% > 5% (n=100)', 'ms > 300ms (n=100)', '| no answer within 400ms | 10 |'],
    },
    {
      name: 'half of the connections closed without a reply',
      yaml: load('/closes-half', LIMITS),
      says: ['p95 400ms > 300ms (n=100)', 'closed the connection without an answer'],
    },
    {
      name: 'a closed port',
      yaml: load('/', LIMITS).replace('count: 100', 'count: 20'),
      at: () => closed,
      says: ['error-rate 100% > 5% (n=20)', 'connection refused'],
    },
    { name: 'stalls of 500 ms', yaml: load('/stall', LIMITS).replace('400ms', '5s'), says: ['> 300ms (n=100)'] },
    {
      name: 'a slow body',
      yaml: load('/slow-body', LIMITS).replace('100', '60'),
      says: ['no complete answer within 400ms'],
    },
    {
      name: 'an old version among the answers',
      yaml: load('/old', '"fail: error-rate > 5%"', ', expect: { version: { header: x-version, equals: new } }'),
      says: ['error-rate 50% > 5% (n=100)', '| old | 50 |', '| new | 50 |'],
    },
    {
      name: 'a WebSocket that stays silent',
      yaml: `checks: [{ name: other, get: /good }]\n${load('/good', LIMITS)
        .replace('get: /good', 'ws: /hello, flow: [{ receive: true }]')
        .replace('count: 100', 'count: 60')}`,
      says: ['the WebSocket is open and silent'],
    },
  ])('$name fails', async ({ yaml, says, at }) => {
    const run = await smoke(yaml, at?.());
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    for (const words of says) expect(run.summary + run.stdout).toContain(words);
    expect(run.annotations).toContainEqual(
      expect.objectContaining({ level: 'error', title: 'Load it', file: 'it.yml' }),
    );
  });

  test('a system that is fine passes, with its numbers', async () => {
    const run = await smoke(load('/good', '"fail: p95 > 10s", "warn: mean > 5s", "fail: error-rate > 5%"'));
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
    const run = await smoke(load('/good', '"fail: p99 > 10s"'));
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
    const run = await smoke(`${check('get: /500')}\n${load('/good', LIMITS)}`);
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
