import { Pool } from 'undici';
import { Failure } from '../../src/domain/failure.ts';
import { type Chance, seededChance } from '../plane/chance.ts';
import { type Arrivals, gapsBetween } from './arrivals.ts';
import { type FollowedName, followName } from './follow-name.ts';
import { type Held, holdWebSocket } from './hold-websocket.ts';
import { type Ledger, type Mark, type UserCounts, type UserSecond, ledger } from './ledger.ts';
import { type UserPath, sendRequest } from './send-request.ts';

const TIMEOUT = 5_000;

export interface UsersOptions {
  /** Base URL of the listener: `http://127.0.0.1:40123`; or a name that users follow. */
  readonly url: string | FollowedName;
  /** The Host header, when it is not that of `url`. */
  readonly host?: string;
  readonly ratePerSecond: number;
  /** What they ask for, each with the same chance. */
  readonly paths: readonly (string | UserPath)[];
  /** How many WebSockets are held open. None unless told. */
  readonly websockets?: number;
  readonly websocketPath?: string;
  /** Milliseconds from one message on a WebSocket to the next. */
  readonly websocketEvery?: number;
  readonly arrivals?: Arrivals;
  readonly seed?: string;
  /** Milliseconds until a user gives up; 5 s unless told. */
  readonly timeout?: number;
  /** Requests that may be open at once, 1,000 unless told; one more counts as failed. */
  readonly maxOpen?: number;
}

export interface Users {
  /** Epoch milliseconds; second 0 of the timeline. */
  readonly startedAt: number;
  counts(): UserCounts;
  mark(): Mark;
  since(mark: Mark): UserCounts;
  timeline(): readonly UserSecond[];
  /** How late requests left compared to their plan, in milliseconds. More than some tens says that this machine, and not the service, was slow. */
  lag(): { readonly mean: number; readonly max: number };
  /** No new arrivals; resolves when the open requests have ended. */
  stop(): Promise<UserCounts>;
}

/**
 * The users of one listener, as an open model: they come when they come, however slow the answers are, and each of them
 * ends up in exactly one counter.
 */
export function startUsers(options: UsersOptions): Users {
  refuseNonsense(options);
  const chance = seededChance(options.seed ?? 'users');
  const startedAt = Date.now();
  const start = performance.now();
  const book = ledger(start);
  const requests = requestsOf(options, { book, chance });
  const gap = gapsBetween(options.arrivals ?? 'poisson', options.ratePerSecond, chance);
  const plan = planArrivals({ start, gap, arrive: requests.arrive });
  const held = holdAll(options, book);
  let stopped: Promise<UserCounts> | undefined;

  async function stop(): Promise<UserCounts> {
    plan.stop();
    for (const each of held) each.release();
    await requests.ended();
    return book.counts();
  }

  return {
    startedAt,
    counts: book.counts,
    mark: () => ({ counts: book.counts() }),
    since: book.since,
    timeline: book.timeline,
    lag: requests.lag,
    stop: () => (stopped ??= stop()),
  };
}

function refuseNonsense({ paths, ratePerSecond }: UsersOptions): void {
  const what = 'Could not start users';
  if (paths.length === 0) throw new Failure({ what, why: 'no path is given' });
  if (!(ratePerSecond > 0)) throw new Failure({ what, why: `the rate ${ratePerSecond} is not above 0` });
}

interface Requests {
  /** A user comes, planned for `plannedAt` on the clock of performance.now(). */
  arrive(plannedAt: number): void;
  lag: Users['lag'];
  /** Resolves when none is open, and lets the connections go. */
  ended(): Promise<void>;
}

function requestsOf(
  options: UsersOptions,
  { book, chance }: { readonly book: Ledger; readonly chance: Chance },
): Requests {
  const { url, host, timeout = TIMEOUT, maxOpen = 1_000 } = options;
  const paths = options.paths.map((path): UserPath => (typeof path === 'string' ? { path } : path));
  const leads = typeof url === 'string' ? () => url : followName(url, chance);
  const pools = new Map<string, Pool>();
  const poolOf = (base: string): Pool => {
    const pool = pools.get(base) ?? new Pool(base, { connections: maxOpen, pipelining: 1 });
    pools.set(base, pool);
    return pool;
  };
  const lag = { sum: 0, count: 0, max: 0 };
  let open = 0;
  let whenNone: (() => void) | undefined;

  function closed(): void {
    open -= 1;
    if (open === 0) whenNone?.();
  }

  return {
    arrive(plannedAt) {
      const end = book.arrived(plannedAt);
      if (open >= maxOpen) {
        end({ kind: 'failed', reason: 'too many open', version: undefined, responseTime: undefined });
        return;
      }
      const base = leads();
      if (base === undefined) {
        end({ kind: 'failed', reason: 'no such name', version: undefined, responseTime: undefined });
        return;
      }
      const late = performance.now() - plannedAt;
      lag.sum += late;
      lag.count += 1;
      lag.max = Math.max(lag.max, late);
      open += 1;
      const path = paths[Math.floor(chance() * paths.length)] as UserPath;
      sendRequest({ pool: poolOf(base), path, host, timeout, plannedAt, end, closed });
    },
    lag: () => ({ mean: lag.count === 0 ? 0 : lag.sum / lag.count, max: lag.max }),
    async ended() {
      if (open > 0) await new Promise<void>((resolve) => (whenNone = resolve));
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

interface Plan {
  readonly start: number;
  readonly gap: () => number;
  readonly arrive: (plannedAt: number) => void;
}

/** Sends what is due and sleeps until the next; after a pause of this process all that became due leaves at once, none is left out. */
function planArrivals({ start, gap, arrive }: Plan): { stop(): void } {
  let next = start + gap();
  let timer: NodeJS.Timeout | undefined;
  function sendDue(): void {
    for (const now = performance.now(); next <= now; next += gap()) arrive(next);
  }
  function turn(): void {
    sendDue();
    timer = setTimeout(turn, Math.max(0, next - performance.now()));
  }
  turn();
  return {
    stop() {
      clearTimeout(timer);
      sendDue();
    },
  };
}

function holdAll(options: UsersOptions, book: Ledger): readonly Held[] {
  const { host, timeout = TIMEOUT, websocketEvery: every = 1_000, websockets = 0 } = options;
  if (websockets === 0) return [];
  if (typeof options.url !== 'string')
    throw new Failure({ what: 'Could not start users', why: 'WebSockets are held to a URL, not to a name' });
  const url = new URL(options.websocketPath ?? '/analyticsHub', options.url.replace(/^http/, 'ws')).href;
  return Array.from({ length: websockets }, () => holdWebSocket({ url, host, timeout, every, ledger: book }));
}
