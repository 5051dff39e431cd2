import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LookupFunction } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { type PooledProber, pooledProber } from '../../../src/adapters/http/pooled-prober.ts';
import { httpProber } from '../../../src/adapters/http/prober.ts';
import { isRefusedAddress } from '../../../src/adapters/http/refused-addresses.ts';
import { seconds } from '../../../src/domain/duration.ts';
import { proberContract } from '../../contract/prober.ts';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { type LocalServer, closedPort, httpServer, tcpServer, tlsServer, webSocketServer } from './servers.ts';

const NAMES: Readonly<Record<string, string>> = {
  'lb.test': '127.0.0.1',
  'metadata.test': '169.254.169.254',
  'mapped.test': '::ffff:169.254.169.254',
};

/** Names of these tests: one is never resolved, and every other one is unknown. No packet leaves the machine. */
const lookup: LookupFunction = (hostname, options, callback) => {
  if (hostname === 'stuck.test') return;
  const address = NAMES[hostname];
  const unknown = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
  const family = address?.includes(':') ? 6 : 4;
  if (address === undefined) callback(unknown, '', 4);
  else if (options.all) callback(null, [{ address, family }]);
  else callback(null, address, family);
};

/** Pieces of 64 KiB that /huge has sent. */
let pieces = 0;

function* hundredMegabytes() {
  for (pieces = 0; pieces < 1_600; pieces++) yield Buffer.alloc(65_536, 'x');
}

async function serveWeb(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers, url } = request;
  switch (url) {
    case '/hello':
      response
        .writeHead(200, [
          ['X-Thing', 'one'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ])
        .end('hello');
      return;
    case '/echo':
      response.end(JSON.stringify({ method, headers, body: Buffer.concat(await request.toArray()).toString() }));
      return;
    case '/redirect':
      response.writeHead(302, { location: '/hello' }).end();
      return;
    case '/slow-body':
      response.write('begins');
      return;
    case '/cut':
      response.writeHead(200, { 'content-length': 100 }).write('begins');
      await wait(10);
      response.destroy();
      return;
    case '/cut-chunks':
      response.write('begins');
      await wait(10);
      response.destroy();
      return;
    case '/huge':
      // The prober hangs up in the middle.
      await pipeline(hundredMegabytes, response).catch(() => undefined);
      return;
    default:
      response.writeHead(503).end('not now');
  }
}

function serveSocket(path: string, socket: WebSocket): void {
  if (path === '/hello') socket.send('welcome');
  socket.on('message', (data, binary) => {
    if (path === '/echo') socket.send(data, { binary });
    if (path === '/leave') socket.close(1011, 'scripted');
    if (path === '/long') socket.send('x'.repeat(2_000));
  });
}

/** Resolves when it holds; the test's own time limit is the end of the patience. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(5);
}

const signal = new AbortController().signal;
const request = { method: 'GET', headers: {}, timeout: seconds(5), bodyLimit: 1_048_576 } as const;

const openWorld = async (open: typeof httpProber = httpProber) => {
  const web = await httpServer((incoming, response) => void serveWeb(incoming, response));
  const closes = await tcpServer((socket) => socket.once('data', () => socket.destroy()));
  const silent = await tcpServer((socket) => socket.resume());
  const gopher = await tcpServer((socket) =>
    socket.once('data', () => socket.end('iWelcome\tfake\t(NULL)\t0\r\n.\r\n')),
  );
  const untrusted = await tlsServer(selfSigned('lb.test'), (_, response) => response.end('never seen'));
  const sockets = await webSocketServer(serveSocket);
  const servers: readonly LocalServer[] = [web, sockets, closes, silent, gopher, untrusted];
  return {
    servers,
    prober: open({ lookup }),
    peers: {
      web: `http://127.0.0.1:${web.port}`,
      sockets: `http://127.0.0.1:${sockets.port}`,
      closesAtOnce: `http://127.0.0.1:${closes.port}`,
      neverAnswers: `http://127.0.0.1:${silent.port}`,
      neverConnects: 'http://stuck.test',
      speaksAnotherLanguage: `http://127.0.0.1:${gopher.port}`,
      untrustedTls: `https://lb.test:${untrusted.port}`,
      closedPort: `http://127.0.0.1:${await closedPort()}`,
      unknownName: 'http://nobody.test',
      metadata: 'http://169.254.169.254',
      namedMetadata: 'http://metadata.test',
    },
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
};

proberContract('the HTTP prober', () => openWorld());

proberContract('the prober that keeps its connections', async () => {
  const kept: PooledProber[] = [];
  const world = await openWorld((options) => {
    const prober = pooledProber(options);
    kept.push(prober);
    return prober;
  });
  return {
    ...world,
    close: async () => {
      await Promise.all(kept.map((prober) => prober.close()));
      await world.close();
    },
  };
});

describe('the prober that keeps its connections', () => {
  test('uses one connection again, and another one only beside it', async () => {
    const server = await httpServer((incoming, response) => {
      setTimeout(() => response.end(), incoming.url === '/slow' ? 30 : 0);
    });
    const prober = pooledProber();
    const url = `http://127.0.0.1:${server.port}`;
    for (let time = 0; time < 5; time++) await prober.probe({ ...request, url: `${url}/` }, signal);
    expect(server.open()).toBe(1);
    await Promise.all(['/slow', '/'].map((path) => prober.probe({ ...request, url: url + path }, signal)));
    expect(server.open()).toBe(2);
    await prober.close();
    await until(() => server.open() === 0);
    await server.close();
  });

  test('never uses a connection again whose answer did not come', async () => {
    let asked = 0;
    const server = await httpServer((_incoming, response) => {
      asked += 1;
      if (asked > 1) response.end('answer of its own');
    });
    const prober = pooledProber();
    const probe = (timeout: number) =>
      prober.probe({ ...request, url: `http://127.0.0.1:${server.port}/`, timeout: seconds(timeout) }, signal);
    expect(await probe(0.05)).toMatchObject({ kind: 'failed', fault: 'timeout', message: 'no answer within 50ms' });
    expect(await probe(5)).toMatchObject({ kind: 'answered', body: 'answer of its own' });
    await prober.close();
    await server.close();
  });
});

test('a request that is given up before its turn of the event loop ends is never sent', async () => {
  const asked: string[] = [];
  const server = await httpServer((incoming, response) => {
    asked.push(incoming.url ?? '');
    response.end();
  });
  const prober = pooledProber();
  const probe = (path: string, stop: AbortSignal) =>
    prober.probe({ ...request, url: `http://127.0.0.1:${server.port}${path}` }, stop);
  await probe('/opens-a-connection', signal);
  const giveUp = new AbortController();
  const givenUp = probe('/given-up', giveUp.signal);
  giveUp.abort(new Error('given up'));
  await expect(givenUp).rejects.toThrow('given up');
  await Promise.all([probe('/after', signal), probe('/beside', signal)]);
  expect(asked.sort()).toEqual(['/after', '/beside', '/opens-a-connection']);
  await prober.close();
  await server.close();
});

describe('the HTTP prober', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  test('leaves no connection open, whatever happened on it', async () => {
    const { prober, peers, servers } = world;
    const urls = [
      `${peers.web}/hello`,
      `${peers.web}/slow-body`,
      `${peers.web}/huge`,
      `${peers.neverAnswers}/`,
      peers.untrustedTls,
    ];
    await Promise.all(urls.map((url) => prober.probe({ ...request, url, timeout: seconds(0.2) }, signal)));
    await until(() => servers.every((server) => server.open() === 0));
  });

  test('reads 1 MiB of 100 MB and drops the rest without waiting for it', async () => {
    const { prober, peers, servers } = world;
    const result = await prober.probe({ ...request, url: `${peers.web}/huge` }, signal);
    expect(result).toMatchObject({ kind: 'answered', bodyTruncated: true });
    expect(result.kind === 'answered' && result.body.length).toBe(1_048_576);
    await until(() => servers.every((server) => server.open() === 0));
    expect(pieces).toBeLessThan(1_600);
  });

  test.each([
    { name: 'nobody listens', peer: 'closedPort', path: '/', message: /^connection refused by 127\.0\.0\.1:\d+$/ },
    {
      name: 'the peer closes',
      peer: 'closesAtOnce',
      path: '/',
      message: /^127\.0\.0\.1:\d+ closed the connection without an answer$/,
    },
    {
      name: 'the name is unknown',
      peer: 'unknownName',
      path: '/',
      message: /^the name of nobody\.test cannot be resolved \(ENOTFOUND\)$/,
    },
    {
      name: 'the certificate is not trusted',
      peer: 'untrustedTls',
      path: '/',
      message: /^TLS with lb\.test:\d+ failed: self-signed certificate \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
    },
    { name: 'nothing comes', peer: 'neverAnswers', path: '/', message: /^no answer within 200ms$/ },
    {
      name: 'the answer is cut',
      peer: 'web',
      path: '/cut-chunks',
      message: /^127\.0\.0\.1:\d+ closed the connection before the answer was complete$/,
    },
  ] as const)('says it when $name', async ({ peer, path, message }) => {
    const { prober, peers } = world;
    const result = await prober.probe({ ...request, url: peers[peer] + path, timeout: seconds(0.2) }, signal);
    expect(result.kind === 'failed' && result.message).toMatch(message);
  });
});

describe.each([
  { kind: 'HTTP prober', open: httpProber },
  { kind: 'prober that keeps its connections', open: pooledProber },
])('a metadata service, by the $kind,', ({ open }) => {
  test.each([
    { name: 'as an address', url: 'http://169.254.170.2/v2/credentials' },
    { name: 'as a number', url: 'http://2852039166/' },
    { name: 'as a hexadecimal number', url: 'http://0xa9fea9fe/' },
    { name: 'in octal digits', url: 'http://0251.0376.0251.0376/' },
    { name: 'with fewer dots', url: 'http://169.16689662/' },
    { name: 'as IPv4 inside IPv6 in hexadecimal', url: 'http://[::ffff:a9fe:a9fe]/' },
    { name: 'as IPv4 inside IPv6', url: 'http://[::ffff:169.254.169.254]/' },
    { name: 'as the IPv6 address of EC2', url: 'http://[fd00:ec2::254]/' },
    { name: 'as a link-local address', url: 'http://[fe80::1]/' },
    { name: 'behind a name', url: 'http://metadata.test/' },
    { name: 'behind a name, as IPv4 inside IPv6', url: 'http://mapped.test/' },
    { name: 'over TLS', url: 'https://169.254.169.254/' },
  ])('is never connected to $name', async ({ url }) => {
    const result = await open({ lookup }).probe({ ...request, url }, signal);
    expect(result).toMatchObject({
      kind: 'failed',
      fault: 'other',
      message: expect.stringContaining('is refused: it is link-local or a metadata service'),
    });
  });
});

describe.each([
  { kind: 'HTTP prober', open: httpProber },
  { kind: 'prober that keeps its connections', open: pooledProber },
])('TLS of the $kind', ({ open }) => {
  const trusted = getCACertificates('default');
  const identity = selfSigned('shop.example.com');
  let server: LocalServer;

  beforeAll(async () => {
    setDefaultCACertificates([...trusted, identity.cert]);
    server = await tlsServer(identity, (incoming, response) => response.end(`host ${incoming.headers.host}`));
  });
  afterAll(async () => {
    setDefaultCACertificates(trusted);
    await server.close();
  });

  const probe = (more: { host?: string; url?: string }) =>
    open({ lookup }).probe({ ...request, url: `https://lb.test:${server.port}/`, ...more }, signal);

  test('is judged by the name, while the connection goes to the address', async () => {
    expect(await probe({ host: 'shop.example.com' })).toMatchObject({
      kind: 'answered',
      status: 200,
      body: 'host shop.example.com',
    });
  });

  test.each([
    { name: 'another name', more: { host: 'other.example.com' } },
    { name: 'the name of the address', more: {} },
    { name: 'the bare address', more: { url: '' } },
  ])('fails for $name', async ({ more }) => {
    const url = more.url === '' ? { url: `https://127.0.0.1:${server.port}/` } : {};
    expect(await probe({ ...more, ...url })).toMatchObject({
      kind: 'failed',
      fault: 'tls',
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  test('a server that does not speak it is a TLS fault', async () => {
    const plain = await httpServer((_, response) => response.end());
    expect(await probe({ url: `https://lb.test:${plain.port}/` })).toMatchObject({ kind: 'failed', fault: 'tls' });
    await plain.close();
  });
});

test.each([
  { name: 'an address of the world', address: '203.0.113.7', refused: false },
  { name: 'a private address', address: '10.0.0.1', refused: false },
  { name: 'this machine', address: '127.0.0.1', refused: false },
  { name: 'another unique local IPv6 address', address: 'fd00:ec2::255', refused: false },
  { name: 'a name', address: 'metadata.google.internal', refused: false },
  { name: 'link-local IPv4', address: '169.254.0.1', refused: true },
  { name: 'link-local IPv6 with its zone', address: 'fe80::1%eth0', refused: true },
  { name: 'metadata through NAT64', address: '64:ff9b::a9fe:a9fe', refused: true },
])('$name is refused: $refused', ({ address, refused }) => {
  expect(isRefusedAddress(address)).toBe(refused);
});
