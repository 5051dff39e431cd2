import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { checkHealth } from '../../../sandbox/plane/check-health.ts';
import type { Address } from '../../../sandbox/plane/types.ts';

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serving(listener: RequestListener): Promise<Address> {
  const server = createServer(listener);
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('gives the status, whatever it is', async () => {
  const address = await serving(({ url = '' }, response) => response.writeHead(Number(url.slice(1))).end('x'));
  expect(await checkHealth(address, '/200', 2_000)).toEqual({ kind: 'status', status: 200 });
  expect(await checkHealth(address, '/503', 2_000)).toEqual({ kind: 'status', status: 503 });
});

test('comes as a load balancer does: its own connection and user agent', async () => {
  const seen: (string | undefined)[] = [];
  const address = await serving(({ headers }, response) => {
    seen.push(headers['user-agent'], headers.connection, headers.host);
    response.end();
  });
  await checkHealth(address, '/', 2_000);
  expect(seen).toEqual(['ELB-HealthChecker/2.0', 'close', `127.0.0.1:${address.port}`]);
});

test('fails when no answer comes in time', async () => {
  const address = await serving(() => undefined);
  expect(await checkHealth(address, '/', 100)).toEqual({ kind: 'failed', reason: 'timed out after 100 ms' });
});

test('fails when the answer begins and does not end in time', async () => {
  const address = await serving((_request, response) => response.write('part'));
  expect(await checkHealth(address, '/', 100)).toEqual({ kind: 'failed', reason: 'timed out after 100 ms' });
});

test('fails when the connection is dropped', async () => {
  const address = await serving((request) => request.socket.destroy());
  expect(await checkHealth(address, '/', 2_000)).toEqual({ kind: 'failed', reason: 'connection reset' });
});

test('fails when nothing listens', async () => {
  const closed = createSocketServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  expect(await checkHealth({ host: '127.0.0.1', port }, '/', 2_000)).toEqual({
    kind: 'failed',
    reason: 'connection refused',
  });
});

test('fails, and does not throw, for a path that cannot be asked', async () => {
  const answer = await checkHealth({ host: '127.0.0.1', port: 9 }, '/a b', 2_000);
  expect(answer).toMatchObject({ kind: 'failed', reason: expect.stringContaining('unescaped') });
});
