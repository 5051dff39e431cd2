import { Agent } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ask } from './ask.ts';
import { defaultRule, forward, listen, newWorld, targetAt } from './world.ts';

const world = newWorld();
afterEach(() => world.end());

/** Sends bytes as they are and gives all that comes back until the connection closes. */
const speak = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });

function* piecesOf(total: number, taken: (size: number) => void): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024);
  for (let size = 0; size < total; size += piece.length) {
    taken(piece.length);
    yield piece;
  }
}

/** Sends bytes, leaves the request open, and gives what came back once it contains `until`. */
const firstAnswer = (
  url: string,
  { bytes, until }: { readonly bytes: string; readonly until: string },
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('error', reject);
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (!text.includes(until)) return;
      resolve(text);
      socket.destroy();
    });
  });

describe('listeners', () => {
  test('keep their address while their rules change, and others come and go', async () => {
    const lb = world.balancers();
    const action = defaultRule({ kind: 'fixed-response', status: 200, body: 'one' });
    const a = { arn: 'a', port: 80, rules: [action] };
    const first = await lb.configure('lb-1', [a]);
    const second = await lb.configure('lb-1', [a, { ...a, arn: 'b', port: 443 }]);
    await lb.configure('lb-2', [{ ...a, arn: 'c' }]);
    expect(second['a']).toBe(first['a']);
    expect(second['b']).not.toBe(first['a']);
    const third = await lb.configure('lb-1', [
      { ...a, rules: [defaultRule({ kind: 'fixed-response', status: 201, body: 'two' })] },
    ]);
    expect((await ask(third['a'] ?? '')).body).toBe('two');
    await expect(ask(second['b'] ?? '')).rejects.toThrow('ECONNREFUSED');
  });

  test('that are removed finish what is open and tell the client to go', async () => {
    const address = await world.target((_request, response) => void setTimeout(() => response.end('done'), 300));
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const agent = new Agent({ keepAlive: true });
    const open = ask(url, { agent });
    await sleep(100);
    await lb.configure('lb', []);
    expect(await open).toMatchObject({ body: 'done' });
    await expect(ask(url, { agent })).rejects.toThrow('ECONNREFUSED');
    agent.destroy();
  });

  test('are opened once when two changes come at the same time', async () => {
    const lb = world.balancers();
    const listener = { arn: 'a', port: 80, rules: [] };
    const [one, two] = await Promise.all([lb.configure('lb', [listener]), lb.configure('lb', [listener])]);
    expect(one).toEqual(two);
  });
});

describe('headers', () => {
  test('reach the target with the host as sent and the way they came', async () => {
    const address = await world.target(({ headers, method, url }, response) =>
      response.end(JSON.stringify({ headers, method, url })),
    );
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const { body } = await ask(`${url}/a%20b?c=d`, {
      headers: {
        host: 'charts.wesign.com',
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-proto': 'gopher',
        connection: 'keep-alive, x-private, authorization',
        'x-private': 'for this hop',
        authorization: 'Bearer x',
        te: 'trailers',
        'x-twice': ['1', '2'],
      },
    });
    const seen = JSON.parse(body) as { headers: Record<string, string>; method: string; url: string };
    expect(seen).toMatchObject({ method: 'GET', url: '/a%20b?c=d' });
    expect(seen.headers).toMatchObject({
      host: 'charts.wesign.com',
      'x-forwarded-for': '203.0.113.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      authorization: 'Bearer x',
      'x-twice': '1, 2',
    });
    expect(Object.keys(seen.headers)).not.toEqual(expect.arrayContaining(['x-private']));
    expect(Object.keys(seen.headers)).not.toEqual(expect.arrayContaining(['te']));
  });

  test('come back with the status text, repeated ones apart, without those of the hop', async () => {
    const address = await world.target((_request, response) => {
      response.writeHead(207, 'Many Things', {
        'set-cookie': ['a=1', 'b=2'],
        connection: 'x-hop',
        'x-hop': 'y',
        'x-app-version': '1.4.0',
      });
      response.end('ok');
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const { status, headers } = await ask(url);
    expect(status).toBe(207);
    expect(headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-app-version': '1.4.0' });
    expect(headers).not.toHaveProperty('x-hop');
  });

  test.each([
    { name: 'two lengths', head: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n' },
    {
      name: 'a length and chunks',
      head: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n',
    },
    { name: 'two hosts', head: 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n' },
    { name: 'no path', head: 'OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n' },
  ])('that two readers could read differently never reach a target: $name', async ({ head }) => {
    let reached = 0;
    const address = await world.target((_request, response) => {
      reached += 1;
      response.end();
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    expect(await speak(url, `${head}\r\nx`)).toMatch(/^HTTP\/1.1 400 /);
    expect(reached).toBe(0);
    expect(lb.counts('blue').connectionErrors).toBe(0);
  });
});

describe('targets', () => {
  test('of one group take turns', async () => {
    const [a, b, c] = [await world.named('a'), await world.named('b'), await world.named('c')];
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(a), targetAt(b), targetAt(c)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const bodies: string[] = [];
    for (let index = 0; index < 6; index += 1) bodies.push((await ask(url)).body);
    expect(bodies).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  test.each([
    { name: 'only healthy ones', states: ['initial', 'healthy', 'unhealthy', 'draining'], served: ['1'] },
    {
      name: 'all that stay when none is healthy',
      states: ['initial', 'unhealthy', 'draining', 'unhealthy.draining'],
      served: ['0', '1'],
    },
  ] as const)('get requests by their state: $name', async ({ states, served }) => {
    const lb = world.balancers();
    lb.setTargets(
      'blue',
      await Promise.all(states.map(async (state, index) => targetAt(await world.named(String(index)), state))),
    );
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const bodies = new Set<string>();
    for (let index = 0; index < 8; index += 1) bodies.add((await ask(url)).body);
    expect([...bodies].sort()).toEqual(served);
  });

  test('share their connections between requests', async () => {
    const ports = new Set<number | undefined>();
    const address = await world.target((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; index < 10; index += 1) await ask(url, { agent });
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('that are no longer named lose their idle connections', async () => {
    const closed = Promise.withResolvers<string>();
    const address = await world.target((request, response) => {
      request.socket.once('close', () => closed.resolve('closed'));
      response.end();
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    await ask(await listen(lb, defaultRule(forward({ blue: 1 }))));
    lb.setTargets('blue', []);
    expect(await closed.promise).toBe('closed');
  });

  test('that leave finish what they began, and get nothing new', async () => {
    const old = await world.target((_request, response) => void setTimeout(() => response.end('old'), 300));
    const fresh = await world.named('fresh');
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(old)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const open = ask(url);
    await sleep(100);
    lb.setTargets('blue', [targetAt(old, 'draining'), targetAt(fresh)]);
    expect((await ask(url)).body).toBe('fresh');
    lb.setTargets('blue', [targetAt(fresh)]);
    expect((await open).body).toBe('old');
  });
});

describe('rules', () => {
  test('a header reaches the candidate while its weight is 0', async () => {
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(await world.named('blue'))]);
    lb.setTargets('green', [targetAt(await world.named('green'))]);
    const url = await listen(
      lb,
      {
        arn: 'r',
        priority: 5,
        conditions: [{ field: 'http-header', name: 'x-sluice', values: ['candidate'] }],
        action: forward({ green: 1 }),
      },
      defaultRule(forward({ blue: 100, green: 0 })),
    );
    expect((await ask(url, { headers: { 'X-Sluice': 'candidate' } })).body).toBe('green');
    const others = new Set<string>();
    for (let index = 0; index < 50; index += 1) others.add((await ask(url)).body);
    expect([...others]).toEqual(['blue']);
  });

  test('answer by themselves where they are told to', async () => {
    const lb = world.balancers();
    const url = await listen(
      lb,
      defaultRule({ kind: 'fixed-response', status: 418, body: '<b>tea</b>', contentType: 'text/html' }),
    );
    const { status, body, headers } = await ask(url);
    expect([status, body, headers['content-type'], headers['server']]).toEqual([
      418,
      '<b>tea</b>',
      'text/html',
      'awselb/2.0',
    ]);
  });
});

describe('bodies', () => {
  test('stream both ways: the answer begins before the request has ended', async () => {
    const address = await world.target((request, response) => request.pipe(response));
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const head = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
    const echoed = await firstAnswer(url, { bytes: `${head}5\r\nfirst\r\n`, until: 'first' });
    expect(echoed).toContain('first');
  });

  test('wait for a client that does not read, in the target and not in memory here', async () => {
    const offered = 64 * 1024 * 1024;
    let taken = 0;
    const address = await world.target((_request, response) => {
      const pieces = Readable.from(piecesOf(offered, (size) => (taken += size)));
      pieces.pipe(response);
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    client.pause().write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await sleep(700);
    client.destroy();
    // What the sockets' buffers hold is some megabytes.
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(offered / 2);
  });

  test('of some megabytes arrive whole, sized or chunked', async () => {
    const address = await world.target((request, response) => {
      let size = 0;
      request.on('data', (piece: Buffer) => (size += piece.length));
      request.on('end', () => response.end('y'.repeat(size)));
    });
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    const body = 'x'.repeat(3_000_000);
    const sized = await ask(url, { method: 'POST', body });
    const chunked = await ask(url, { method: 'PUT', body, headers: { 'transfer-encoding': 'chunked' } });
    expect([sized.body.length, chunked.body.length]).toEqual([3_000_000, 3_000_000]);
  });

  test('empty ones stay empty: no answer waits for a body that never comes', async () => {
    const address = await world.target(({ headers }, response) =>
      response.end(JSON.stringify([headers['content-length'], headers['transfer-encoding']])),
    );
    const lb = world.balancers();
    lb.setTargets('blue', [targetAt(address)]);
    const url = await listen(lb, defaultRule(forward({ blue: 1 })));
    expect((await ask(url, { method: 'POST', headers: { 'content-length': 0 } })).body).toBe('["0",null]');
    expect((await ask(url)).body).toBe('[null,null]');
    expect(await ask(url, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});
