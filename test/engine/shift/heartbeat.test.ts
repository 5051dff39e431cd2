import { describe, expect, test } from '@jest/globals';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled } from '../../../src/domain/failure.ts';
import { withHeartbeat } from '../../../src/engine/shift/heartbeat.ts';
import { fakeClock } from '../../fakes/clock.ts';

const signal = new AbortController().signal;

describe('work with a heartbeat', () => {
  test('is accompanied by a beat every 30 s, and by none after its end', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    let beats = 0;
    const beat = async (): Promise<void> => void (beats += 1);
    const done = await withHeartbeat({ clock, every: seconds(30), beat }, signal, async (inner) => {
      await clock.sleep(seconds(100), inner);
      return 'done';
    });
    expect(done).toBe('done');
    expect(beats).toBe(3);
    await clock.sleep(minutes(5), signal);
    expect(beats).toBe(3);
  });

  test('ends with the reason of a beat that failed', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    const beat = (): Promise<void> => Promise.reject(new Error('taken over'));
    const work = withHeartbeat({ clock, every: seconds(30), beat }, signal, (inner) => clock.sleep(minutes(10), inner));
    await expect(work).rejects.toThrow('taken over');
  });

  test('ends with the reason of its own signal', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    const stop = new AbortController();
    void clock.sleep(seconds(45), signal).then(() => stop.abort(new Cancelled('SIGINT')));
    const work = withHeartbeat({ clock, every: seconds(30), beat: async () => undefined }, stop.signal, (inner) =>
      clock.sleep(minutes(10), inner),
    );
    await expect(work).rejects.toThrow(Cancelled);
  });

  test('that fails gives its own error', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    const work = withHeartbeat({ clock, every: seconds(30), beat: async () => undefined }, signal, () =>
      Promise.reject(new Error('no image')),
    );
    await expect(work).rejects.toThrow('no image');
  });
});
