import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, httpServer, tcpServer } from '../../adapters/http/servers.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

const SECRET = 'pa"ss/w?rd 4711';
/** What a runner would obey, a terminal would draw and a browser would run. */
const EVIL =
  '\n::error title=owned::owned\n  ::add-mask::pass\n##[error]owned\n::stop-commands::x\n\u001b[31mred\u001b]8;;http://evil.test\u0007link\u202egnp.exe\u0000<script>alert(1)</script>|`x`|';

function hostile(request: IncomingMessage, response: ServerResponse): void {
  const told = request.headers['x-api-key'] ?? '';
  switch ((request.url ?? '/').split('?', 1)[0]) {
    case '/evil':
      return void response
        .writeHead(200, { 'x-version': '1 ::error::owned | <b>![log in](http://evil.test) @octocat' })
        .end(EVIL);
    case '/echo':
      return void response.end(
        JSON.stringify({
          plain: told,
          url: encodeURIComponent(String(told)),
          nested: [told],
          basic: Buffer.from(`user:${String(told)}`).toString('base64'),
          short: Buffer.from(String(told)).toString('base64url'),
        }),
      );
    case '/away':
      return void response
        .writeHead(302, { location: `http://evil.test/?k=${encodeURIComponent(String(told))}` })
        .end();
    case '/a':
      return void response.end('a'.repeat(1_048_576));
    case '/deep':
      return void response.end('['.repeat(200_000) + ']'.repeat(200_000));
    default:
      return void response.writeHead(404).end();
  }
}

/** Answers whose framing never ends: extensions of a chunk, and interim answers. */
function endless(socket: Socket): void {
  socket.once('data', (asked) => {
    const piece = asked.toString().startsWith('GET /interim')
      ? 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3_000)
      : `;${'x'.repeat(65_000)}`;
    if (piece.startsWith(';')) socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5');
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', more);
    more();
  });
}

let server: LocalServer;
let framing: LocalServer;
beforeAll(async () => {
  server = await httpServer(hostile);
  framing = await tcpServer(endless);
});
afterAll(() => Promise.all([server.close(), framing.close()]));

const temp = mkdtempSync(join(tmpdir(), 'hostile-'));
afterAll(() => rmSync(temp, { recursive: true, force: true }));

const smoke = (checks: string, more: Readonly<Record<string, string>> = {}): Promise<BundleResult> =>
  runBundle({
    action: 'smoke-test',
    inputs: { url: `http://127.0.0.1:${server.port}`, checks: 'it.yml', ...more },
    files: { 'it.yml': `version: 1\nsecrets: [KEY]\n${checks}\n` },
    env: { KEY: SECRET, RUNNER_TEMP: temp },
  });

/** Everything that leaves a run, the masking of the secret itself left out. */
const all = ({ stdout, stderr, summary, outputs }: BundleResult): string =>
  [
    ...stdout.split('\n').filter((line) => !line.startsWith('::add-mask::')),
    stderr,
    summary,
    JSON.stringify(outputs),
    readFileSync(outputs['results'] ?? '', 'utf8'),
    readFileSync(outputs['junit'] ?? '', 'utf8'),
  ].join('\n');

describe('an application that wants to be obeyed', () => {
  let run: BundleResult;
  beforeAll(async () => {
    run = await smoke(`
checks:
  - { name: body, get: /evil, expect: { json: { "$.a": 1 } } }
  - { name: version, get: /evil, expect: { version: { header: x-version, equals: "2" } } }
flows:
  flow: { flow: [{ get: /evil, capture: { all: { matches: "(?s)(.+)" } } }, { get: "/{{ all }}", expect: { body: { contains: x } } }] }
`);
  });

  test('gives no command to the runner', () => {
    const ours = new Set(['error', 'add-mask']);
    expect(run.commands.map(({ name }) => name).filter((name) => !ours.has(name))).toEqual([]);
    expect(run.annotations.map(({ title }) => title)).toEqual([
      'Check body',
      'Check version',
      'Check flow',
      'smoke-test: failed',
    ]);
    expect(run.stdout).not.toContain('##[error]');
  });

  test('draws nothing on the terminal, and is no HTML', () => {
    const text = all(run);
    expect([...'\u001b\u0007\u0000\u202e'].filter((mark) => text.includes(mark))).toEqual([]);
    expect(run.summary).not.toContain('<script>');
    // Its words are there, and make no link, no picture, no mention and no further cell.
    expect(run.summary).toContain('log in&#93;(http://evil.test)');
    expect(run.summary).not.toMatch(/\]\(|@octocat/);
    const [row = ''] = run.summary.split('\n').filter((line) => line.startsWith('| version '));
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(9);
    expect(readFileSync(run.outputs['junit'] ?? '', 'utf8')).not.toMatch(/<script>|<b>/);
  });

  test('fails, with its words on one line', () => {
    expect(run.outputs).toMatchObject({ verdict: 'fail', failed: '3' });
    expect(run.stdout).toMatch(/^body: failed \(\S+\): the body is not JSON .*owned.*$/m);
  });
});

test('a secret that the application sends back is shown nowhere, however it is spelt', async () => {
  const headers = "headers: { x-api-key: '${KEY}' }";
  const run = await smoke(`
checks:
  - { name: json, get: /echo, ${headers}, expect: { json: { "$.plain": a, "$.url": a, "$.nested[*]": a, "$.none": a, "$.basic": a, "$.short": a } } }
  - { name: body, get: "/echo?key=\${KEY}", ${headers}, expect: { json: { "$.url": a } } }
  - { name: away, get: /away, ${headers}, follow-redirects: same-host }
load:
  - { name: load, closed: { count: 20, concurrency: 2 }, get: "/echo?key=\${KEY}", ${headers}, expect: { json: { "$.url": a } }, rules: ["fail: error-rate > 0%"] }
`);
  const loaded = await smoke(
    `load: [{ name: load, closed: { count: 20, concurrency: 2 }, get: "/echo?key=\${KEY}", ${headers}, expect: { json: { "$.url": a } }, rules: ["fail: error-rate > 0%"] }]`,
  );
  // Of Base64 the part that the secret alone decides.
  const base64 = [
    Buffer.from(`user:${SECRET}`).toString('base64').slice(8, -4),
    Buffer.from(SECRET).toString('base64url').slice(0, -1),
  ];
  const spellings = [
    ...base64,
    SECRET,
    JSON.stringify(SECRET).slice(1, -1),
    encodeURIComponent(SECRET),
    encodeURI(SECRET),
  ];
  for (const text of [all(run), all(loaded)])
    expect(spellings.filter((each) => text.includes(each) || text.includes(JSON.stringify(each)))).toEqual([]);
  expect([run.outputs['failed'], loaded.outputs['verdict']]).toEqual(['3', 'fail']);
  expect(all(run)).toContain('***');
});

test('expressions that make other engines hang end, and deep JSON is judged', async () => {
  const run = await smoke(`
checks:
  - { name: bomb, get: /a, expect: { body: { matches: "^(a*)*b$" } } }
  - { name: deep, get: /deep, expect: { json: { "$..x": 1 } } }
`);
  expect(run).toMatchObject({ timedOut: false, outputs: { verdict: 'fail', failed: '2' } });
});

test('an alias bomb in the checks file is an input problem with its place', async () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++) {
    const [own, before] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)];
    lines.push(`${own}: &${own} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
  }
  const run = await smoke(lines.join('\n'));
  expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
  expect(run.stdout).toContain('it.yml:1:1: grows too large when its aliases are written out');
});

test.each([
  { name: 'extensions of a chunk', path: '/chunk', says: 'more framing than content' },
  { name: 'interim answers', path: '/interim', says: 'more framing than content' },
])('$name without an end are cut off, and fail the load', async ({ path, says }) => {
  const run = await smoke(
    `load: [{ name: load, closed: { count: 20, concurrency: 2 }, timeout: 20s, get: ${path}, rules: ["fail: error-rate > 0%"] }]`,
    { url: `http://127.0.0.1:${framing.port}` },
  );
  expect(run.outputs).toMatchObject({ verdict: 'fail', 'error-rate': '1' });
  expect(run.summary).toContain(says);
});

test('a baseline that lacks numbers is refused: with it every rule would hold', async () => {
  const run = await runBundle({
    action: 'smoke-test',
    inputs: { url: 'http://127.0.0.1:1', paths: '/', load: '100 requests at 1', baseline: 'last.json' },
    files: {
      'last.json': JSON.stringify({
        schema: 'sluice/checks-result/v1',
        loads: [{ name: 'load', all: { name: 'all', requests: 1 }, scenarios: [] }],
      }),
    },
  });
  expect(run.outputs).toMatchObject({ outcome: 'invalid-input' });
  expect(run.stdout).toContain('baseline: "last.json" is not a result file of this action');
});
