import WebSocket from 'ws';
import type { Ledger } from './ledger.ts';

export interface Holding {
  /** `ws://127.0.0.1:40123/analyticsHub` */
  readonly url: string;
  readonly host: string | undefined;
  /** Milliseconds in which a connection opens, and in which a message comes back. */
  readonly timeout: number;
  /** Milliseconds from one message to the next. */
  readonly every: number;
  readonly ledger: Pick<Ledger, 'websocketDropped' | 'websocketEchoed'>;
}

export interface Held {
  /** Closes the connection; what ends from now on is no drop. */
  release(): void;
}

const AGAIN_AFTER = 500;

/**
 * One user with a WebSocket: sends a message, wants it back, and connects again when the connection is lost. Each loss and
 * each failed attempt to open is one drop.
 */
export function holdWebSocket(holding: Holding): Held {
  let attempt: WebSocket | undefined;
  let again: NodeJS.Timeout | undefined;
  let released = false;

  function connect(): void {
    attempt = attend(holding, (reason) => {
      if (released) return;
      holding.ledger.websocketDropped(reason);
      again = setTimeout(connect, AGAIN_AFTER);
    });
  }

  connect();
  return {
    release() {
      released = true;
      clearTimeout(again);
      attempt?.terminate();
    },
  };
}

/** One connection from its opening to its end; `lost` is called once. */
function attend({ url, host, timeout, every, ledger }: Holding, lost: (reason: string) => void): WebSocket {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: timeout,
    headers: host === undefined ? {} : { host },
  });
  let sent = 0;
  let next: NodeJS.Timeout | undefined;
  let overdue: NodeJS.Timeout | undefined;
  let over = false;

  function end(reason: string): void {
    if (over) return;
    over = true;
    clearTimeout(next);
    clearTimeout(overdue);
    lost(reason);
    socket.terminate();
  }

  function say(): void {
    sent += 1;
    socket.send(`message ${sent}`);
    overdue = setTimeout(() => end('no answer'), timeout);
  }

  socket.on('open', say);
  socket.on('message', (data) => {
    // Only the very message counts as its echo.
    if ((data as Buffer).toString() !== `message ${sent}`) return;
    clearTimeout(overdue);
    ledger.websocketEchoed();
    next = setTimeout(say, every);
  });
  socket.on('unexpected-response', (_request, response) => end(`not opened: status ${response.statusCode}`));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    end(sent === 0 ? `not opened: ${error.code ?? error.message}` : `broken: ${error.code ?? error.message}`),
  );
  socket.on('close', (code) => end(`closed ${code}`));
  return socket;
}
