import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { messageOf } from '../../src/domain/failure.ts';
import type { Address } from '../plane/types.ts';
import { type AppAnswer, WEBSOCKET_PATH, answer, identityHeaders } from './answer.ts';
import { isHubConnection, serveHub } from './hub.ts';
import type { AppState } from './state.ts';

/** What differs between a process of its own and a place inside another one. */
export interface Surroundings {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after that many milliseconds. */
  sleep(length: number): Promise<void>;
  log(line: string): void;
  /** The application ends itself. */
  exit(code: number): void;
}

export interface Served {
  readonly address: Address;
  /** As on SIGTERM: no longer ready, no new connections, open requests are finished, WebSockets are closed with 1001. */
  stop(): Promise<void>;
  /** As on SIGKILL: every socket is cut. */
  kill(): void;
}

const BODY_LIMIT = 64 * 1024;
// Longer than any idle time of a load balancer in front, so that it never sends into a connection that closes here.
const KEEP_ALIVE = 75_000;
const CLOSE_PATIENCE = 1_000;

/** Listens on a free port of 127.0.0.1. */
export async function serveApplication(state: AppState, surroundings: Surroundings): Promise<Served> {
  const { log } = surroundings;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE }, (request, response) => {
    handle({ request, response, state, surroundings }).catch((error: unknown) => {
      log(`could not answer ${request.method} ${request.url}: ${messageOf(error)}`);
      response.destroy();
    });
  });
  const sockets = webSockets(server, state, log);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  log(`release ${state.tag} listens on port ${port}`);
  return {
    address: { host: '127.0.0.1', port },
    stop: () => (stopped ??= stopServing(server, sockets, state)),
    kill() {
      sockets.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: AppState;
  readonly surroundings: Surroundings;
}

async function handle({ request, response, state, surroundings }: Exchange): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { ...identityHeaders(state), connection: 'close' }).end('Content Too Large\n');
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const asked = { method: request.method ?? 'GET', path, headers: singleHeaders(request), body };
  const given = answer(asked, state, surroundings.now());
  if (given.status >= 500) surroundings.log(`${asked.method} ${path} ${given.status}`);
  if (given.delay > 0) await surroundings.sleep(given.delay);
  send(response, given, state);
  if (given.afterwards === 'exit') {
    response.once('close', () => {
      surroundings.log(`fatal: out of file descriptors after ${state.served} requests`);
      surroundings.exit(1);
    });
  }
}

function send(response: ServerResponse, given: AppAnswer, state: AppState): void {
  const closing = state.stopping ? { connection: 'close' } : {};
  const length = { 'content-length': String(Buffer.byteLength(given.body)) };
  response.writeHead(given.status, { ...given.headers, ...length, ...closing }).end(given.body);
}

/** undefined: longer than the application takes. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_LIMIT) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const singleHeaders = (request: IncomingMessage): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );

interface OpenSockets {
  /** 1001: going away. */
  leave(): void;
  terminate(): void;
}

function webSockets(server: Server, state: AppState, log: (line: string) => void): OpenSockets {
  const hub = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: BODY_LIMIT });
  hub.on('headers', (headers) => {
    for (const [name, value] of Object.entries(identityHeaders(state))) headers.push(`${name}: ${value}`);
  });
  hub.on('connection', (socket, { url = '/' }) => {
    socket.on('error', (error) => log(`WebSocket: ${error.message}`));
    if (state.behaviour.kind === 'silent-websocket') return;
    if (isHubConnection(new URL(url, 'http://task').searchParams)) return serveHub(socket, state);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    socket.on('error', () => socket.destroy());
    if (path !== WEBSOCKET_PATH) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    hub.handleUpgrade(request, socket, head, (open) => hub.emit('connection', open, request));
  });
  return {
    leave: () => hub.clients.forEach((socket) => socket.close(1001, 'the task stops')),
    terminate: () => hub.clients.forEach((socket) => socket.terminate()),
  };
}

async function stopServing(server: Server, sockets: OpenSockets, state: AppState): Promise<void> {
  state.stopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  sockets.leave();
  // A client that never answers the closing frame must not hold a finished task.
  const patience = setTimeout(() => sockets.terminate(), CLOSE_PATIENCE);
  await closed;
  clearTimeout(patience);
}
