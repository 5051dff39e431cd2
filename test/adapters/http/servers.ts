import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Identity } from '../../../sandbox/tls/certificates.ts';

export interface LocalServer {
  readonly port: number;
  /** Sockets that are open now. */
  open(): number;
  close(): Promise<void>;
}

/** Listens on a free port of this machine, and closes its connections with it. */
async function listening(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export const httpServer = (listener: RequestListener): Promise<LocalServer> => listening(createServer(listener));

export const tlsServer = (identity: Identity, listener: RequestListener): Promise<LocalServer> =>
  listening(createTlsServer({ ...identity }, listener));

export const tcpServer = (onConnection: (socket: Socket) => void): Promise<LocalServer> =>
  listening(createTcpServer(onConnection));

/** WebSockets at the paths `/echo`, `/hello`, `/leave`, `/long` and those of `more`; the rest answers 404. */
export async function webSocketServer(
  serve: (path: string, socket: WebSocket) => void,
  {
    paths = ['/echo', '/hello', '/leave', '/long'],
    listener,
  }: { readonly paths?: readonly string[]; readonly listener?: RequestListener } = {},
): Promise<LocalServer> {
  const server = createServer(listener ?? ((_, response) => void response.writeHead(404).end()));
  const hub = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (!paths.includes(path)) return void socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    hub.handleUpgrade(request, socket, head, (open) => serve(path, open));
  });
  return listening(server);
}

/** A port where nobody listens: it was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = await tcpServer(() => undefined);
  await server.close();
  return server.port;
}
