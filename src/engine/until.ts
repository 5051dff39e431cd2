import { type Duration, type Instant, between, milliseconds } from '../domain/duration.ts';
import { DeadlinePassed } from '../domain/failure.ts';
import type { Clock } from '../ports/clock.ts';

export interface Wait {
  readonly every: Duration;
  readonly deadline: Instant;
  readonly signal: AbortSignal;
}

/**
 * Looks until `look` gives something other than undefined. The last look is at the deadline, never before it and never
 * after it; then DeadlinePassed is thrown. An error of `look` ends the wait at once: what may be retried is retried inside it.
 */
export async function until<T>(clock: Clock, wait: Wait, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    wait.signal.throwIfAborted();
    const seen = await look();
    if (seen !== undefined) return seen;
    const left = between(clock.now(), wait.deadline);
    if (left <= 0) throw new DeadlinePassed(`nothing seen until the deadline`);
    await clock.sleep(milliseconds(Math.min(wait.every, left)), wait.signal);
  }
}
