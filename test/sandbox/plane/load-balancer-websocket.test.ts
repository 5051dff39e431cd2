import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { ask } from './ask.ts';
import { defaultRule, forward, listen, newWorld, targetAt } from './world.ts';

const world = newWorld();
afterEach(() => world.end());

interface Opened {
  readonly socket: WebSocket;
  /** What the target said first: its name. */
  readonly name: string;
}

/** Opens a WebSocket; rejects with the status when the answer is no 101. */
const open = (url: string): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.once('message', (data) => resolve({ socket, name: String(data) }));
    socket.once('unexpected-response', (_request, response) => reject(new Error(`status ${response.statusCode}`)));
    socket.on('error', reject);
  });

const echo = ({ socket }: Opened, text: string): Promise<string> =>
  new Promise((resolve) => {
    socket.once('message', (data) => resolve(String(data)));
    socket.send(text);
  });

const closing = ({ socket }: Opened): Promise<number> => new Promise((resolve) => socket.once('close', resolve));

test('messages of any size go both ways', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(await world.named('blue'))]);
  const opened = await open(await listen(lb, defaultRule(forward({ blue: 1 }))));
  expect(await echo(opened, 'hello')).toBe('hello');
  expect(await echo(opened, 'x'.repeat(200_000))).toHaveLength(200_000);
  opened.socket.terminate();
  expect(lb.counts('blue')).toMatchObject({ requests: 1, connectionErrors: 0, status5xx: 0 });
});

test('a message that comes with the handshake is not lost', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(await world.named('blue'))]);
  const url = await listen(lb, defaultRule(forward({ blue: 1 })));
  const handshake = `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'A'.repeat(22)}==\r\n\r\n`;
  // A text frame of 5 bytes under a mask of zeros, as RFC 6455 5.2 lays it out.
  const frame = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('early')]);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(Buffer.concat([Buffer.from(handshake), frame]));
  const seen = Promise.withResolvers<string>();
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    [text].filter((all) => all.includes('early')).forEach(seen.resolve);
  });
  expect(await seen.promise).toMatch(/^HTTP\/1.1 101 /);
  socket.destroy();
});

test('new ones follow the live weights, open ones stay through a change and through draining', async () => {
  const lb = world.balancers();
  const blue = await world.named('blue');
  lb.setTargets('blue', [targetAt(blue)]);
  lb.setTargets('green', [targetAt(await world.named('green'))]);
  const url = await listen(lb, defaultRule(forward({ blue: 100, green: 0 })));
  const old = await open(url);
  await listen(lb, defaultRule(forward({ blue: 0, green: 100 })));
  lb.setTargets('blue', [targetAt(blue, 'draining')]);
  lb.setTargets('blue', []);
  const fresh = await open(url);
  expect([old.name, fresh.name]).toEqual(['blue', 'green']);
  expect(await echo(old, 'still here')).toBe('still here');
  old.socket.terminate();
  fresh.socket.terminate();
});

test('a target that refuses the connection gives 502', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(await world.nobody())]);
  await expect(open(await listen(lb, defaultRule(forward({ blue: 1 }))))).rejects.toThrow('status 502');
  expect(lb.counts('blue')).toMatchObject({ requests: 1, connectionErrors: 1 });
});

test('a target that drops the connection gives 502', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(await world.rawTarget((socket) => socket.once('data', () => socket.destroy())))]);
  await expect(open(await listen(lb, defaultRule(forward({ blue: 1 }))))).rejects.toThrow('status 502');
});

test('a target that never answers gives 504', async () => {
  const lb = world.balancers({ idleTimeout: 300 });
  lb.setTargets('blue', [targetAt(await world.rawTarget(() => undefined))]);
  await expect(open(await listen(lb, defaultRule(forward({ blue: 1 }))))).rejects.toThrow('status 504');
  expect(lb.counts('blue')).toMatchObject({ requests: 1, unanswered: 1 });
});

test('an empty group gives 503', async () => {
  await expect(open(await listen(world.balancers(), defaultRule(forward({ blue: 1 }))))).rejects.toThrow('status 503');
});

test('a refusal of the target itself reaches the client as it is', async () => {
  const address = await world.target((_request, response) => response.writeHead(403).end('no'));
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(address)]);
  await expect(open(await listen(lb, defaultRule(forward({ blue: 1 }))))).rejects.toThrow('status 403');
  expect(lb.counts('blue')).toMatchObject({ requests: 1, status4xx: 1, connectionErrors: 0 });
});

test('a target that goes away takes its connections along', async () => {
  const lb = world.balancers();
  const sockets: { destroy(): void }[] = [];
  const address = await world.named('blue');
  const between = await world.rawTarget((socket) => {
    const onward = connect(address.port, address.host);
    socket.pipe(onward).pipe(socket);
    onward.on('error', () => undefined);
    sockets.push(socket);
  });
  lb.setTargets('blue', [targetAt(between)]);
  const opened = await open(await listen(lb, defaultRule(forward({ blue: 1 }))));
  const closed = closing(opened);
  sockets[0]?.destroy();
  expect(await closed).toBe(1006);
});

test('silence in both directions ends at the idle timeout, and any message holds it open', async () => {
  const lb = world.balancers({ idleTimeout: 600 });
  lb.setTargets('blue', [targetAt(await world.named('blue'))]);
  const opened = await open(await listen(lb, defaultRule(forward({ blue: 1 }))));
  const closed = closing(opened);
  for (let index = 0; index < 5; index += 1) {
    await sleep(200);
    expect(await echo(opened, 'x')).toBe('x');
  }
  expect(await closed).toBe(1006);
});

test('other protocols to upgrade to are ignored, as an ALB does', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', [targetAt(await world.named('blue'))]);
  const url = await listen(lb, defaultRule(forward({ blue: 1 })));
  const answer = await ask(url, {
    headers: { connection: 'upgrade, http2-settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' },
  });
  expect([answer.status, answer.body]).toEqual([200, 'blue']);
});
