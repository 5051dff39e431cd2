import { describe, expect, test } from '@jest/globals';
import { type Duration, milliseconds, seconds } from '../../src/domain/duration.ts';
import { Cancelled } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/ports/clock.ts';

interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets this much time pass. */
  pass(length: Duration): Promise<void>;
}

/** What every Clock does, real or fake. The lengths suit a real one: some tens of milliseconds. */
export function clockContract(name: string, open: () => ClockUnderTest): void {
  describe(`${name} as a Clock`, () => {
    test('ends a sleep when its time has passed, and the time is then at least that late', async () => {
      const { clock, pass } = open();
      const start = clock.now();
      const sleeping = clock.sleep(milliseconds(30), new AbortController().signal);
      await pass(milliseconds(60));
      await sleeping;
      // A timer of Node may fire a millisecond early by the wall clock.
      expect(clock.now() - start).toBeGreaterThanOrEqual(29);
    });

    test('wakes the shorter sleep first, whoever began first', async () => {
      const { clock, pass } = open();
      const { signal } = new AbortController();
      const order: string[] = [];
      const both = [
        clock.sleep(milliseconds(60), signal).then(() => order.push('long')),
        clock.sleep(milliseconds(20), signal).then(() => order.push('short')),
      ];
      await pass(milliseconds(90));
      await Promise.all(both);
      expect(order).toEqual(['short', 'long']);
    });

    test('rejects a sleep with the reason of the abort, at once', async () => {
      const { clock } = open();
      const controller = new AbortController();
      const sleeping = clock.sleep(seconds(60), controller.signal);
      const reason = new Cancelled('SIGINT');
      controller.abort(reason);
      await expect(sleeping).rejects.toBe(reason);
    });

    test('does not begin a sleep under a signal that is aborted already', async () => {
      const { clock } = open();
      const reason = new Cancelled('SIGINT');
      await expect(clock.sleep(seconds(60), AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    test('leaves no listener on the signal behind', async () => {
      const { clock, pass } = open();
      const { signal } = new AbortController();
      const removed: string[] = [];
      const remove = signal.removeEventListener.bind(signal);
      signal.removeEventListener = (type: string, ...rest: [never]) => {
        removed.push(type);
        remove(type, ...rest);
      };
      const sleeping = clock.sleep(milliseconds(10), signal);
      await pass(milliseconds(30));
      await sleeping;
      expect(removed).toContain('abort');
    });

    test('takes an end that has passed as now', async () => {
      const { clock, pass } = open();
      const sleeping = clock.sleep(milliseconds(-5), new AbortController().signal);
      await pass(milliseconds(20));
      await expect(sleeping).resolves.toBeUndefined();
    });
  });
}
