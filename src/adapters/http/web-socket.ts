import type { IncomingMessage } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type ClientOptions, WebSocket } from 'ws';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { OpenRequest, OpenResult, OpenSocket, Pinged, Received } from '../../ports/prober.ts';
import { certificateOf } from './certificate.ts';
import { type Phase, openSocket, serverNameOf } from './connect.ts';
import { faultOf, timedOut } from './faults.ts';

interface Surroundings {
  readonly lookup: LookupFunction | undefined;
  readonly signal: AbortSignal;
}

/** Names that only the library may set (RFC 6455 4.1). */
const OWN_HEADERS = /^(connection|upgrade|sec-websocket-.*)$/;

/**
 * Opens a WebSocket on a connection of its own, guarded like that of any other request. The library `ws` and not undici's
 * WebSocket: it tells the status of a peer that refuses, it lets us make the connection, and it can ping.
 */
export function openWebSocket(request: OpenRequest, { lookup, signal }: Surroundings): Promise<OpenResult> {
  signal.throwIfAborted();
  const started = performance.now();
  const elapsed = (): Duration => milliseconds(performance.now() - started);
  const timeout = AbortSignal.timeout(Math.ceil(request.timeout));
  const end = AbortSignal.any([signal, timeout]);
  const { socket, line, drop } = dial(request, lookup);
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      end.removeEventListener('abort', onEnd);
      settle();
    };
    const failed = (fault: Omit<Extract<OpenResult, { kind: 'failed' }>, 'kind' | 'duration'>): void =>
      finish(() => resolve({ kind: 'failed', ...fault, duration: elapsed() }));
    const onEnd = (): void => {
      drop();
      if (signal.aborted) finish(() => reject(signal.reason as Error));
      else if (line.phase === 'waiting')
        failed({
          ...timedOut('waiting', request),
          message: timedOut('waiting', request).message.replace('answer', 'open WebSocket'),
        });
      else failed(timedOut(line.phase, request));
    };
    end.addEventListener('abort', onEnd, { once: true });
    socket.on('error', (error) => {
      drop();
      failed(faultOf(error, line.phase, request));
    });
    socket.once('unexpected-response', (_, { statusCode = 0 }: IncomingMessage) => {
      drop();
      const message = `status ${statusCode}, expected 101: ${new URL(request.url).host} does not open a WebSocket`;
      failed({ fault: 'protocol', message, status: statusCode });
    });
    const inbox = openInbox(socket, request.messageLimit);
    socket.once('open', () => {
      const certificate = line.connection && certificateOf(line.connection);
      const seen = certificate === undefined ? {} : { certificate };
      const { headers } = line;
      finish(() => resolve({ kind: 'open', socket: inbox, headers, duration: elapsed(), ...seen }));
    });
  });
}

interface Line {
  connection: Socket | undefined;
  phase: Phase;
  headers: Readonly<Record<string, string>>;
}

interface Dialled {
  readonly socket: WebSocket;
  readonly line: Line;
  drop(): void;
}

function dial(request: OpenRequest, lookup: LookupFunction | undefined): Dialled {
  const url = new URL(request.url);
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.test(name)));
  const endpoint = {
    hostname: request.address ?? url.hostname,
    port: url.port,
    protocol: url.protocol,
    servername: serverNameOf(request.host ?? url.hostname),
    lookup,
  };
  // The library connects before its constructor returns.
  const line: Line = { connection: undefined, phase: 'connecting', headers: {} };
  const socket = new WebSocket(url.href.replace(/^http/, 'ws'), {
    perMessageDeflate: false,
    maxPayload: request.messageLimit,
    headers: { ...headers, ...(request.host === undefined ? {} : { host: request.host }) },
    createConnection: (_options: unknown, tell: (error: Error | null, open?: Socket) => void) => {
      line.connection = openSocket(
        endpoint,
        (phase) => (line.phase = phase),
        (error, open) => (error === null && open !== null ? tell(null, open) : tell(error)),
      );
      // Nothing is given back: node:http then waits for `done`, which comes when the connection is secured.
      return undefined as unknown as Socket;
    },
  } as unknown as ClientOptions);
  socket.once('upgrade', (response: IncomingMessage) => {
    line.headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    );
  });
  const drop = (): void => {
    line.connection?.destroy();
    socket.terminate();
  };
  return { socket, line, drop };
}

type Event =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/** An empty message takes its place, too. */
const sizeOf = (text: string): number => text.length + 64;

/** Messages of full length that may wait to be taken. */
const MOST_WAITING = 8;

/** Keeps what comes until somebody asks for it. A peer that floods is cut off: it must not fill the memory of the runner. */
function openInbox(socket: WebSocket, messageLimit: number): OpenSocket {
  const messages: Extract<Event, { kind: 'message' }>[] = [];
  let waiting = 0;
  let closed: Extract<Event, { kind: 'closed' }> | undefined;
  let wake: (() => void) | undefined;
  const takeMessage = (): Event | undefined => {
    const message = messages.shift();
    if (message !== undefined) waiting -= sizeOf(message.text);
    return message;
  };
  socket.on('message', (data) => {
    const text = (data as Buffer).toString();
    waiting += sizeOf(text);
    if (waiting > MOST_WAITING * messageLimit) {
      closed ??= { kind: 'closed', code: 1006, reason: 'cut off here: it sends more than anybody takes' };
      socket.terminate();
    }
    messages.push({ kind: 'message', text });
    wake?.();
  });
  socket.on('close', (code, reason) => {
    closed ??= { kind: 'closed', code, reason: reason.toString() };
    wake?.();
  });
  const wait = <T>(look: () => T | undefined, length: Duration, signal: AbortSignal): Promise<T | undefined> => {
    signal.throwIfAborted();
    const now = look();
    if (now !== undefined) return Promise.resolve(now);
    const end = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(length))]);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const seen = look();
        if (seen === undefined && !end.aborted) return;
        wake = undefined;
        end.removeEventListener('abort', settle);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve(seen);
      };
      wake = settle;
      end.addEventListener('abort', settle, { once: true });
    });
  };
  const timed = async <T extends object>(
    look: () => T | undefined,
    length: Duration,
    signal: AbortSignal,
  ): Promise<(T | { readonly kind: 'silent' }) & { readonly waited: Duration }> => {
    const started = performance.now();
    const seen: T | { readonly kind: 'silent' } = (await wait(look, length, signal)) ?? { kind: 'silent' };
    return { ...seen, waited: milliseconds(performance.now() - started) };
  };
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    receive: (length, signal): Promise<Received> => timed(() => takeMessage() ?? closed, length, signal),
    async ping(length, signal): Promise<Pinged> {
      let pong: { readonly kind: 'pong' } | undefined;
      const onPong = (): void => {
        pong = { kind: 'pong' };
        wake?.();
      };
      socket.once('pong', onPong);
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      try {
        return await timed(() => pong ?? closed, length, signal);
      } finally {
        socket.off('pong', onPong);
      }
    },
    close() {
      socket.close(1000);
      // A peer that does not answer the closing frame must not keep the connection: the library waits 30 s for it.
      AbortSignal.timeout(1_000).addEventListener('abort', () => socket.terminate(), { once: true });
    },
  };
}
