import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { type FaultyWorld, SOON, check, load, openFaultyWorld, resultsOf } from './faulty-world.ts';

let world: FaultyWorld;
beforeAll(async () => {
  world = await openFaultyWorld();
});
afterAll(() => world.close());

const LIMITS = '"fail: p95 > 300ms", "fail: error-rate > 5%"';
/** What a few answers can show. */
const NO_ERROR = '"fail: error-rate > 0%"';

/** One run makes all loads of a table. */
const LOADS: readonly { readonly name: string; readonly yaml: string; readonly says: readonly RegExp[] }[] = [
  {
    name: '500s',
    yaml: load('/500', LIMITS),
    says: [/error-rate 100% > 5% \(n=100\)/, /^status 500, expected <400: 100$/m],
  },
  {
    // At least: a machine that stands still for a second is late with some of the others, too.
    name: 'a tenth that is never answered',
    yaml: load('/never-a-tenth', LIMITS, SOON),
    says: [/error-rate [1-9]\d% > 5% \(n=100\)/, /^p95 \d+ms > 300ms \(n=100\)$/m, /^no answer within 1s: [1-9]\d$/m],
  },
  {
    name: 'half of the connections closed without a reply',
    yaml: load('/closes-half', LIMITS),
    says: [
      /error-rate 50% > 5% \(n=100\)/,
      /^p95 100\d\dms > 300ms \(n=100\)$/m,
      /closed the connection without an answer: 50$/m,
    ],
  },
  { name: 'stalls of 500 ms', yaml: load('/stall', LIMITS), says: [/^p95 \d+ms > 300ms \(n=100\)$/m] },
  {
    name: 'a slow body',
    yaml: load('/slow-body', NO_ERROR, SOON, 20),
    says: [/error-rate 100% > 0%/, /^no complete answer within 1s: \d+$/m],
  },
  {
    name: 'broken JSON',
    yaml: load('/broken-json', LIMITS, 'timeout: 10s, expect: { json: { "$.id": 1 } }'),
    says: [/^the body is not JSON .*: 100$/m],
  },
  {
    name: 'a redirect loop',
    yaml: load('/loop', LIMITS, 'timeout: 10s, follow-redirects: same-host'),
    says: [/^more than 5 redirects: 100$/m],
  },
  {
    name: 'a body of 100 MB',
    yaml: load('/huge', NO_ERROR, 'timeout: 60s, expect: { json: { "$.id": 1 } }', 20),
    says: [/^the body is longer than the 1048576 characters that are read.*: 20$/m],
  },
  {
    name: 'an old version among the answers',
    yaml: load(
      '/old',
      '"fail: error-rate > 5%"',
      'timeout: 10s, expect: { version: { header: x-version, equals: new } }',
    ),
    says: [/error-rate 50% > 5% \(n=100\)/, /^version old: 50$/m, /^version new: 50$/m],
  },
  {
    name: 'a WebSocket that stays silent',
    yaml: load('/hello', NO_ERROR, `${SOON}, flow: [{ receive: true }]`, 20).replace('get:', 'ws:'),
    says: [/error-rate \d+% > 0%/, /the WebSocket is open and silent: \d+$/m],
  },
];

describe('under load', () => {
  let run: BundleResult;
  beforeAll(async () => {
    const lines = LOADS.map(({ name, yaml }) => `  - ${yaml.replace('name: it', `name: ${name}`)}`).join('\n');
    run = await world.smoke(`load:\n${lines}`);
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
    for (const each of says) expect(words).toMatch(each);
    expect(run.annotations).toContainEqual(
      expect.objectContaining({
        level: 'error',
        title: expect.stringContaining(`Load ${name}, fail: `) as unknown as string,
        file: 'it.yml',
        line,
      }),
    );
  });

  test.each([
    { name: 'a closed port', at: () => world.closed, says: 'connection refused' },
    {
      name: 'a self-signed certificate',
      at: () => world.untrusted,
      says: 'self-signed certificate',
    },
    { name: 'a name that does not resolve', at: () => 'http://nobody.invalid', says: 'cannot be resolved' },
  ])('$name fails', async ({ at, says }) => {
    const done = await world.smoke(`load: [${load('/', NO_ERROR, 'timeout: 10s', 20)}]`, at());
    expect(done).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', verdict: 'fail' } });
    expect(done.stdout).toContain('error-rate 100% > 0% (n=20)');
    expect(done.summary).toContain(says);
  });

  test('a system that is fine passes, with its numbers', async () => {
    const run = await world.smoke(
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

  // Time ends it, and the system answers one request in it: nobody knew before.
  test('a claim that the answers cannot show is invalid, red, and says what to do', async () => {
    const run = await world.smoke(
      'load: [{ name: it, closed: { duration: 300ms, concurrency: 1 }, get: /stall, rules: ["fail: p99 > 10s"] }]',
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid', verdict: 'invalid' } });
    expect(run.stdout).toMatch(/p99 > 10s cannot be shown by \d answers: it needs 299\. Send more, or claim less/);
  });

  test('on-invalid: continue stays green, keeps the verdict, and is a warning', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: {
        url: world.url,
        paths: '/stall',
        load: '300ms at 1',
        'load-rules': 'fail: p99 > 10s',
        'on-invalid': 'continue',
      },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'invalid', verdict: 'invalid' } });
    expect(run.annotations.map(({ level }) => level)).toEqual(['warning']);
  });

  test('the short form fails at one error', async () => {
    const inputs = { url: world.url, paths: '/closes-half', load: '40 requests at 2' };
    const run = await runBundle({ action: 'smoke-test', inputs: { ...inputs, 'retry-count': '3' } });
    expect(run.outputs['verdict']).toBe('fail');
    expect(run.stdout).toContain('error-rate');
  });

  test('failed checks keep the load away', async () => {
    const run = await world.smoke(`${check('get: /500')}\nload: [${load('/good', LIMITS)}]`);
    expect(run.stdout).toContain('The loads are not run, because checks failed');
    expect(run.outputs).toMatchObject({ verdict: 'fail', requests: '' });
    expect(run.summary).toMatch(/^Not run, because checks failed: load \S+\.$/m);
    // A report of tests over time keeps a row for each rule.
    const junit = readFileSync(run.outputs['junit'] ?? '', 'utf8');
    expect(junit.match(/<skipped message="not run, because checks failed"\/>/g)).toHaveLength(2);
  });

  test('production above the cap is refused before the first request', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { url: world.closed, paths: '/', load: '2000 requests at 10', stage: 'production' },
      files: { 'sluice.yml': 'stages: { production: { environment: production } }\n' },
    });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.stdout).toContain('load load: plans 2000 requests at the stage production');
  });

  test('a host that is not allowed is refused before the first request', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { url: world.closed, paths: '/', 'allowed-hosts': 'a.test' },
    });
    expect(run.stdout).toContain('allowed-hosts: "127.0.0.1" is not among them. Accepted: a.test');
  });
});
