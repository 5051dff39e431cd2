import type { Fault, Where } from '../../control/faults.ts';

/** What a client of the API server meets; `operation` as `k8s:patch deployments/web` (operation.ts). */
export type KubeFault =
  | Exclude<Fault, { kind: 'stale-read' }>
  | (Where & { readonly times?: number } & (
        | {
            /** The resource version is too old: 410 for a list, an ERROR event in a watch. */
            readonly kind: 'gone';
          }
        | {
            /** A watch is cut: in the middle of a line, or between two as at the server's time-out. */
            readonly kind: 'half-line' | 'watch-end';
            /** After this many whole lines; default 0. */
            readonly afterLines?: number;
          }
        | {
            /** A watch says how far it is and nothing else, and ends. */
            readonly kind: 'bookmark';
            readonly resourceVersion: string;
          }
      ));

export interface StatusAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The answer of an API server (a `Status`), or undefined for a fault that is none. */
export function statusAnswer(fault: KubeFault): StatusAnswer | undefined {
  switch (fault.kind) {
    case 'error':
      return answer({ status: fault.status, reason: fault.code, message: fault.message });
    case 'throttle':
      return answer({ status: 429, reason: 'TooManyRequests', message: TOO_MANY, retryAfter: 1 });
    case 'access-denied':
      return answer({ status: 403, reason: 'Forbidden', message: 'the fault server forbids it: User cannot do this' });
    case 'expired-token':
      return answer({ status: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    case '5xx':
      return answer({ status: 503, reason: 'ServiceUnavailable', message: 'apiserver is shutting down' });
    case 'gone':
      return answer({ status: 410, reason: 'Expired', message: 'too old resource version: 1 (2)' });
    case 'reset':
    case 'hang':
    case 'delay':
    case 'half-line':
    case 'watch-end':
    case 'bookmark':
      return undefined;
  }
}

const TOO_MANY = 'Too many requests, please try again later.';

interface Said {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfter?: number;
}

function answer({ status, reason, message, retryAfter }: Said): StatusAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(retryAfter === undefined ? {} : { details: { retryAfterSeconds: retryAfter } }),
      code: status,
    },
  };
}
