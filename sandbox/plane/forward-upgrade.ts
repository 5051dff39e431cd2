import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { endingOfFailure, errorPage, rawOwn } from './own-answers.ts';
import type { Ending } from './recorder.ts';
import type { Address } from './types.ts';

export interface Upgrading {
  readonly request: IncomingMessage;
  /** The client's connection, and what it already sent after the request. */
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: string;
  readonly headers: string[];
  readonly to: Address;
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number;
  readonly record: (ending: Ending) => void;
}

/** Carries a request to open a WebSocket to its target and joins the two connections; another answer than 101 is passed on. */
export function forwardUpgrade({ request, socket, head, target, headers, to, idleTimeout, record }: Upgrading): void {
  const started = performance.now();
  let over = false;
  const end = (ending: Ending): void => {
    if (!over) record(ending);
    over = true;
  };
  const upstream = httpRequest({
    host: to.host,
    port: to.port,
    method: request.method,
    path: target,
    headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? 'websocket'],
    agent: false,
  });
  const refuse = (status: 502 | 504, ending: Ending): void => {
    if (!over) socket.end(rawOwn(errorPage(status)));
    end(ending);
    upstream.destroy();
  };
  upstream.setTimeout(idleTimeout, () => refuse(504, { kind: 'unanswered' }));
  upstream.on('error', (error) => refuse(502, endingOfFailure(error)));
  socket.once('close', () => {
    end({ kind: 'client-closed' });
    upstream.destroy();
  });
  upstream.once('response', (answer) => {
    end({ kind: 'answered', status: answer.statusCode ?? 502, responseTime: performance.now() - started });
    socket.write(rawHead(answer, ['connection', 'transfer-encoding', 'keep-alive'], ['connection: close']));
    answer.pipe(socket);
    answer.on('error', () => socket.destroy());
  });
  upstream.once('upgrade', (answer, connection, first) => {
    end({ kind: 'upgraded', responseTime: performance.now() - started });
    connection.setTimeout(0);
    socket.write(rawHead(answer, [], []));
    join({ client: socket, target: connection, idleTimeout });
    if (first.length > 0) socket.write(first);
    if (head.length > 0) connection.write(head);
  });
  upstream.end();
}

interface Joined {
  readonly client: Duplex;
  readonly target: Duplex;
  readonly idleTimeout: number;
}

function join({ client, target, idleTimeout }: Joined): void {
  const cut = (): void => {
    client.destroy();
    target.destroy();
  };
  // Every byte of either direction passes the client's socket, so its silence is the silence of both.
  if ('setTimeout' in client && typeof client.setTimeout === 'function') client.setTimeout(idleTimeout, cut);
  client.once('close', cut);
  target.on('error', cut);
  client.pipe(target);
  target.pipe(client);
}

/** The head of an answer as text, as it came but for some headers. */
function rawHead(answer: IncomingMessage, without: readonly string[], added: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    const name = answer.rawHeaders[index] ?? '';
    if (!without.includes(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[index + 1]}`);
  }
  return [...lines, ...added, '', ''].join('\r\n');
}
