import { type Instant, between, formatDuration, minutes, seconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Ports } from './acting.ts';

const AGAIN_AFTER = seconds(10);
const FOR = minutes(5);

/**
 * Opens what going on with a shift takes. A Failure that is given back says what is missing for good. An answer that does not
 * come for a moment is nothing of the kind: it is asked for again, and thrown in the end, which leaves the shift to whoever
 * looks next.
 */
export async function openAgain<T>(
  open: () => Promise<T>,
  { clock, log, mayPass }: Pick<Ports, 'clock' | 'log'> & { mayPass(thrown: Failure): boolean },
  signal: AbortSignal,
): Promise<T | Failure> {
  const begun: Instant = clock.now();
  for (;;) {
    try {
      return await open();
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof Failure)) throw thrown;
      if (!mayPass(thrown)) return thrown;
      if (between(begun, clock.now()) >= FOR) throw thrown;
      log.warning(`${thrown.message} Asked again in ${formatDuration(AGAIN_AFTER)}, to go on with the shift`);
      await clock.sleep(AGAIN_AFTER, signal);
    }
  }
}
