import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type LocalServer, httpServer } from '../../adapters/http/servers.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { type FaultyWorld, SOON, check, openFaultyWorld, resultsOf } from './faulty-world.ts';

let world: FaultyWorld;
beforeAll(async () => {
  world = await openFaultyWorld();
});
afterAll(() => world.close());

/** One run makes all checks of a table, each on a line of its own from the third on. */
const CHECKS: readonly { readonly name: string; readonly rest: string; readonly says: string }[] = [
  { name: '500s', rest: 'get: /500', says: 'status 500, expected <400' },
  {
    name: 'a WebSocket that opens and stays silent',
    rest: `${SOON}, ws: /hello, flow: [{ receive: true }]`,
    says: 'no message within 1s: the WebSocket is open and silent',
  },
  { name: 'a tenth that is never answered', rest: `${SOON}, get: /never`, says: 'no answer within 1s' },
  {
    name: 'a connection closed without a reply',
    rest: 'get: /closes',
    says: 'closed the connection without an answer',
  },
  { name: 'a slow body', rest: `${SOON}, get: /slow-body`, says: 'no complete answer within 1s' },
  { name: 'a redirect loop', rest: 'get: /loop, follow-redirects: same-host', says: 'more than 5 redirects' },
  {
    name: 'a body of 100 MB',
    rest: 'timeout: 60s, get: /huge, expect: { json: { "$.id": 1 } }',
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
    run = await world.smoke(`defaults: { timeout: 10s }\nchecks:\n${lines}`);
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
    { name: 'a closed port', yaml: check('get: /'), at: () => world.closed, says: 'connection refused by 127.0.0.1:' },
    {
      name: 'a self-signed certificate',
      yaml: check('get: /'),
      at: () => world.untrusted,
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
    const done = await world.smoke(yaml, at?.());
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
