import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  createSecureServer,
} from 'node:http2';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '../../tls/certificates.ts';

/** What went over the wire, TLS included. */
export interface WireCounts {
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Wire {
  readonly url: string;
  counts(): WireCounts;
  /** Milliseconds from a connection to the first byte of its TLS handshake. */
  delayHandshakes(length: number): void;
  close(): Promise<void>;
}

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** A TLS server for HTTP/2 and HTTP/1.1 on 127.0.0.1 that counts, and that can be slow to shake hands. */
export async function openWire(identity: Identity, handle: Handler): Promise<Wire> {
  const inner = createSecureServer({ key: identity.key, cert: identity.cert, allowHTTP1: true }, handle);
  inner.on('sessionError', () => undefined);
  inner.on('tlsClientError', () => undefined);
  const sockets = new Set<Socket>();
  const over = { connections: 0, bytesIn: 0, bytesOut: 0 };
  let delay = 0;
  const outer = createServer((socket) => {
    over.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      over.bytesIn += socket.bytesRead;
      over.bytesOut += socket.bytesWritten;
    });
    void hand(socket, inner, delay);
  });
  await new Promise<void>((listening) => outer.listen(0, '127.0.0.1', listening));
  return {
    url: `https://127.0.0.1:${(outer.address() as AddressInfo).port}`,
    counts() {
      const open = [...sockets];
      return {
        connections: over.connections,
        bytesIn: over.bytesIn + open.reduce((sum, socket) => sum + socket.bytesRead, 0),
        bytesOut: over.bytesOut + open.reduce((sum, socket) => sum + socket.bytesWritten, 0),
      };
    },
    delayHandshakes: (length) => void (delay = length),
    close: () => closed(outer, sockets),
  };
}

async function hand(socket: Socket, inner: Http2SecureServer, delay: number): Promise<void> {
  if (delay > 0) await sleep(delay, undefined, { ref: false });
  if (!socket.destroyed) inner.emit('connection', socket);
}

const closed = (server: Server, sockets: ReadonlySet<Socket>): Promise<void> =>
  new Promise((done) => {
    server.close(() => done());
    sockets.forEach((socket) => socket.destroy());
  });

/** Cuts the client's connection, with everything else that is on it, as a broken network does. */
export function cutConnection(request: Http2ServerRequest): void {
  const { stream } = request as { readonly stream?: Http2ServerRequest['stream'] };
  const socket = stream?.session === undefined ? request.socket : stream.session.socket;
  // HTTP/2 hands out a guarded socket that refuses `destroy` in no way but by its session.
  if (stream?.session !== undefined) stream.session.destroy();
  else socket.destroy();
}
