import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { milliseconds, seconds } from '../../../src/domain/duration.ts';
import { type ChecksTarget, runChecks } from '../../../src/engine/checks/run-checks.ts';
import { NO_SURPRISE } from '../../fakes/chance.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type Scripted, fakeProber, inTurn } from '../../fakes/prober.ts';

const ENVIRONMENT: Readonly<Record<string, string>> = { TOKEN: 'hunter2' };

const documentOf = (checks: string) => {
  const parsed = parseChecks({ version: 1, checks: parseYaml(checks) as unknown }, matchers);
  const resolved = parsed.ok ? resolveChecks(parsed.value, (name) => ENVIRONMENT[name]) : parsed;
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return resolved.value;
};

type Script = Parameters<typeof fakeProber>[0];

const run = async (checks: string, script: Script, target: Partial<ChecksTarget> = {}) => {
  const clock = fakeClock({ mode: 'automatic' });
  const log = recordingLog();
  const { signal } = new AbortController();
  const prober = fakeProber(script, { pass: (length, stop) => clock.sleep(milliseconds(length), stop) });
  const request = { document: documentOf(checks), target: { url: 'http://app.test', headers: {}, ...target } };
  const result = await runChecks(request, { ...NO_SURPRISE, prober, clock, log }, signal);
  return { result, prober, clock, log };
};

const UP: Scripted = { status: 200, body: '{"status":"healthy"}' };
const DOWN: Scripted = { status: 503, body: '{"status":"unhealthy","components":{"cache":{"status":"unhealthy"}}}' };
const REFUSED: Scripted = { fault: 'refused', message: 'connection refused by app.test' };
const HEALTH = '[{ name: health, get: /health, retry: { count: 30, interval: 10s }, expect: { status: 200 } }]';

describe('one check', () => {
  test('passes at the first good answer', async () => {
    const { result, log } = await run(HEALTH, () => ({ ...UP, after: 40 }));
    expect(result).toEqual({
      verdict: 'pass',
      checks: [
        {
          name: 'health',
          at: ['checks', 0, 'get'],
          method: 'GET',
          path: '/health',
          verdict: 'pass',
          tries: 1,
          durationMs: 40,
          reasons: [],
          answer: { status: 200, durationMs: 40 },
        },
      ],
    });
    expect(log.lines).toEqual(['health: passed (40ms)']);
  });

  test('is tried until it is healthy, and says why it waits', async () => {
    const { result, clock, log } = await run(HEALTH, inTurn(REFUSED, DOWN, DOWN, UP));
    expect(result).toMatchObject({ verdict: 'pass', checks: [{ tries: 4, durationMs: 30_000 }] });
    expect(clock.slept.filter((length) => length > 0)).toEqual([seconds(10), seconds(10), seconds(10)]);
    expect(log.lines).toEqual([
      'health: connection refused by app.test. Try 2 of 30 in 10s',
      'health: status 503, expected 200; component cache is unhealthy. Try 3 of 30 in 10s',
      'health: passed (30s, 4 tries)',
    ]);
  });

  test('repeats an unchanged reason only every 30 s', async () => {
    const { log } = await run(HEALTH, inTurn(...([DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, UP] as const)));
    expect(log.lines.filter((line) => line.includes('503'))).toEqual([
      expect.stringContaining('Try 2 of 30'),
      expect.stringContaining('Try 5 of 30'),
      expect.stringContaining('Try 8 of 30'),
    ]);
  });

  test('fails after its last try, with the reasons of the last answer', async () => {
    const { result, prober, log } = await run(HEALTH, inTurn(REFUSED, DOWN));
    expect(prober.requests).toHaveLength(30);
    expect(result).toMatchObject({
      verdict: 'fail',
      checks: [
        {
          verdict: 'fail',
          tries: 30,
          durationMs: 290_000,
          reasons: ['status 503, expected 200', 'component cache is unhealthy'],
          answer: { status: 503 },
        },
      ],
    });
    expect(log.lines.at(-1)).toBe(
      'health: failed (4m50s, 30 tries): status 503, expected 200; component cache is unhealthy',
    );
  });

  test('is not tried again without retry', async () => {
    const { result } = await run('[{ name: a, get: / }]', () => DOWN);
    expect(result).toMatchObject({ verdict: 'fail', checks: [{ tries: 1 }] });
  });
});

describe('good answers in a row', () => {
  const THREE = '[{ name: a, get: /, retry: { count: 6, interval: 1s, consecutive: 3 } }]';

  test('count from the last bad one', async () => {
    const { result } = await run(THREE, inTurn(UP, UP, DOWN, UP, UP, UP));
    expect(result).toMatchObject({ verdict: 'pass', checks: [{ tries: 6 }] });
  });

  test('that are too few fail the check, whatever the last answer was', async () => {
    const { result } = await run(THREE, inTurn(UP, UP, DOWN, DOWN, UP, UP));
    expect(result).toMatchObject({
      verdict: 'fail',
      checks: [
        { tries: 6, reasons: ['2 good of 3 in a row', 'status 503, expected <400', 'component cache is unhealthy'] },
      ],
    });
  });
});

describe('a warning', () => {
  const WARNS = '[{ name: slow, get: /, warn: { duration: 500ms } }, { name: fine, get: / }]';

  test('is said and does not fail the run', async () => {
    const { result, log } = await run(WARNS, () => ({ status: 200, after: 800 }));
    expect(result).toMatchObject({
      verdict: 'warn',
      checks: [{ verdict: 'warn', reasons: ['answered in 800ms, limit 500ms'] }, { verdict: 'pass' }],
    });
    expect(log.lines[0]).toBe('slow: passed with a warning (800ms): answered in 800ms, limit 500ms');
  });

  test('is not judged on a check that fails', async () => {
    const { result } = await run(WARNS, () => ({ status: 500, after: 800 }));
    expect(result.checks[0]).toMatchObject({ verdict: 'fail', reasons: ['status 500, expected <400'] });
  });
});

describe('several checks', () => {
  const TWO =
    '[{ name: a, get: /a, retry: { count: 5, interval: 10s } }, { name: b, get: [/b, /c], retry: { count: 5, interval: 10s } }]';

  test('are made in the order of the file, and one that fails does not stop the others', async () => {
    const { result, prober } = await run(TWO, ({ url }) => (url.endsWith('/a') ? DOWN : UP));
    expect(prober.requests.map(({ url }) => new URL(url).pathname)).toEqual(['/a', '/a', '/a', '/a', '/a', '/b', '/c']);
    expect(result).toMatchObject({
      verdict: 'fail',
      checks: [
        { name: 'a', verdict: 'fail' },
        { name: 'b /b', verdict: 'pass' },
        { name: 'b /c', verdict: 'pass' },
      ],
    });
  });

  test('of a dead target cost one patience, not one each', async () => {
    const { result, prober } = await run(TWO, () => REFUSED);
    expect(prober.requests).toHaveLength(7);
    expect(result.checks.map(({ verdict, tries }) => [verdict, tries])).toEqual([
      ['fail', 5],
      ['fail', 1],
      ['fail', 1],
    ]);
  });

  test('get their patience back with the first answer', async () => {
    const { result } = await run(TWO, ({ url }, earlier) => (url.endsWith('/a') ? REFUSED : earlier < 7 ? DOWN : UP));
    expect(result.checks.map(({ verdict, tries }) => [verdict, tries])).toEqual([
      ['fail', 5],
      ['pass', 3],
      ['pass', 1],
    ]);
  });
});

test('nothing to check is invalid, neither a pass nor a fail', async () => {
  const clock = fakeClock();
  const target = { url: 'http://app.test', headers: {} };
  const tools = { ...NO_SURPRISE, prober: fakeProber(() => UP), clock, log: recordingLog() };
  const result = await runChecks(
    { document: { checks: [], secrets: [] }, target },
    tools,
    new AbortController().signal,
  );
  expect(result).toEqual({ verdict: 'invalid', checks: [] });
});

describe('a request', () => {
  test('carries the headers of the file, and those of the target win', async () => {
    const checks =
      '[{ name: a, post: /x, json: { a: 1 }, headers: { X-Route: blue, X-Own: 1 }, auth: { bearer: "${TOKEN}" }, timeout: 3s }]';
    const { prober } = await run(checks, () => UP, {
      url: 'https://lb.test:8443/app/',
      host: 'shop.test',
      headers: { 'X-Route': 'green' },
    });
    expect(prober.requests).toEqual([
      {
        method: 'POST',
        url: 'https://lb.test:8443/app/x',
        host: 'shop.test',
        headers: {
          accept: '*/*',
          'user-agent': 'sluice',
          'content-type': 'application/json',
          'x-route': 'green',
          'x-own': '1',
          authorization: 'Bearer hunter2',
        },
        body: '{"a":1}',
        timeout: seconds(3),
        bodyLimit: 1_048_576,
        statusSuffices: expect.any(Function),
      },
    ]);
  });

  test('never shows a secret that the application sends back', async () => {
    const checks = '[{ name: a, get: /, auth: { bearer: "${TOKEN}" }, expect: { json: { "$.token": x } } }]';
    const { result, log } = await run(checks, () => ({ status: 200, body: '{"token":"hunter2"}' }));
    expect(result.checks[0]?.reasons).toEqual(['$.token is "***", expected "x"']);
    expect(JSON.stringify([result, log.entries])).not.toContain('hunter2');
  });
});

test('a secret in the path is sent and not shown', async () => {
  const { result, prober } = await run('[{ name: a, get: "/x?t=${TOKEN}", auth: { bearer: "${TOKEN}" } }]', () => UP);
  expect(prober.requests[0]?.url).toBe('http://app.test/x?t=hunter2');
  expect(result.checks[0]?.path).toBe('/x?t=***');
});

describe('the version', () => {
  const VERSION = '[{ name: a, get: /, retry: { count: 3, interval: 5s }, expect: { version: { json: $.version } } }]';

  test('that is expected is waited for', async () => {
    const script = inTurn({ status: 200, body: '{"version":"old"}' }, { status: 200, body: '{"version":"new"}' });
    const { result, log } = await run(VERSION, script, { expectVersion: 'new' });
    expect(result).toMatchObject({ verdict: 'pass', checks: [{ tries: 2, answer: { version: 'new' } }] });
    expect(log.lines[0]).toBe('a: version old answers, expected new ($.version). Try 2 of 3 in 5s');
  });

  test('of before fails the check, and stands in the result', async () => {
    const { result } = await run(VERSION, () => ({ status: 200, body: '{"version":"old"}' }), { expectVersion: 'new' });
    expect(result).toMatchObject({ verdict: 'fail', checks: [{ answer: { version: 'old' } }] });
  });
});

describe('redirects', () => {
  const script: Script = ({ url }) => {
    switch (new URL(url).pathname) {
      case '/start':
        return { status: 302, headers: { location: '/end' }, after: 100 };
      case '/away':
        return { status: 302, headers: { location: 'http://other.test/end' }, after: 100 };
      case '/loop':
        return { status: 302, headers: { location: '/loop' } };
      case '/broken':
        return { status: 302, headers: { location: '/nothing' } };
      case '/nothing':
        return REFUSED;
      default:
        return { status: 200, after: 50 };
    }
  };
  const check = (path: string, follow: string) =>
    `[{ name: a, post: ${path}, body: b, follow-redirects: ${follow}, expect: { status: 200 }, auth: { bearer: "\${TOKEN}" } }]`;

  test('are not followed by default', async () => {
    const { result, prober } = await run('[{ name: a, get: /start }]', script);
    expect(prober.requests).toHaveLength(1);
    expect(result.checks[0]).toMatchObject({ verdict: 'pass', answer: { status: 302 } });
  });

  test('inside the target keep the credentials, and their times add up', async () => {
    const { result, prober } = await run(check('/start', 'same-host'), script);
    expect(result.checks[0]).toMatchObject({ verdict: 'pass', answer: { status: 200, durationMs: 150 } });
    expect(prober.requests[1]).toMatchObject({ method: 'GET', headers: { authorization: 'Bearer hunter2' } });
    expect(prober.requests[1]).not.toHaveProperty('body');
  });

  test('to an allowed host leave the credentials behind', async () => {
    const { result, prober } = await run(check('/away', '[other.test]'), script);
    expect(result.verdict).toBe('pass');
    expect(prober.requests[1]).toMatchObject({
      url: 'http://other.test/end',
      headers: { accept: '*/*', 'user-agent': 'sluice' },
    });
    expect(prober.requests[1]?.headers).not.toHaveProperty('authorization');
  });

  test.each([
    {
      name: 'to another host',
      path: '/away',
      reason: 'redirect to other.test, which is not in follow-redirects',
      requests: 1,
    },
    { name: 'without end', path: '/loop', reason: 'more than 5 redirects', requests: 6 },
    { name: 'to a peer that is gone', path: '/broken', reason: 'connection refused by app.test', requests: 2 },
  ])('$name fail the check', async ({ path, reason, requests }) => {
    const { result, prober } = await run(check(path, 'same-host'), script);
    expect(result.checks[0]).toMatchObject({ verdict: 'fail', reasons: [reason] });
    expect(prober.requests).toHaveLength(requests);
  });
});

describe('a stop', () => {
  test.each([
    { name: 'while it waits for the next try', script: () => DOWN },
    { name: 'while a request is open', script: (): Scripted => ({ silent: true }) },
  ])('ends the run $name', async ({ script }) => {
    const clock = fakeClock();
    const controller = new AbortController();
    const prober = fakeProber(script, { pass: (length, stop) => clock.sleep(milliseconds(length), stop) });
    const request = { document: documentOf(HEALTH), target: { url: 'http://app.test', headers: {} } };
    const running = runChecks(request, { ...NO_SURPRISE, prober, clock, log: recordingLog() }, controller.signal);
    await clock.advance(seconds(1));
    controller.abort(new Error('stop now'));
    await expect(running).rejects.toThrow('stop now');
    expect(prober.requests).toHaveLength(1);
  });

  test('before the start makes no request', async () => {
    const prober = fakeProber(() => UP);
    const request = { document: documentOf(HEALTH), target: { url: 'http://app.test', headers: {} } };
    const tools = { ...NO_SURPRISE, prober, clock: fakeClock(), log: recordingLog() };
    await expect(runChecks(request, tools, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(prober.requests).toEqual([]);
  });
});
