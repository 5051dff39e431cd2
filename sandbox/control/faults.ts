import type { CallEntry } from './call-log.ts';

export interface Where {
  /** `ecs:UpdateService`, `ecs:*` or `*`. */
  readonly operation: string;
  /** Which logical call of that operation in its run; absent: all. */
  readonly ordinal?: number | 'all';
  /** Only calls of this run; absent: every run but `fixture`. */
  readonly run?: string;
}

/** What the client meets. `times` counts HTTP attempts (default 1), so that an SDK's own retry can succeed. */
export type Fault = Where & { readonly times?: number } & (
    | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly status: number }
    | { readonly kind: 'throttle' | 'access-denied' | 'expired-token' | '5xx' }
    /** `when: 'after'`: the effect happens and only the answer is lost. Default: before. */
    | { readonly kind: 'reset' | 'hang'; readonly when?: 'before' | 'after' }
    /** A read answers with what the same read said before the last change; where nothing older was said, this one is not spent. */
    | { readonly kind: 'stale-read' }
    /** Real milliseconds before the call is looked at. */
    | { readonly kind: 'delay'; readonly delay: number }
  );

export interface Armed {
  /** Attempts that met it so far. */
  hits(): number;
  remove(): void;
}

/** At one logical call a process gets a signal. SIGKILL drops the connection too; the others let the call go on. */
export type Kill = Where & {
  readonly ordinal: number;
  /** `before`: the call has no effect. `after`: its effect happens, its answer is lost. */
  readonly when: 'before' | 'after';
  readonly signal?: NodeJS.Signals;
} & ({ readonly pid: number | (() => number | undefined) } | { readonly onHit: (entry: CallEntry) => void });

export interface Faults<F = Fault> {
  add(fault: F): Armed;
  clear(): void;
}

export interface FaultBoard<F = Fault> extends Faults<F> {
  kill(kill: Kill): Armed;
  /** The fault that this attempt meets; it is spent unless it is given back. */
  meet(entry: CallEntry): { readonly fault: F; giveBack(): void } | undefined;
  killAt(entry: CallEntry): Kill | undefined;
}

interface Counted<T> {
  readonly spec: T;
  left: number;
  hits: number;
}

export function faultBoard<F extends Where & { readonly times?: number } = Fault>(): FaultBoard<F> {
  const faults = new Set<Counted<F>>();
  const kills = new Set<Counted<Kill>>();

  const arm = <T>(all: Set<Counted<T>>, spec: T, times: number): Armed => {
    const counted = { spec, left: times, hits: 0 };
    all.add(counted);
    return { hits: () => counted.hits, remove: () => void all.delete(counted) };
  };

  return {
    add: (fault) => arm(faults, fault, fault.times ?? 1),
    kill: (kill) => arm(kills, kill, 1),
    clear() {
      faults.clear();
      kills.clear();
    },
    meet(entry) {
      const found = [...faults].find(({ spec, left }) => left > 0 && matches(spec, entry));
      if (found === undefined) return undefined;
      found.left -= 1;
      found.hits += 1;
      return {
        fault: found.spec,
        giveBack() {
          found.left += 1;
          found.hits -= 1;
        },
      };
    },
    killAt(entry) {
      const found = [...kills].find(({ spec, left }) => left > 0 && matches(spec, entry));
      if (found === undefined) return undefined;
      found.left -= 1;
      found.hits += 1;
      return found.spec;
    },
  };
}

export const FIXTURE = 'fixture';

function matches(where: Where, entry: CallEntry): boolean {
  const [service] = entry.operation.split(':');
  const operation =
    where.operation === '*' || where.operation === `${service}:*` || where.operation === entry.operation;
  const ordinal = where.ordinal === undefined || where.ordinal === 'all' || where.ordinal === entry.ordinal;
  const run = where.run === undefined ? entry.run !== FIXTURE : where.run === entry.run;
  return operation && ordinal && run;
}

/** Sends the signal (or tells the test). A process that is gone already is what a kill wants, so that is no error. */
export function strike(kill: Kill, entry: CallEntry): void {
  if ('onHit' in kill) return kill.onHit(entry);
  const pid = typeof kill.pid === 'function' ? kill.pid() : kill.pid;
  if (pid === undefined) return;
  try {
    process.kill(pid, kill.signal ?? 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export const dropsConnection = (kill: Kill): boolean => (kill.signal ?? 'SIGKILL') === 'SIGKILL';
