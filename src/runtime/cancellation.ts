import { Cancelled, messageOf } from '../domain/failure.ts';

/** Why a run ends before its end, and how long it may still take. */
export type Stop =
  | { readonly kind: 'cancelled'; readonly by: string; readonly exitCode: number; readonly budget: StopBudget }
  | { readonly kind: 'crashed'; readonly thrown: unknown; readonly budget: StopBudget };

interface StopBudget {
  /** For `main` to notice: it ends by itself as soon as its current call is aborted. Milliseconds. */
  readonly settle: number;
  /** For the one call that restores a safe state. Milliseconds. */
  readonly restore: number;
}

export type Restored =
  | { readonly kind: 'nothing-to-restore' }
  | { readonly kind: 'restored'; readonly said: string }
  | { readonly kind: 'not-restored'; readonly why: string };

export type Restore = (signal: AbortSignal) => Promise<string>;

export interface StopWatch {
  /** Aborted at the first stop; the reason is a Cancelled. */
  readonly signal: AbortSignal;
  readonly stopped: Promise<Stop>;
  /** The stop that came, for whoever must know without waiting. */
  readonly stop: Stop | undefined;
  onCancel(restore: Restore | undefined): void;
  /** Makes the registered call once, whoever asks how often. */
  restore(budget: number): Promise<Restored>;
  /** The run has ended by itself: nothing that comes now is a reason to stop. */
  close(): void;
}

/**
 * A cancelled step gets SIGINT, SIGTERM after 7.5 s and SIGKILL after 2.5 s more
 * (docs.github.com, "Workflow cancellation reference"). SIGTERM as the first word leaves 2.5 s.
 */
const AFTER_SIGINT: StopBudget = { settle: 1_000, restore: 5_000 };
const AFTER_SIGTERM: StopBudget = { settle: 250, restore: 1_750 };

const SIGNALS = [
  { name: 'SIGINT', exitCode: 130, budget: AFTER_SIGINT },
  { name: 'SIGTERM', exitCode: 143, budget: AFTER_SIGTERM },
  { name: 'SIGHUP', exitCode: 129, budget: AFTER_SIGTERM },
] as const;

/** Nobody reads the log any more: the runner is gone, a next run may have begun, and this one must not write on. */
const LOG_CLOSED: Stop = {
  kind: 'cancelled',
  by: 'the end of the runner (its log is closed)',
  exitCode: 141,
  budget: AFTER_SIGTERM,
};

/** Listens for all that ends a run early. `say` tells what was heard after the first word. */
export function watchForStop(say: (line: string) => void): StopWatch {
  const controller = new AbortController();
  const { promise: stopped, resolve } = Promise.withResolvers<Stop>();
  let stop: Stop | undefined;
  let closed = false;
  let current: Restore | undefined;
  let atStop: Restore | undefined;
  let restoring: Promise<Restored> | undefined;

  const begin = (next: Stop): void => {
    if (closed) return;
    if (stop !== undefined) {
      // The runner repeats itself; one restoring call is on its way, and a second would only compete with it.
      // Not of a closed log: to say something there closes it again.
      if (next.kind === 'cancelled' && next !== LOG_CLOSED) say(`${next.by} as well; already stopping`);
      return;
    }
    stop = next;
    atStop = current;
    resolve(next);
    controller.abort(new Cancelled(next.kind === 'cancelled' ? next.by : 'an unexpected error'));
  };
  listen(begin);
  return {
    signal: controller.signal,
    stopped,
    get stop() {
      return stop;
    },
    onCancel(restore) {
      current = restore;
    },
    // A main that unwinds takes its call back; it was needed when the stop came, so it is made all the same.
    restore: (budget) => (restoring ??= restoreWithin(current ?? atStop, budget)),
    close() {
      closed = true;
    },
  };
}

function listen(begin: (stop: Stop) => void): void {
  for (const { name, exitCode, budget } of SIGNALS) {
    process.on(name, () => begin({ kind: 'cancelled', by: name, exitCode, budget }));
  }
  process.stdout.on('error', () => begin(LOG_CLOSED));
  process.stderr.on('error', () => undefined);
  const crash = (thrown: unknown): void => begin({ kind: 'crashed', thrown, budget: AFTER_SIGINT });
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // Node would leave with code 13 and without a word.
  process.on('beforeExit', () => crash(new Error('the run waits for something that cannot happen any more')));
}

async function restoreWithin(restore: Restore | undefined, budget: number): Promise<Restored> {
  if (restore === undefined) return { kind: 'nothing-to-restore' };
  const limit = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new Error(`no answer within ${budget / 1_000}s`);
    limit.abort(reason);
    reject(reason);
  }, budget);
  try {
    return { kind: 'restored', said: await Promise.race([restore(limit.signal), late]) };
  } catch (thrown) {
    return { kind: 'not-restored', why: messageOf(thrown) };
  } finally {
    clearTimeout(timer);
  }
}
