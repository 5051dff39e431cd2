import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { milliseconds } from '../../../src/domain/duration.ts';
import { runChecks } from '../../../src/engine/checks/run-checks.ts';
import { NO_SURPRISE } from '../../fakes/chance.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type ScriptedSocket, type Scripted, fakeProber } from '../../fakes/prober.ts';

const END = '\u001e';
const signal = new AbortController().signal;
const NEGOTIATED: Scripted = {
  status: 200,
  body: JSON.stringify({ connectionToken: 'tok en', availableTransports: [{ transport: 'WebSockets' }] }),
};

const resolved = (yaml: string) => {
  const parsed = parseChecks({ version: 1, checks: [parseYaml(yaml) as unknown] }, matchers);
  const document = parsed.ok ? resolveChecks(parsed.value, () => undefined) : parsed;
  if (!document.ok) throw new Error(JSON.stringify(document.problems));
  return document.value;
};

interface World {
  readonly socket: ScriptedSocket;
  readonly web?: Scripted;
  readonly secrets?: readonly string[];
}

async function run(yaml: string, { socket, web = NEGOTIATED, secrets = [] }: World) {
  const clock = fakeClock({ mode: 'automatic' });
  const prober = fakeProber(() => web, {
    sockets: () => socket,
    pass: (length, stop) => clock.sleep(milliseconds(length), stop),
  });
  const target = { url: 'https://lb.test/base', host: 'shop.example.com', headers: { 'x-route': 'green' } };
  const tools = { ...NO_SURPRISE, prober, clock, log: recordingLog() };
  const { checks } = await runChecks({ document: { ...resolved(yaml), secrets }, target }, tools, signal);
  return { check: checks[0], prober };
}

describe('a WebSocket', () => {
  test('passes when it opens: to the address, by the name, with the headers', async () => {
    const { check, prober } = await run('{ name: socket, ws: "/ws?a=1", timeout: 5s }', { socket: {} });
    expect(check).toMatchObject({ verdict: 'pass', method: 'WebSocket', path: '/ws?a=1', answer: { status: 101 } });
    expect(prober.opened).toEqual([
      expect.objectContaining({
        url: 'https://lb.test/base/ws?a=1',
        host: 'shop.example.com',
        headers: expect.objectContaining({ 'x-route': 'green' }),
        timeout: 5_000,
      }),
    ]);
    expect(prober.stillOpen).toBe(0);
  });

  test('is not held to the status and the body that other answers are expected to have', () => {
    const parsed = parseChecks(
      parseYaml(
        'version: 1\ndefaults: { expect: { status: 200, json: { $.ok: true }, body: { contains: ok }, duration: 1s } }\nchecks: [{ name: a, ws: /ws }]',
      ),
      matchers,
    );
    expect(parsed.ok && Object.keys(parsed.value.checks[0]?.expect ?? {})).toEqual(['duration']);
  });

  test.each<{ name: string; yaml: string; socket: ScriptedSocket; reasons: readonly string[] }>([
    {
      name: 'that is not there fails with its status',
      yaml: 'ws: /ws',
      socket: { status: 404 },
      reasons: ['status 404, expected 101'],
    },
    {
      name: 'that opens too slowly fails',
      yaml: 'ws: /ws, expect: { duration: 100ms }',
      socket: { after: 120 },
      reasons: ['answered in 120ms, limit 100ms'],
    },
    {
      name: 'that opens and stays silent fails',
      yaml: 'ws: /ws, timeout: 2s, flow: [{ send: hello, expect: { message: hello } }]',
      socket: {},
      reasons: ['no message within 2s: the WebSocket is open and silent'],
    },
    {
      name: 'that is closed instead of answering fails with the code',
      yaml: 'ws: /ws, flow: [{ send: hello, expect: { message: hello } }]',
      socket: { reply: () => undefined },
      reasons: ['no message: the peer closed the WebSocket (1011, scripted)'],
    },
    {
      name: 'that answers something else fails with it',
      yaml: 'ws: /ws, flow: [{ send: hello, expect: { message: hello } }]',
      socket: { reply: () => ['goodbye'] },
      reasons: ['send: the message is "goodbye", expected "hello"'],
    },
    {
      name: 'whose JSON is wrong fails with the path',
      yaml: 'ws: /ws, flow: [{ receive: true, expect: { json: { "$.state": ready } } }]',
      socket: { greeting: ['{"state":"starting"}'] },
      reasons: ['receive: $.state is "starting", expected "ready"'],
    },
    {
      name: 'that does not answer a ping fails',
      yaml: 'ws: /ws, timeout: 1s, flow: [{ ping: true }]',
      socket: { ping: 'dead' },
      reasons: ['no answer to a ping within 1s: the WebSocket is open and silent'],
    },
  ])('$name', async ({ yaml, socket, reasons }) => {
    const { check, prober } = await run(`{ name: socket, ${yaml} }`, { socket });
    expect(check).toMatchObject({ verdict: 'fail', reasons });
    expect(prober.stillOpen).toBe(0);
  });

  test('makes its turns in order', async () => {
    const yaml = `{ name: s, ws: /ws, flow: [{ receive: true, expect: { message: { contains: welc } } }, { ping: true },
      { send: { a: 1 }, expect: { json: { "$.a": 1 } } }, { send: bye, expect: { message: { matches: "^b" } } }] }`;
    const { check } = await run(yaml, { socket: { greeting: ['welcome'], reply: (message) => [message] } });
    expect(check).toMatchObject({ verdict: 'pass', reasons: [] });
  });

  test('is tried again, as any check', async () => {
    let asked = 0;
    const clock = fakeClock({ mode: 'automatic' });
    const prober = fakeProber(() => NEGOTIATED, {
      sockets: (): ScriptedSocket => ((asked += 1) < 3 ? { status: 503 } : {}),
    });
    const document = resolved('{ name: s, ws: /ws, retry: { count: 5, interval: 10s } }');
    const tools = { ...NO_SURPRISE, prober, clock, log: recordingLog() };
    const result = await runChecks({ document, target: { url: 'http://t', headers: {} } }, tools, signal);
    expect(result.checks[0]).toMatchObject({ verdict: 'pass', tries: 3 });
  });
});

/** A hub that answers by the method's name. */
const hub =
  (results: Readonly<Record<string, object>>, more: readonly string[] = []) =>
  (message: string, earlier: number): readonly string[] => {
    if (earlier === 0) return [`{}${END}`];
    const { invocationId, target } = JSON.parse(message.slice(0, -1)) as { invocationId: string; target: string };
    const result = results[target];
    return [...more, ...(result === undefined ? [] : [JSON.stringify({ type: 3, invocationId, ...result }) + END])];
  };

describe('a SignalR hub', () => {
  const PING = '{ name: hub, signalr: /hub, timeout: 3s, flow: [{ invoke: Ping, expect: { result: pong } }] }';

  test('passes: negotiation, handshake, invocation', async () => {
    const { check, prober } = await run(PING, { socket: { reply: hub({ Ping: { result: 'pong' } }) } });
    expect(check).toMatchObject({ verdict: 'pass', method: 'SignalR', path: '/hub' });
    expect(prober.requests[0]).toMatchObject({
      method: 'POST',
      url: 'https://lb.test/base/hub/negotiate?negotiateVersion=1',
    });
    expect(prober.opened[0]?.url).toBe('https://lb.test/base/hub?id=tok%20en');
  });

  test('is pinged: it answers, or it is said to be silent', async () => {
    const yaml = '{ name: hub, signalr: /hub, timeout: 3s, flow: [{ ping: true }] }';
    const alive = await run(yaml, { socket: { reply: hub({}) } });
    expect(alive.check).toMatchObject({ verdict: 'pass' });
    const dead = await run(yaml, { socket: { reply: hub({}), ping: 'dead' } });
    expect(dead.check).toMatchObject({
      verdict: 'fail',
      reasons: ['no answer to a ping within 3s: the WebSocket is open and silent'],
    });
  });

  test('may send pings and calls of the client in between, in one message', async () => {
    const noise = `{"type":6}${END}{"type":1,"target":"x","arguments":[]}${END}`;
    const { check } = await run(PING, { socket: { reply: hub({ Ping: { result: 'pong' } }, [noise]) } });
    expect(check).toMatchObject({ verdict: 'pass' });
  });

  test.each<{ name: string; world: World; reason: string }>([
    {
      name: 'that does not negotiate',
      world: { web: { status: 404 }, socket: {} },
      reason: 'status 404 to the negotiation, expected 200',
    },
    {
      name: 'that negotiates in something else',
      world: { web: { status: 200, body: '<html>' }, socket: {} },
      reason: 'the negotiation is not answered in JSON',
    },
    {
      name: 'that has no WebSockets',
      world: {
        web: {
          status: 200,
          body: '{"connectionToken":"a","availableTransports":[{"transport":"LongPolling"}]}',
        },
        socket: {},
      },
      reason: 'the hub offers no WebSockets, only LongPolling',
    },
    {
      name: 'that sends its users elsewhere',
      world: { web: { status: 200, body: '{"url":"https://x.service.signalr.net","accessToken":"t"}' }, socket: {} },
      reason: 'the hub sends its users to another address, which is not supported: check that address itself',
    },
    {
      name: 'that never answers',
      world: { socket: {} },
      reason: 'the hub does not answer the handshake within 3s: the WebSocket is open and silent',
    },
    {
      name: 'that refuses the handshake',
      world: { socket: { reply: () => [`{"error":"no such protocol"}${END}`] } },
      reason: 'the hub refuses the handshake: no such protocol',
    },
    {
      name: 'that forgets the end of a frame',
      world: { socket: { reply: () => ['{}'] } },
      reason: 'the hub sends something that is no frame: {}',
    },
    {
      name: 'that never gives the result',
      world: { socket: { reply: hub({}) } },
      reason: 'invoke Ping: no result within 3s: the WebSocket is open and silent',
    },
    {
      name: 'that knows no such method',
      world: { socket: { reply: hub({ Ping: { error: "Unknown hub method 'Ping'" } }) } },
      reason: "invoke Ping: the hub answers an error: Unknown hub method 'Ping'",
    },
    {
      name: 'that closes',
      world: { socket: { reply: hub({}, [`{"type":7,"error":"shutting down"}${END}`]) } },
      reason: 'the hub closes the connection: shutting down',
    },
    {
      name: 'that gives another result',
      world: { socket: { reply: hub({ Ping: { result: 'gnop' } }) } },
      reason: 'invoke Ping: result is "gnop", expected "pong"',
    },
  ])('$name fails', async ({ world, reason }) => {
    const { check, prober } = await run(PING, world);
    expect(check).toMatchObject({ verdict: 'fail', reasons: [reason] });
    expect(prober.stillOpen).toBe(0);
  });

  test('whose server only pings does not look alive', async () => {
    const pings = Array.from({ length: 50 }, () => `{"type":6}${END}`);
    const { check } = await run(PING, { socket: { reply: hub({}, pings) } });
    expect(check).toMatchObject({
      verdict: 'fail',
      reasons: [expect.stringMatching(/^invoke Ping: no result within 3s/)],
    });
  });

  test('no secret is in what it says', async () => {
    const world = { socket: { reply: () => [`{"error":"bad hunter2"}${END}`] }, secrets: ['hunter2'] };
    const { check } = await run(PING, world);
    expect(check?.reasons).toEqual(['the hub refuses the handshake: bad ***']);
  });
});

describe('every address', () => {
  const EVERY = '{ name: all, get: /, addresses: every, expect: { version: { header: x-version, equals: new } } }';
  const names = { 'lb.test': ['10.0.0.1', '10.0.0.2'] };

  test.each([
    { name: 'passes when all pass', old: [], verdict: 'pass', reasons: [] },
    {
      name: 'finds the old version behind one of two',
      old: ['10.0.0.2'],
      verdict: 'fail',
      reasons: ['version old answers, expected new (header x-version) (at 10.0.0.2)'],
    },
  ])('$name', async ({ old, verdict, reasons }) => {
    const prober = fakeProber(
      ({ address = '' }) => ({
        status: 200,
        headers: { 'x-version': old.some((each) => each === address) ? 'old' : 'new' },
      }),
      { names },
    );
    const tools = { ...NO_SURPRISE, prober, clock: fakeClock({ mode: 'automatic' }), log: recordingLog() };
    const target = { url: 'http://lb.test', headers: {} };
    const result = await runChecks({ document: resolved(EVERY), target }, tools, signal);
    expect(result.checks[0]).toMatchObject({ verdict, reasons });
    expect(prober.requests.map(({ address, url }) => `${address} ${url}`)).toEqual([
      '10.0.0.1 http://lb.test/',
      '10.0.0.2 http://lb.test/',
    ]);
  });

  test('of a name that is unknown fails', async () => {
    const tools = {
      ...NO_SURPRISE,
      prober: fakeProber(() => NEGOTIATED),
      clock: fakeClock({ mode: 'automatic' }),
      log: recordingLog(),
    };
    const result = await runChecks(
      { document: resolved(EVERY), target: { url: 'http://gone.test', headers: {} } },
      tools,
      signal,
    );
    expect(result.checks[0]).toMatchObject({ verdict: 'fail', reasons: ['the name of gone.test is unknown'] });
  });
});
