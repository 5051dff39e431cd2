import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Asking, ask } from './ask.ts';
import { type World, defaultRule, forward, listen, newWorld, targetAt } from './world.ts';
import type { Address, RuleAction } from '../../../sandbox/plane/types.ts';

const world = newWorld();
afterEach(() => world.end());

const SIZED = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf';
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n';

/** A target that answers a head and half a body, and then what `after` does. */
const halfAnswer = (half: string, after: (socket: { destroy(): void }) => void) => (one: World) =>
  one.rawTarget((socket) => {
    socket.once('data', () => socket.write(half, () => after(socket)));
  });

describe('answers when a target fails', () => {
  const rows: { name: string; make: (world: World) => Promise<Address>; status: number; counted?: string }[] = [
    { name: 'nothing listens', make: (one) => one.nobody(), status: 502, counted: 'connectionErrors' },
    {
      name: 'the target drops the connection',
      make: (one) => one.target((request) => request.socket.destroy()),
      status: 502,
    },
    { name: 'the target closes without a word', make: (one) => one.rawTarget((socket) => socket.end()), status: 502 },
    {
      name: 'the target does not speak HTTP',
      make: (one) => one.rawTarget((socket) => socket.end('SSH-2.0-OpenSSH\r\n')),
      status: 502,
    },
    { name: 'the target never answers', make: (one) => one.target(() => undefined), status: 504 },
  ];

  test.each(rows)('$name: $status', async ({ make, status, counted = 'unanswered' }) => {
    const lb = world.balancers({ idleTimeout: 300 });
    lb.setTargets('blue', [targetAt(await make(world))]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    // The last one shows that a body which no target took does not block the connection.
    const asked: Asking[] = [{ method: 'GET' }, { method: 'POST', body: 'x'.repeat(5_000_000) }, { method: 'GET' }];
    for (const asking of asked) {
      const answer = await ask(url, { ...asking, agent });
      expect(answer.status).toBe(status);
      expect(answer.headers['server']).toBe('awselb/2.0');
    }
    agent.destroy();
    expect(lb.counts('blue')).toMatchObject({ requests: 3, [counted]: 3, status5xx: 0, responseTimes: [] });
  });

  test.each([
    { name: 'the target drops in the middle of a sized answer', make: halfAnswer(SIZED, (socket) => socket.destroy()) },
    { name: 'the target drops between two chunks', make: halfAnswer(CHUNKED, (socket) => socket.destroy()) },
    { name: 'the target falls silent in the middle of its answer', make: halfAnswer(CHUNKED, () => undefined) },
  ])('$name: the client sees a broken connection, never a short answer', async ({ make }) => {
    const lb = world.balancers({ idleTimeout: 300 });
    lb.setTargets('blue', [targetAt(await make(world))]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    await expect(ask(url)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
    expect(lb.counts('blue')).toMatchObject({ requests: 1, unanswered: 1, connectionErrors: 0, status2xx: 0 });
  });

  test.each([
    { name: 'the group is empty', action: forward({ blue: 1 }), counted: 1 },
    { name: 'no group has a weight', action: forward({ blue: 0 }), counted: 0 },
    { name: 'the forward names no group', action: forward({}), counted: 0 },
  ] satisfies { name: string; action: RuleAction; counted: number }[])('$name: 503', async ({ action, counted }) => {
    const lb = world.balancers();
    const url = await listen(lb, defaultRule(action));
    expect((await ask(url)).status).toBe(503);
    expect(lb.counts('blue')).toMatchObject({ requests: counted, connectionErrors: counted });
  });

  test('all targets draining: 503', async () => {
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(await world.named('a'), 'draining')]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    expect((await ask(url)).status).toBe(503);
  });
});

describe('counts', () => {
  test('tell answers of the target from failures to get one', async () => {
    const address = await world.target((request, response) => response.writeHead(Number(request.url?.slice(1))).end());
    let now = 1_000;
    const lb = world.balancers({ now: () => now });
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    for (const status of [200, 302, 404, 500]) await ask(`${url}/${status}`);
    now = 61_000;
    await ask(`${url}/503`);
    expect(lb.counts('blue')).toMatchObject({
      requests: 5,
      status2xx: 1,
      status3xx: 1,
      status4xx: 1,
      status5xx: 2,
      connectionErrors: 0,
    });
    expect(lb.window('blue', 60_000)).toMatchObject({ requests: 5, errors: 2, complete: true });
    expect(lb.window('blue', 59_000)).toMatchObject({ requests: 1, errors: 1 });
    expect(lb.range('blue', { from: 0, to: 2_000 })).toMatchObject({ requests: 4, errors: 1 });
    expect(lb.counts('nobody')).toMatchObject({ requests: 0, responseTimes: [] });
  });

  test('time the target by its first byte', async () => {
    const address = await world.target((_request, response) => void setTimeout(() => response.end(), 200));
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    await ask(await listen(lb, defaultRule(forward({ blue: 1 }))));
    const [time = 0] = lb.counts('blue').responseTimes;
    expect(time).toBeGreaterThanOrEqual(195);
    expect(time).toBeLessThan(2_000);
  });

  test('do not blame the target for a client that leaves, and the target is told', async () => {
    const told = Promise.withResolvers<string>();
    const address = await world.target((request) => void request.socket.once('close', () => told.resolve('closed')));
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const client = httpRequest(await listen(lb, defaultRule(forward({ blue: 1 }))));
    client.on('error', () => undefined).end();
    await sleep(150);
    client.destroy();
    expect(await told.promise).toBe('closed');
    expect(lb.window('blue', 60_000)).toMatchObject({ requests: 1, clientClosed: 1, errors: 0 });
  });
});
