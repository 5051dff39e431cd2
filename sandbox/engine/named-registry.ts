import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ServerResponse, createServer, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { authority } from '../tls/certificates.ts';

export interface NamedRegistry {
  /** What a program needs to find the registry behind its public name: a proxy, and who vouches for it. */
  readonly env: Readonly<Record<string, string>>;
  /** Every name that was asked for and is not this registry's. */
  refused(): readonly string[];
  close(): Promise<void>;
}

/**
 * Gives a registry on loopback public names with TLS, for the programs that are given `env`: a proxy that answers CONNECT
 * for these names by a certificate of its own and refuses all others, so that nothing leaves the machine.
 */
export async function startNamedRegistry(names: string | readonly string[], target: string): Promise<NamedRegistry> {
  const hosts = [names].flat();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-named-'));
  const root = authority('sandbox registries');
  await writeFile(join(folder, 'root.pem'), root.cert);
  const refused: string[] = [];
  const sockets = new Set<Duplex>();
  const tls = createTlsServer(root.issue({ name: 'registry', hosts }), (incoming, outgoing) => {
    incoming.pipe(
      request(
        {
          ...addressOf(target),
          method: incoming.method,
          path: incoming.url,
          // The registry writes the addresses of uploads by them: as its clients know it.
          headers: { ...incoming.headers, 'x-forwarded-proto': 'https' },
        },
        (reply) => {
          outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(outgoing);
        },
      ).on('error', () => void fail(outgoing)),
    );
  });
  const proxy = createServer((_incoming, outgoing) => void fail(outgoing));
  proxy.on('connect', ({ url = '' }, socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    if (!hosts.some((host) => url === `${host}:443`)) {
      refused.push(url);
      return void socket.end('HTTP/1.1 502 Not this one\r\n\r\n');
    }
    socket.write('HTTP/1.1 200 Connected\r\n\r\n');
    tls.emit('connection', socket);
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  return {
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NO_PROXY: '127.0.0.1',
      NODE_EXTRA_CA_CERTS: join(folder, 'root.pem'),
    },
    refused: () => refused,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => proxy.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const fail = (outgoing: ServerResponse): void => void outgoing.writeHead(502).end();

function addressOf(target: string): { readonly hostname: string; readonly port: string } {
  const { hostname, port } = new URL(`http://${target}`);
  return { hostname, port };
}
