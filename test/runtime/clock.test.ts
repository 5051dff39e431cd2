import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { minutes, seconds } from '../../src/domain/duration.ts';
import { fakeClock } from '../fakes/clock.ts';
import { clockContract } from '../contract/clock.ts';

clockContract('the system clock', () => ({ clock: systemClock(), pass: (length) => pause(length) }));
clockContract('the fake clock', () => {
  const clock = fakeClock();
  return { clock, pass: (length) => clock.advance(length) };
});
clockContract('the fake clock that moves by itself', () => ({
  clock: fakeClock({ mode: 'automatic' }),
  pass: async () => undefined,
}));

describe('the fake clock', () => {
  const { signal } = new AbortController();

  test('moves by advance alone, and wakes each sleeper at its own moment', async () => {
    const clock = fakeClock();
    const start = clock.now();
    const woken: number[] = [];
    const loop = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(seconds(10), signal);
        woken.push((clock.now() - start) / 1_000);
      }
    };
    const running = loop();
    await clock.advance(seconds(25));
    expect(woken).toEqual([10, 20]);
    expect(clock.sleeping).toBe(1);
    await clock.advance(seconds(5));
    await running;
    expect(woken).toEqual([10, 20, 30]);
    expect(clock.slept).toEqual([seconds(10), seconds(10), seconds(10)]);
  });

  test('moves by itself through hours when it is automatic, two loops in order', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    const start = clock.now();
    const seen: string[] = [];
    const loop = async (name: string, every: number): Promise<void> => {
      for (let left = 60 / every; left >= 1; left--) {
        await clock.sleep(minutes(every), signal);
        seen.push(`${name}@${(clock.now() - start) / 60_000}`);
      }
    };
    await Promise.all([loop('a', 20), loop('b', 30)]);
    // At 60 both are due; b fell asleep at 30, a at 40.
    expect(seen).toEqual(['a@20', 'b@30', 'a@40', 'b@60', 'a@60']);
  });
});

describe('the system clock', () => {
  test('does not end a wait of a month at once, as a timer of Node would', async () => {
    const controller = new AbortController();
    const sleeping = systemClock().sleep(minutes(60 * 24 * 30), controller.signal);
    const first = await Promise.race([sleeping.then(() => 'woke'), pause(50, 'still asleep')]);
    controller.abort('enough');
    await sleeping.catch(() => undefined);
    expect(first).toBe('still asleep');
  });
});
