import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runBundle } from './run-bundle.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
let seen: { readonly path: string; readonly now: number }[] = [];

const server = createServer((request, response) => {
  const now = Number(request.headers['x-sluice-now']);
  seen.push({ path: request.url ?? '', now: (now - START) / 1_000 });
  switch (request.url) {
    case '/hang':
      return;
    case '/took-2400':
      response.setHeader('x-sluice-now', String(now + 2_400));
      response.end('slow');
      return;
    default:
      response.end('ok');
  }
});
let target = '';

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const inLockStep = (fixture: string, env: Readonly<Record<string, string>> = {}) =>
  runBundle({ action: { fixture }, clock: { lockStepFrom: START }, env: { TARGET: target, ...env } });

/** `path@second` of two loops, computed: at the same second the one that fell asleep earlier is first. */
function expectedCalls(until: number): readonly string[] {
  const calls = [
    { path: '/five', every: 5 },
    { path: '/seven', every: 7 },
  ].flatMap(({ path, every }) =>
    Array.from({ length: Math.floor(until / every) }, (_, index) => ({
      path,
      at: (index + 1) * every,
      asleepSince: index * every,
    })),
  );
  return calls.sort((a, b) => a.at - b.at || a.asleepSince - b.asleepSince).map(({ path, at }) => `${path}@${at}`);
}

describe('virtual time', () => {
  test('passes half an hour with two loops and 617 calls without waiting, in exactly the expected order', async () => {
    seen = [];
    const result = await inLockStep('two-loops.ts');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(seen.map(({ path, now }) => `${path}@${now}`)).toEqual(expectedCalls(1_800));
    expect(result.stdout).toBe('2026-01-01T00:30:00.000Z 1800000\n');
    // A sixtieth of the virtual time: what is not virtual would take all of it, and no load of a machine comes near.
    expect(result.wall).toBeLessThan(30_000);
  });

  test.each([
    [
      'moves for every form of a wait, and Date and performance follow',
      'every-form',
      [
        'setTimeout 10',
        'wait 20',
        'promisified 30',
        'setInterval 50',
        'date 2026-01-01T00:00:50.000Z true 1970-01-01T00:00:00.000Z 50000',
      ],
    ],
    ['moves on when a request is never answered', 'hung-request', ['AbortError at 30']],
    ['moves to when an answer says that it was given', 'slow-answer', ['fetch 2.4', 'http 4.8']],
    ['ends a wait at its abort, with the reason', 'abort', ['AbortError enough at 5']],
    ['stands still during the short pause of a library', 'retry-pause', ['retried 0', 'other 60']],
    ['is not moved by a limit in real time, which is ten times shorter', 'long-limit', ['limit 0']],
  ])('%s', async (_name, name, expected) => {
    const result = await inLockStep('lock-step.ts', { CASE: name });
    expect(result.stderr).toBe('');
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) =>
          line.replaceAll(/\b1767225[0-9]{3}(\.\d+)?/g, (epoch) =>
            String(Math.round((Number(epoch) - START / 1_000) * 10) / 10),
          ),
        ),
    ).toEqual(expected);
    expect(result.wall).toBeLessThan(30_000);
  });
});
