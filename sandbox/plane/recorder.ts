import type { WindowCounts } from './types.ts';

/**
 * How one request ended, seen from the load balancer. `upgraded`: a WebSocket was opened; it has no status class.
 * `connection-error`: no connection to the target came about; `unanswered`: one did, and no whole answer came over it.
 */
export type Ending =
  | { readonly kind: 'answered'; readonly status: number; readonly responseTime: number }
  | { readonly kind: 'upgraded'; readonly responseTime: number }
  | { readonly kind: 'connection-error' }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'client-closed' };

export interface Recorder {
  record(ending: Ending): void;
  /** Since the recorder exists; response times are the newest 10,000. */
  total(): WindowCounts;
  /** Requests that ended in [from, to). */
  range(span: { readonly from: number; readonly to: number }): WindowCounts;
}

interface Mutable {
  requests: number;
  status2xx: number;
  status3xx: number;
  status4xx: number;
  status5xx: number;
  connectionErrors: number;
  unanswered: number;
  clientClosed: number;
}

interface Entry {
  readonly at: number;
  readonly ending: Ending;
}

const REMEMBERED = 131_072;
const TIMES = 10_000;

/** Exact totals for ever; every single ending of the newest 131,072 requests (20 minutes at 100/s) for questions about a time. */
export function recorder(now: () => number): Recorder {
  const totals = none();
  const entries: Entry[] = [];
  let start = 0;
  let forgottenUntil = Number.NEGATIVE_INFINITY;

  function forget(): void {
    forgottenUntil = entries[start]?.at ?? forgottenUntil;
    start += 1;
    if (start < REMEMBERED) return;
    entries.splice(0, start);
    start = 0;
  }

  function since(from: number): number {
    let index = entries.length;
    while (index > start && (entries[index - 1]?.at ?? 0) >= from) index -= 1;
    return index;
  }

  return {
    record(ending) {
      add(totals, ending);
      entries.push({ at: now(), ending });
      if (entries.length - start > REMEMBERED) forget();
    },
    total() {
      const newest = entries.slice(Math.max(start, entries.length - TIMES)).map(({ ending }) => ending);
      return finished(totals, newest, 'complete');
    },
    range({ from, to }) {
      const endings = entries
        .slice(since(from))
        .filter(({ at }) => at < to)
        .map(({ ending }) => ending);
      const counted = none();
      for (const ending of endings) add(counted, ending);
      return finished(counted, endings, forgottenUntil >= from ? 'partial' : 'complete');
    },
  };
}

const none = (): Mutable => ({
  requests: 0,
  status2xx: 0,
  status3xx: 0,
  status4xx: 0,
  status5xx: 0,
  connectionErrors: 0,
  unanswered: 0,
  clientClosed: 0,
});

function add(counted: Mutable, ending: Ending): void {
  counted.requests += 1;
  switch (ending.kind) {
    case 'answered':
      if (ending.status >= 500) counted.status5xx += 1;
      else if (ending.status >= 400) counted.status4xx += 1;
      else if (ending.status >= 300) counted.status3xx += 1;
      else counted.status2xx += 1;
      break;
    case 'connection-error':
      counted.connectionErrors += 1;
      break;
    case 'unanswered':
      counted.unanswered += 1;
      break;
    case 'client-closed':
      counted.clientClosed += 1;
      break;
    case 'upgraded':
      break;
  }
}

function finished(counted: Mutable, endings: readonly Ending[], memory: 'complete' | 'partial'): WindowCounts {
  return {
    ...counted,
    errors: counted.status5xx + counted.connectionErrors + counted.unanswered,
    responseTimes: endings.flatMap((ending) => ('responseTime' in ending ? [ending.responseTime] : [])),
    complete: memory === 'complete',
  };
}
