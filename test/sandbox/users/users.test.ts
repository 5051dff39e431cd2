import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import type { UserCounts } from '../../../sandbox/users/ledger.ts';
import { type Users, type UsersOptions, startUsers } from '../../../sandbox/users/start-users.ts';

const servers: Server[] = [];
const started: Users[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((users) => users.stop()));
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serving(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function start(options: Partial<UsersOptions> & { readonly url: string }): Users {
  const users = startUsers({ ratePerSecond: 100, paths: ['/'], timeout: 1_000, ...options });
  started.push(users);
  return users;
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The promise of the generator: nothing is lost and nothing counts twice. */
function expectHonest(counts: UserCounts, users: Users): void {
  expect(counts.open).toBe(0);
  expect(counts.ok + counts.failed).toBe(counts.sent);
  expect(total(counts.failedByReason)).toBe(counts.failed);
  const seconds = users.timeline();
  expect(seconds.reduce((sum, { sent }) => sum + sent, 0)).toBe(counts.sent);
  expect(seconds.reduce((sum, { ok }) => sum + ok, 0)).toBe(counts.ok);
  expect(seconds.reduce((sum, { failed }) => sum + failed, 0)).toBe(counts.failed);
}

describe('every planned request ends in exactly one counter', () => {
  let turn = 0;
  const inTurn =
    (...listeners: RequestListener[]): RequestListener =>
    (request, response) => {
      turn += 1;
      listeners[turn % listeners.length]?.(request, response);
    };
  const good: RequestListener = (_request, response) => response.setHeader('x-app-version', '1.4.0').end('ok');
  const reset: RequestListener = (request) => request.socket.resetAndDestroy();
  const closed: RequestListener = (request) => request.socket.destroy();
  const half: RequestListener = (request, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('half');
    setTimeout(() => request.socket.destroy(), 20);
  };
  const never: RequestListener = () => undefined;
  const noEnd: RequestListener = (_request, response) => response.write('begin');
  const status =
    (code: number): RequestListener =>
    (_request, response) =>
      response.writeHead(code).end();

  test.each([
    { name: 'good answers', listener: good, reasons: [] },
    { name: 'answers of 500', listener: inTurn(good, status(500)), reasons: ['status 500'] },
    { name: 'answers of 404', listener: status(404), reasons: ['status 404'] },
    { name: 'redirects', listener: status(302), reasons: [] },
    { name: 'resets', listener: inTurn(good, reset), reasons: ['reset'] },
    { name: 'connections closed without a word', listener: inTurn(good, closed), reasons: ['reset'] },
    { name: 'answers cut short', listener: inTurn(good, half), reasons: ['reset'] },
    { name: 'no answers', listener: inTurn(good, never), reasons: ['timeout'] },
    { name: 'answers without an end', listener: inTurn(good, noEnd), reasons: ['timeout'] },
    {
      name: 'all of it',
      listener: inTurn(good, status(500), reset, half, never),
      reasons: ['reset', 'status 500', 'timeout'],
    },
  ])('$name', async ({ listener, reasons }) => {
    const users = start({ url: (await serving(listener)).url, ratePerSecond: 200 });
    await sleep(250);
    const counts = await users.stop();
    expect(counts.sent).toBeGreaterThan(15);
    expect(Object.keys(counts.failedByReason).sort()).toEqual(reasons);
    expectHonest(counts, users);
    expect(counts.responseTimes).toHaveLength(counts.sent);
  });

  test('connections refused', async () => {
    const closing = createSocketServer();
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
    const { port } = closing.address() as AddressInfo;
    await new Promise((resolve) => closing.close(resolve));
    const users = start({ url: `http://127.0.0.1:${port}` });
    await sleep(300);
    const counts = await users.stop();
    expect(counts.failedByReason).toEqual({ refused: counts.sent });
    expectHonest(counts, users);
  });

  test('something else than HTTP', async () => {
    const other = createSocketServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const users = start({ url: `http://127.0.0.1:${(other.address() as AddressInfo).port}` });
    await sleep(300);
    const counts = await users.stop();
    other.close();
    expect(counts.ok).toBe(0);
    expectHonest(counts, users);
  });

  test('more open at once than the cap: failed, never left out', async () => {
    const users = start({ url: (await serving(() => undefined)).url, maxOpen: 5, ratePerSecond: 200, timeout: 5_000 });
    await sleep(300);
    expect(users.counts().open).toBe(5);
    servers[0]?.closeAllConnections();
    const counts = await users.stop();
    expect(counts.failedByReason['too many open']).toBeGreaterThan(10);
    expectHonest(counts, users);
  });
});

/** A service that answers nobody until `thaw`, and then all who waited. */
async function frozenService(): Promise<{ url: string; thaw: () => void }> {
  const thawed = Promise.withResolvers<void>();
  const { url } = await serving((_request, response) => void thawed.promise.then(() => response.end()));
  return { url, thaw: thawed.resolve };
}

describe('an open model', () => {
  test('goes on at its rate while the service stands still, and the stall shows in the times of all who came in it', async () => {
    const { url, thaw } = await frozenService();
    const began = performance.now();
    const users = start({ url, arrivals: 'uniform', ratePerSecond: 100, timeout: 5_000 });
    await sleep(1_000);
    const during = users.counts();
    const stall = performance.now() - began;
    expect(during).toMatchObject({ ok: 0, failed: 0 });
    expect(during.sent).toBeGreaterThan(80);
    thaw();
    await sleep(300);
    const counts = await users.stop();
    expect(counts.failed).toBe(0);
    // Uniform arrivals in a stall of a second wait half of it on average, and the first of them all of it.
    const stalled = counts.responseTimes.slice(0, during.sent);
    const mean = stalled.reduce((sum, time) => sum + time, 0) / stalled.length;
    expect(mean).toBeGreaterThan(0.4 * stall);
    expect(mean).toBeLessThan(0.7 * stall);
    expect(Math.max(...stalled)).toBeGreaterThan(0.9 * stall);
  });

  test('times from the planned arrival: a pause of this very process is not hidden', async () => {
    const { url } = await serving((_request, response) => response.end());
    const users = start({ url, arrivals: 'uniform', ratePerSecond: 100, timeout: 5_000 });
    await sleep(200);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    await sleep(200);
    const counts = await users.stop();
    expect(counts.sent).toBeGreaterThanOrEqual(85);
    expect(users.lag().max).toBeGreaterThan(450);
    expect(counts.responseTimes.filter((time) => time > 100).length).toBeGreaterThan(30);
    expectHonest(counts, users);
  });

  test('sends at its end what became due while this process stood still', async () => {
    const { url } = await serving((_request, response) => response.end());
    const users = start({ url, arrivals: 'uniform', ratePerSecond: 100 });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    expect((await users.stop()).ok).toBeGreaterThanOrEqual(49);
  });

  test('comes at its rate', async () => {
    const { url } = await serving((_request, response) => response.end());
    const began = performance.now();
    const users = start({ url, ratePerSecond: 300 });
    await sleep(1_000);
    const { sent } = await users.stop();
    const expected = (300 * (performance.now() - began)) / 1_000;
    // 4 standard deviations of a Poisson count, and 5 % for the moments between the two clock readings.
    expect(Math.abs(sent - expected)).toBeLessThan(4 * Math.sqrt(expected) + 0.05 * expected);
  });
});

describe('what users ask for', () => {
  test('paths with a method, headers, a body and the status that is good', async () => {
    const seen = new Set<string>();
    const statuses: Record<string, number> = { '/closed': 401 };
    const { url } = await serving((request, response) => {
      seen.add(`${request.method} ${request.url} ${request.headers.host} ${request.headers['authorization'] ?? '-'}`);
      response.writeHead(statuses[request.url ?? ''] ?? 200).end();
    });
    const users = start({
      url,
      host: 'charts.wesign.com',
      paths: [
        '/',
        { path: '/closed', expect: 401 },
        { path: '/login', method: 'POST', body: '{}', headers: { authorization: 'Bearer x' } },
      ],
    });
    await sleep(400);
    expect((await users.stop()).failed).toBe(0);
    expect([...seen].sort()).toEqual([
      'GET / charts.wesign.com -',
      'GET /closed charts.wesign.com -',
      'POST /login charts.wesign.com Bearer x',
    ]);
  });

  test('answers are counted by the release that gave them, per second and since a mark', async () => {
    let version = '1.4.0';
    const { url } = await serving((_request, response) => response.setHeader('x-app-version', version).end());
    const users = start({ url });
    await sleep(300);
    version = '1.4.1';
    await sleep(50);
    const mark = users.mark();
    await sleep(300);
    const later = users.since(mark);
    const all = await users.stop();
    expect(Object.keys(all.byVersion).sort()).toEqual(['1.4.0', '1.4.1']);
    expect(later.byVersion).toEqual({ '1.4.1': later.ok });
    expect(later.responseTimes).toHaveLength(later.ok);
    expect(total(users.timeline()[0]?.byVersion ?? {})).toBe(all.ok);
  });

  test.each([
    { name: 'no path', options: { paths: [] }, message: 'no path' },
    { name: 'a rate of 0', options: { ratePerSecond: 0 }, message: 'not above 0' },
    { name: 'a rate that is no number', options: { ratePerSecond: Number.NaN }, message: 'not above 0' },
  ])('$name is refused', ({ options, message }) => {
    expect(() => start({ url: 'http://127.0.0.1:1', ...options })).toThrow(message);
  });
});

describe('WebSockets', () => {
  async function hub(connected: (socket: WebSocket) => void): Promise<string> {
    const { url, server } = await serving((_request, response) => response.end());
    const sockets = new WebSocketServer({ server, path: '/analyticsHub' });
    sockets.on('connection', connected);
    return url;
  }
  const held = (url: string, timeout = 3_000): Users =>
    start({ url, ratePerSecond: 1, websockets: 2, websocketEvery: 50, timeout });

  test('are held open and answered; the end of the users is no drop', async () => {
    const users = held(await hub((socket) => socket.on('message', (data) => socket.send(String(data)))));
    await sleep(500);
    const counts = await users.stop();
    expect(counts).toMatchObject({ websocketDrops: 0, websocketDropsByReason: {} });
    expect(counts.websocketEchoes).toBeGreaterThan(5);
  });

  test('that the service closes are counted with their code and opened again', async () => {
    const leaving = [50, 50];
    let opened = 0;
    const url = await hub((socket) => {
      opened += 1;
      socket.on('message', (data) => socket.send(String(data)));
      setTimeout(() => socket.close(1001), leaving.pop() ?? 60_000).unref();
    });
    const users = held(url);
    await sleep(1_000);
    const counts = await users.stop();
    expect(counts.websocketDropsByReason).toEqual({ 'closed 1001': 2 });
    expect(opened).toBe(4);
  });

  test.each([
    { name: 'that never answer', connected: () => undefined, reason: 'no answer' },
    { name: 'that are cut', connected: (socket: WebSocket) => socket.terminate(), reason: 'closed 1006' },
  ])('$name are dropped', async ({ connected, reason }) => {
    const users = held(await hub(connected), 300);
    await sleep(500);
    const counts = await users.stop();
    expect(counts.websocketDropsByReason).toEqual({ [reason]: counts.websocketDrops });
    expect(counts.websocketDrops).toBeGreaterThanOrEqual(2);
  });

  test('that cannot be opened are drops that say so', async () => {
    const { url, server } = await serving((_request, response) => response.end());
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
    const users = held(url);
    await sleep(300);
    expect((await users.stop()).websocketDropsByReason).toEqual({ 'not opened: status 502': 2 });
  });
});
