import { milliseconds } from '../../domain/duration.ts';
import type { LoadModel } from '../../domain/load/load.ts';
import type { Traveller } from './iterate.ts';
import type { Departed, Journey } from './run-load.ts';

const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/**
 * So many users; each starts again as soon as it is back. One whose request nobody answered pauses first, longer each
 * time: a dead port would otherwise be asked ten thousand times a second and tell nothing more.
 */
export async function runClosed(
  model: Extract<LoadModel, { kind: 'closed' }>,
  journey: Journey,
  { start, tools: { stopwatch, clock }, signal }: Traveller,
): Promise<Departed> {
  const { count, duration, concurrency } = model;
  let started = 0;
  let ended: Departed['ended'] = 'plan';
  const wanted = (): boolean =>
    (count === undefined || started < count) && (duration === undefined || stopwatch.elapsed() - start < duration);
  const user = async (): Promise<void> => {
    let inRow = 0;
    while (wanted()) {
      if (!journey.mayStart()) {
        ended = 'budget';
        return;
      }
      started += 1;
      const now = stopwatch.elapsed();
      const dead = await journey.send(now - start, now);
      signal.throwIfAborted();
      inRow = dead > 0 ? inRow + 1 : 0;
      if (inRow > 0 && wanted())
        await clock.sleep(milliseconds(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (inRow - 1))), signal);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count ?? concurrency) }, user));
  return { ...(count === undefined || duration !== undefined ? {} : { planned: count }), started, waited: 0, ended };
}
