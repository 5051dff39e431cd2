import { type Duration, type Instant, instant } from '../../../src/domain/duration.ts';
import type { Clock } from '../../../src/ports/clock.ts';

export interface SteppingClock extends Clock {
  /** Every wait that was asked for, in order. */
  readonly sleeps: readonly Duration[];
  /** Moves time by hand. */
  advance(length: Duration): void;
  /** Runs `what` when time reaches `moment`, in the middle of a wait if need be. */
  at(moment: Instant, what: () => void): void;
}

/** Time that passes only in `sleep`, which returns at once: a rollout of 20 minutes is replayed in a millisecond, with one sleeper. A wait that would never end fails after 100,000 sleeps. */
export function steppingClock(start: Instant = instant(Date.UTC(2026, 10, 20, 12))): SteppingClock {
  let now: number = start;
  const sleeps: Duration[] = [];
  let plans: { readonly moment: Instant; readonly what: () => void }[] = [];
  const moveTo = (moment: number): void => {
    for (const due of plans.filter((plan) => plan.moment <= moment).sort((a, b) => a.moment - b.moment)) {
      plans = plans.filter((plan) => plan !== due);
      now = Math.max(now, due.moment);
      due.what();
    }
    now = Math.max(now, moment);
  };
  return {
    sleeps,
    now: () => instant(now),
    advance: (length) => moveTo(now + length),
    at: (moment, what) => plans.push({ moment, what }),
    async sleep(length, signal) {
      signal.throwIfAborted();
      sleeps.push(length);
      if (sleeps.length > 100_000) throw new Error('this wait never ends');
      const end = now + length;
      // Other promises get their turn, as in a real wait.
      await Promise.resolve();
      moveTo(end);
      signal.throwIfAborted();
    },
  };
}
