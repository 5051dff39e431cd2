import { type Duration, type Instant, after, instant, milliseconds } from '../../src/domain/duration.ts';
import type { Clock } from '../../src/ports/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time and wakes the sleepers whose end comes, one by one and each at its own moment; resolves when all have settled. */
  advance(length: Duration): Promise<void>;
  /** How many sleep now. */
  readonly sleeping: number;
  /** Every length that was ever slept for, in order. */
  readonly slept: readonly Duration[];
}

interface Sleeper {
  readonly due: Instant;
  wake(): void;
}

interface FakeClockOptions {
  /** 2026-01-01T00:00:00Z by default. */
  readonly start?: Instant;
  /** `automatic`: as soon as everybody waits, time moves to the next end. `manual` (default): only by `advance`. */
  readonly mode?: 'manual' | 'automatic';
}

/** Time as a test wants it. Nothing here waits for real. */
export function fakeClock({
  start = instant(Date.UTC(2026, 0, 1)),
  mode = 'manual',
}: FakeClockOptions = {}): FakeClock {
  let now = start;
  /** By end, then by the order of falling asleep. */
  let sleepers: readonly Sleeper[] = [];
  const slept: Duration[] = [];
  let moving = false;

  const wakeFirst = (): void => {
    const [first, ...others] = sleepers;
    if (first === undefined) return;
    sleepers = others;
    now = instant(Math.max(now, first.due));
    first.wake();
  };
  const moveByItself = async (): Promise<void> => {
    if (moving) return;
    moving = true;
    await settled();
    while (sleepers.length > 0) {
      wakeFirst();
      await settled();
    }
    moving = false;
  };
  return {
    now: () => now,
    sleep(length, signal) {
      slept.push(length);
      return new Promise<void>((resolve, reject) => {
        // The port rejects with the reason as it is.
        const stop = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        };
        const sleeper: Sleeper = {
          due: after(now, milliseconds(Math.max(0, length))),
          wake() {
            signal.removeEventListener('abort', stop);
            resolve();
          },
        };
        if (signal.aborted) return stop();
        signal.addEventListener('abort', stop, { once: true });
        const later = sleepers.findIndex(({ due }) => due > sleeper.due);
        sleepers = later < 0 ? [...sleepers, sleeper] : sleepers.toSpliced(later, 0, sleeper);
        if (mode === 'automatic') void moveByItself();
      });
    },
    async advance(length) {
      const end = after(now, length);
      await settled();
      while (sleepers[0] !== undefined && sleepers[0].due <= end) {
        wakeFirst();
        await settled();
      }
      now = end;
    },
    get sleeping() {
      return sleepers.length;
    },
    slept,
  };
}

/** Lets everything that can go on without time go on: promises first, then some turns of the event loop for real I/O of fakes. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((next) => setImmediate(next));
}
