import { setTimeout as wait } from 'node:timers/promises';
import { type Duration, instant } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';

/** A timer of Node fires at once when it is set for longer than this (2^31 - 1 ms, 24.8 days). */
const LONGEST_TIMER = 2_147_483_647;

/** Wall-clock time and real waits. Imported from node:timers/promises by name, because tests replace exactly that. */
export const systemClock = (): Clock => ({
  now: () => instant(Date.now()),
  async sleep(length: Duration, signal: AbortSignal): Promise<void> {
    for (let left = Math.max(0, length); ; left -= LONGEST_TIMER) {
      signal.throwIfAborted();
      try {
        await wait(Math.min(left, LONGEST_TIMER), undefined, { signal });
      } catch (thrown) {
        // Node rejects with an AbortError of its own; the port promises the signal's reason.
        signal.throwIfAborted();
        throw thrown;
      }
      if (left <= LONGEST_TIMER) return;
    }
  },
});
