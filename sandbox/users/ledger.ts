/** How one planned request ended. Milliseconds from its planned arrival, so that a stall hurts all who came during it. */
export type RequestEnding =
  | { readonly kind: 'ok'; readonly version: string | undefined; readonly responseTime: number }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly version: string | undefined;
      readonly responseTime: number | undefined;
    };

export interface UserCounts {
  /** Every request whose planned moment has come, those over the cap included: ok + failed + open, always. */
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** Still waiting for its answer. */
  readonly open: number;
  /** `status 500`, `refused`, `reset`, `timeout`, `too many open`, `other: ...` */
  readonly failedByReason: Readonly<Record<string, number>>;
  /** Answers by their x-app-version, failed ones included; `unknown` for an answer that does not say. */
  readonly byVersion: Readonly<Record<string, number>>;
  readonly websocketDrops: number;
  /** `closed 1006`, `no answer`, `not opened: status 502` */
  readonly websocketDropsByReason: Readonly<Record<string, number>>;
  /** Messages that came back. */
  readonly websocketEchoes: number;
  /** Response times in milliseconds of everything that ended, timeouts at their timeout; requests over the cap have none. */
  readonly responseTimes: readonly number[];
}

/** One second of planned arrivals, and what became of them. */
export interface UserSecond {
  /** Seconds since the users started. */
  readonly second: number;
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** Good answers that took longer than a second from the planned arrival. */
  readonly slow: number;
  readonly byVersion: Readonly<Record<string, number>>;
}

/** A moment to count from. */
export interface Mark {
  readonly counts: UserCounts;
}

export interface Ledger {
  /** Enters a request as sent; the returned function ends it, and only its first call counts. */
  arrived(plannedAt: number): (ending: RequestEnding) => void;
  websocketDropped(reason: string): void;
  websocketEchoed(): void;
  counts(): UserCounts;
  since(mark: Mark): UserCounts;
  timeline(): readonly UserSecond[];
}

type Tally = Map<string, number>;

interface Second {
  sent: number;
  ok: number;
  failed: number;
  slow: number;
  readonly byVersion: Tally;
}

/** Where waiting begins to hurt: the usual limit of an uninterrupted train of thought. Milliseconds. */
const SLOW = 1_000;

interface Book {
  readonly seconds: Second[];
  readonly times: number[];
  readonly reasons: Tally;
  readonly versions: Tally;
  readonly drops: Tally;
  sent: number;
  ok: number;
  failed: number;
  echoes: number;
}

/** `start`: the moment from which seconds are counted, on the clock of `arrived`. */
export function ledger(start: number): Ledger {
  const tallies = { reasons: new Map(), versions: new Map(), drops: new Map() };
  const book: Book = { ...tallies, seconds: [], times: [], sent: 0, ok: 0, failed: 0, echoes: 0 };
  return {
    arrived(plannedAt) {
      const second = secondAt(book, plannedAt - start);
      book.sent += 1;
      second.sent += 1;
      let ended = false;
      return (ending) => {
        if (ended) return;
        ended = true;
        enter(book, second, ending);
      };
    },
    websocketDropped: (reason) => count(book.drops, reason),
    websocketEchoed() {
      book.echoes += 1;
    },
    counts: () => countsOf(book),
    since: ({ counts: earlier }) => difference(countsOf(book), earlier),
    timeline: () =>
      book.seconds.map(({ byVersion, ...rest }, second) => ({
        second,
        ...rest,
        byVersion: Object.fromEntries(byVersion),
      })),
  };
}

function secondAt({ seconds }: Book, sinceStart: number): Second {
  const index = Math.max(0, Math.floor(sinceStart / 1_000));
  while (seconds.length <= index) seconds.push({ sent: 0, ok: 0, failed: 0, slow: 0, byVersion: new Map() });
  return seconds[index] as Second;
}

function enter(book: Book, second: Second, ending: RequestEnding): void {
  book[ending.kind] += 1;
  second[ending.kind] += 1;
  if (ending.kind === 'failed') count(book.reasons, ending.reason);
  else if (ending.responseTime > SLOW) second.slow += 1;
  if (ending.version !== undefined) {
    count(book.versions, ending.version);
    count(second.byVersion, ending.version);
  }
  if (ending.responseTime !== undefined) book.times.push(ending.responseTime);
}

const countsOf = ({ sent, ok, failed, reasons, versions, drops, echoes, times }: Book): UserCounts => ({
  sent,
  ok,
  failed,
  open: sent - ok - failed,
  failedByReason: Object.fromEntries(reasons),
  byVersion: Object.fromEntries(versions),
  websocketDrops: sum(drops),
  websocketDropsByReason: Object.fromEntries(drops),
  websocketEchoes: echoes,
  responseTimes: [...times],
});

const count = (tally: Tally, key: string): void => void tally.set(key, (tally.get(key) ?? 0) + 1);

const sum = (tally: Tally): number => [...tally.values()].reduce((total, value) => total + value, 0);

/** What came after `earlier`. `open` is what is open now: a request may have been sent before the mark and end after it. */
function difference(later: UserCounts, earlier: UserCounts): UserCounts {
  return {
    sent: later.sent - earlier.sent,
    ok: later.ok - earlier.ok,
    failed: later.failed - earlier.failed,
    open: later.open,
    failedByReason: less(later.failedByReason, earlier.failedByReason),
    byVersion: less(later.byVersion, earlier.byVersion),
    websocketDrops: later.websocketDrops - earlier.websocketDrops,
    websocketDropsByReason: less(later.websocketDropsByReason, earlier.websocketDropsByReason),
    websocketEchoes: later.websocketEchoes - earlier.websocketEchoes,
    responseTimes: later.responseTimes.slice(earlier.responseTimes.length),
  };
}

const less = (
  later: Readonly<Record<string, number>>,
  earlier: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(later)
      .map(([key, value]) => [key, value - (earlier[key] ?? 0)] as const)
      .filter(([, value]) => value > 0),
  );
