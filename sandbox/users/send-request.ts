import type { Dispatcher, Pool } from 'undici';
import type { RequestEnding } from './ledger.ts';

/** One kind of request that users make. */
export interface UserPath {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status that counts as good; any below 400 when absent. */
  readonly expect?: number;
}

export interface Sending {
  readonly pool: Pool;
  readonly path: UserPath;
  readonly host: string | undefined;
  /** Milliseconds from sending to the last byte, connecting included. */
  readonly timeout: number;
  /** On the clock of performance.now(). */
  readonly plannedAt: number;
  readonly end: (ending: RequestEnding) => void;
  /** Called once, after `end`. */
  readonly closed: () => void;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
};

export function sendRequest({ pool, path, host, timeout, plannedAt, end, closed }: Sending): void {
  let status = 0;
  let version: string | undefined;
  let open: Dispatcher.DispatchController | undefined;
  let over = false;

  function finish(reason: string | undefined): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    const responseTime = performance.now() - plannedAt;
    end(
      reason === undefined ? { kind: 'ok', version, responseTime } : { kind: 'failed', reason, version, responseTime },
    );
    closed();
  }

  const timer = setTimeout(() => {
    finish('timeout');
    open?.abort(new Error('the user gave up'));
  }, timeout);

  pool.dispatch(
    {
      method: path.method ?? 'GET',
      path: path.path,
      headers: { 'user-agent': 'sandbox-users', ...(host === undefined ? {} : { host }), ...path.headers },
      body: path.body ?? null,
    },
    {
      onRequestStart(controller) {
        open = controller;
        if (over) controller.abort(new Error('the user gave up'));
      },
      onResponseStart(_controller, answered, headers) {
        status = answered;
        version = String(headers['x-app-version'] ?? 'unknown');
      },
      // Read to its end and not kept: an answer counts when it is whole.
      onResponseData: () => undefined,
      onResponseEnd: () => finish(isGood(status, path.expect) ? undefined : `status ${status}`),
      onResponseError: (_controller, error) => finish(reasonOf(error)),
    },
  );
}

const isGood = (status: number, expected: number | undefined): boolean =>
  expected === undefined ? status < 400 : status === expected;

function reasonOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  if (REASONS[code] !== undefined) return REASONS[code];
  return code.startsWith('HPE_') ? 'not HTTP' : `other: ${code === '' ? error.message : code}`;
}
