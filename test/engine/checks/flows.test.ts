import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { runChecks } from '../../../src/engine/checks/run-checks.ts';
import { verifyRelease } from '../../../src/engine/checks/verify-release.ts';
import type { ProbeRequest } from '../../../src/ports/prober.ts';
import { NO_SURPRISE } from '../../fakes/chance.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type Scripted, fakeProber } from '../../fakes/prober.ts';

const signal = new AbortController().signal;
const ENVIRONMENT: Readonly<Record<string, string>> = { LOGIN_PASSWORD: 'p4ssword' };

const read = (flow: string, top = '') => {
  const parsed = parseChecks(parseYaml(`version: 1\n${top}\nflows:\n  shop:\n    flow:\n${flow}`), matchers);
  return parsed.ok ? resolveChecks(parsed.value, (name) => ENVIRONMENT[name]) : parsed;
};

const good = (flow: string, top = '') => {
  const document = read(flow, top);
  if (!document.ok) throw new Error(JSON.stringify(document.problems));
  return document.value;
};

async function run(flow: string, script: (request: ProbeRequest) => Scripted, top = '') {
  const document = good(flow, top);
  const clock = fakeClock({ mode: 'automatic' });
  const prober = fakeProber(script);
  const masked: string[] = [];
  const log = recordingLog();
  const random = { fraction: () => 0.5, token: () => '0123456789abcdef0123456789abcdef' };
  const { checks } = await runChecks(
    { document, target: { url: 'http://shop.test', headers: {} } },
    { prober, clock, log, random, mask: (secret) => void masked.push(secret) },
    signal,
  );
  return { check: checks[0], prober, clock, masked, log };
}

const LOGIN =
  '- { post: /login, json: { user: "{{ user }}", password: "${LOGIN_PASSWORD}" }, capture: { token: $.data.token } }';
const shop = ({ url, headers }: ProbeRequest): Scripted => {
  if (url.endsWith('/login')) return { status: 200, body: '{"data":{"token":"t-123456"}}', headers: { etag: 'e1' } };
  return { status: headers['authorization'] === 'Bearer t-123456' ? 200 : 401, body: '{"items":[{"id":7},{"id":8}]}' };
};

describe('a flow', () => {
  test('hands what it captured to the later steps, and masks a token before it is used', async () => {
    const flow = `      ${LOGIN}\n      - { get: "/cart?t={{ user }}", auth: { bearer: "{{ token }}" } }\n`;
    const { check, prober, masked } = await run(flow, shop, 'variables: { user: smoke }');
    expect(check).toMatchObject({
      name: 'shop',
      method: 'flow',
      verdict: 'pass',
      path: 'POST /login, GET /cart?t={{ user }}',
    });
    expect(prober.requests.map(({ url, headers, body }) => [url, headers['authorization'], body])).toEqual([
      ['http://shop.test/login', undefined, '{"user":"smoke","password":"p4ssword"}'],
      ['http://shop.test/cart?t=smoke', 'Bearer t-123456', undefined],
    ]);
    expect(masked).toEqual(['t-123456']);
  });

  test('that fails names what it sent and where it stopped, and nothing that it never sent', async () => {
    const flow = `      ${LOGIN}\n      - get: /cart\n      - get: /pay\n      - get: /bye\n`;
    const { check, prober } = await run(flow, shop, 'variables: { user: smoke }');
    expect(prober.requests).toHaveLength(2);
    expect(check).toMatchObject({
      verdict: 'fail',
      path: 'POST /login, GET /cart; stopped at request 2 of 4',
      reasons: ['GET /cart: status 401, expected <400'],
    });
  });

  test.each([
    {
      name: 'two matches',
      capture: 'id: "$.items[*].id"',
      reason: 'capture id: $.items[*].id has 2 matches, expected one',
    },
    { name: 'no match', capture: 'id: $.nothing', reason: 'capture id: $.nothing has no match, expected one' },
    { name: 'a whole object', capture: 'id: "$.items[0]"', reason: 'capture id: $.items[0] is not a single value' },
    {
      name: 'no such header',
      capture: 'id: { header: x-id }',
      reason: 'capture id: header x-id has no match, expected one',
    },
    {
      name: 'two matches of a pattern',
      capture: 'id: { matches: \'"id":(\\d)\' }',
      reason: 'capture id: "id":(\\d) has 2 matches, expected one',
    },
  ])('fails at a capture with $name', async ({ capture, reason }) => {
    const flow = `      - { get: /items, capture: { ${capture} }, expect: { status: 401 } }\n      - { get: "/items/{{ id }}" }\n`;
    const { check, prober } = await run(flow, shop);
    expect(check).toMatchObject({
      verdict: 'fail',
      reasons: [`GET /items: ${reason}`],
      at: ['flows', 'shop', 'flow', 0],
    });
    expect(prober.requests).toHaveLength(1);
  });

  test('fails at broken JSON with words for it', async () => {
    const { check } = await run('      - { get: /a, capture: { id: $.id } }\n', () => ({
      status: 200,
      body: '{"id": 7',
    }));
    expect(check?.reasons).toEqual(['GET /a: capture id: the body is not JSON']);
  });

  test('ends at the first step that fails, and says which', async () => {
    const flow = '      - { get: /a }\n      - { get: /b, expect: { status: 201 } }\n      - { get: /c }\n';
    const { check, prober } = await run(flow, () => ({ status: 200 }));
    expect(check).toMatchObject({ verdict: 'fail', reasons: ['GET /b: status 200, expected 201'] });
    expect(prober.requests).toHaveLength(2);
  });

  test('shows no captured secret, whatever the answer repeats', async () => {
    const flow = `      ${LOGIN.replace('$.data.token', '{ json: $.data.token, secret: true }')}\n      - { get: "/cart/{{ token }}", expect: { body: { matches: "^t-123456 is$" } } }\n`;
    const { check, log } = await run(
      flow,
      ({ url }) => ({
        status: 200,
        body: url.endsWith('/login') ? '{"data":{"token":"t-123456"}}' : 'no',
        headers: { 'x-echo': 't-123456' },
      }),
      'variables: { user: smoke }',
    );
    expect(check?.verdict).toBe('fail');
    expect(JSON.stringify([check, log.entries])).not.toContain('t-123456');
  });

  test('masks a token of a step that fails, and shows it in no reason', async () => {
    const step = LOGIN.replace('$.data.token', '{ json: $.data.token, secret: true }').replace(
      ' capture:',
      ' expect: { json: { "$.data.token": "nope" } }, capture:',
    );
    const { check, masked, log } = await run(`      ${step}\n`, shop, 'variables: { user: smoke }');
    expect(check).toMatchObject({ verdict: 'fail', reasons: [expect.stringContaining('expected "nope"')] });
    expect(masked).toContain('t-123456');
    expect(JSON.stringify([check, log.entries])).not.toContain('t-123456');
  });

  test('a path that a captured value breaks fails, and goes nowhere', async () => {
    const flow = '      - { get: /next, capture: { next: $.next } }\n      - { get: "{{ next }}" }\n';
    const { check, prober } = await run(flow, () => ({ status: 200, body: '{"next":"http://evil.test/"}' }));
    expect(check?.reasons[0]).toContain('is not a path when filled in');
    expect(prober.requests).toHaveLength(1);
  });

  test('thinks between its steps', async () => {
    const { clock } = await run(
      '      - { get: /a }\n      - think: 1s\n      - think: 1s..3s\n      - { get: /b }\n',
      () => ({ status: 200 }),
    );
    expect(clock.slept).toEqual([1_000, 2_000]);
  });

  test('makes random values at its turn', async () => {
    const flow = '      - { get: "/a?n={{ $randomNumber(1,50) }}&t={{ $randomText(4) }}&u={{ $uuid }}" }\n';
    const { prober } = await run(flow, () => ({ status: 200 }));
    expect(prober.requests[0]?.url).toBe('http://shop.test/a?n=26&t=0123&u=01234567-89ab-4def-a123-456789abcdef');
  });

  test('captures from a WebSocket turn', async () => {
    const flow =
      '      - { ws: /ws, flow: [{ receive: true, capture: { id: $.id } }] }\n      - { get: "/{{ id }}" }\n';
    const document = good(flow);
    const prober = fakeProber(() => ({ status: 200 }), { sockets: () => ({ greeting: ['{"id":"a7"}'] }) });
    const tools = { ...NO_SURPRISE, prober, clock: fakeClock({ mode: 'automatic' }), log: recordingLog() };
    await runChecks({ document, target: { url: 'http://t', headers: {} } }, tools, signal);
    expect(prober.requests[0]?.url).toBe('http://t/a7');
  });

  test('of a release that is looked at after its rollout has chance, and what it captured is masked', async () => {
    const masked: string[] = [];
    const flow = `      ${LOGIN}\n      - { get: "/cart?n={{ $uuid }}", auth: { bearer: "{{ token }}" } }\n`;
    const checking = {
      ...NO_SURPRISE,
      document: good(flow, 'variables: { user: smoke }'),
      rules: undefined,
      target: { url: 'http://shop.test', headers: {} },
      prober: fakeProber(shop),
      mask: (secret: string) => void masked.push(secret),
    };
    const tools = { clock: fakeClock({ mode: 'automatic' }), log: recordingLog() };
    expect(await verifyRelease(checking, tools, signal)).toEqual({ kind: 'good' });
    expect(masked).toContain('t-123456');
  });
});

describe('a flow is refused', () => {
  test.each([
    {
      name: 'with a name that nobody captured before',
      flow: '      - { get: "/{{ id }}" }\n      - { get: /b, capture: { id: $.id } }\n',
      problem: 'uses the variable id, which is not defined',
    },
    {
      name: 'with a capture that hides a variable',
      flow: '      - { get: /a, capture: { user: $.id } }\n',
      problem: 'is a variable of the file too',
    },
    {
      name: 'with a missing environment variable',
      flow: '      - { get: "/${GONE}" }\n',
      problem: 'needs the environment variable GONE, which is not set (check GET /${GONE})',
    },
    { name: 'with several paths in a step', flow: '      - { get: [/a, /b] }\n', problem: 'has several paths' },
    { name: 'with a time to think that is none', flow: '      - think: 3s..1s\n', problem: 'is not a time to think' },
    {
      name: 'with an unknown random value',
      flow: '      - { get: "/{{ $rand(1) }}" }\n',
      problem: 'holds {{ $rand(1) }}, which is no random value',
    },
  ])('$name', ({ flow, problem }) => {
    const document = read(flow, 'variables: { user: smoke }');
    expect(document.ok ? [] : document.problems.map((each) => each.problem)).toEqual([problem]);
  });
});
