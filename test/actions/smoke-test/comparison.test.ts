import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, httpServer } from '../../adapters/http/servers.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

let fast: LocalServer;
let slow: LocalServer;
beforeAll(async () => {
  fast = await httpServer((_, response) => void setTimeout(() => response.end(), 5));
  // Far apart: the machine that tests may stand still for a while, and must not blur them.
  slow = await httpServer((_, response) => void setTimeout(() => response.end(), 500));
});
afterAll(() => Promise.all([fast.close(), slow.close()]));

const temp = mkdtempSync(join(tmpdir(), 'comparison-'));
afterAll(() => rmSync(temp, { recursive: true, force: true }));

const urlOf = ({ port }: LocalServer): string => `http://127.0.0.1:${port}`;

/** Both releases share one load. */
const compare = (
  sides: { readonly own: LocalServer; readonly stable: LocalServer },
  rest: string,
): Promise<BundleResult> =>
  runBundle({
    action: 'smoke-test',
    inputs: { url: urlOf(sides.own), checks: 'checks.yml' },
    files: { 'checks.yml': `version: 1\nload: [{ name: l, stable: '${urlOf(sides.stable)}', get: /, ${rest} }]\n` },
  });

describe('old and new end points loaded in alternation', () => {
  test('a new one that is slower for certain fails, with the bound', async () => {
    const run = await compare(
      { own: slow, stable: fast },
      'closed: { count: 480, concurrency: 40 }, rules: ["fail: p95 > stable + 50ms"]',
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail', requests: '240' } });
    expect(run.stdout).toMatch(
      /p95 \d+ms beside stable \d+ms: \+\d+ms, at least \+\d+ms with 95 % confidence, limit stable \+ 50ms \(n=240, stable n=240\)/,
    );
    expect(run.summary).toMatch(/\| fail: p95 > stable \+ 50ms \| broken \|/);
  });

  test('the same one on both sides passes', async () => {
    const run = await compare(
      { own: fast, stable: fast },
      'closed: { count: 2000, concurrency: 10 }, rules: ["fail: p50 > stable + 500ms", "fail: error-rate > stable + 5pp"]',
    );
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
    expect(run.summary).toContain('error-rate +0 pp from stable, at most');
  });

  test('too few answers prove neither: invalid, red, and says what to do', async () => {
    const run = await compare(
      { own: slow, stable: fast },
      'closed: { duration: 300ms, concurrency: 2 }, rules: ["fail: p95 > stable + 10%"]',
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'invalid' } });
    expect(run.stdout).toMatch(
      /p95 > stable \+ 10% cannot be compared by \d+ answers of a side: it needs 200\. Send more/,
    );
  });
});

test('the result file of an earlier run is the baseline of the next one', async () => {
  const load = (rules: string): string =>
    `version: 1\nload: [{ name: l, closed: { count: 60, concurrency: 20 }, get: /, rules: ["${rules}"] }]\n`;
  const measure = (server: LocalServer, rules: string, more: Readonly<Record<string, string>> = {}) =>
    runBundle({
      action: 'smoke-test',
      inputs: { url: urlOf(server), checks: 'checks.yml', ...(more['last.json'] ? { baseline: 'last.json' } : {}) },
      files: { 'checks.yml': load(rules), ...more },
      env: { RUNNER_TEMP: temp },
    });
  const before = await measure(fast, 'fail: error-rate > 0%');
  const last = { 'last.json': readFileSync(before.outputs['results'] ?? '', 'utf8') };
  const slower = await measure(slow, 'fail: p50 > stable + 200ms', last);
  expect(slower).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
  expect(slower.stdout).toMatch(/p50 \d+ms > \d+ms \(stable \+ 200ms\) \(n=60\)/);
  const same = await measure(fast, 'fail: p50 > stable + 5000ms', last);
  expect(same).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
});
