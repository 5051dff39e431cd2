import { type Instant, between, formatDuration, formatInstant, milliseconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { isOver } from '../../../../src/domain/shift/record.ts';
import { type Fence, Superseded, fencedRouter } from '../../../../src/engine/shift/fence.ts';
import type { Acting, Ports } from './acting.ts';

/**
 * Beside a shift, never in its way: what an earlier way back took from users (stickiness) is put back. At the end of a shift
 * it is waited for as long as a drain lasts; what takes longer is left to the next run or to `reconcile`, and said.
 */
export async function tidyUp(acting: Acting, fence: Fence, signal: AbortSignal): Promise<void> {
  const { ports, release, memory } = acting;
  const router = fencedRouter(ports.router, fence);
  const mayWait = memory.record !== undefined && isOver(memory.record.phase);
  const isLong = (at: Instant): boolean => !mayWait || between(ports.clock.now(), at) > release.goal.drain;
  try {
    let tidied = await router.tidy(signal);
    if (tidied.kind === 'later' && !isLong(tidied.at)) {
      const left = between(ports.clock.now(), tidied.at);
      ports.log.info(`Waiting ${formatDuration(left)} to put back the ${tidied.what}`);
      await ports.clock.sleep(milliseconds(Math.max(0, left)), signal);
      tidied = await router.tidy(signal);
    }
    if (tidied.kind === 'done') ports.log.info(`The ${tidied.what} of ${router.name} is back`);
    if (tidied.kind === 'later')
      ports.log.warning(
        `The ${tidied.what} of ${router.name} stays off until ${formatInstant(tidied.at)}, because cookies of before still name the color that was left; the next run or mode: reconcile after that puts it back`,
      );
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    ports.log.warning(thrown.message);
  }
}

/**
 * The same where no shift is under way, for `reconcile`. Answers what was put back; undefined: nothing was written. Whoever
 * begins a shift meanwhile wins: the write is not made any more.
 */
export async function tidyAlone(
  { router, journal, log }: Pick<Ports, 'router' | 'journal' | 'log'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const idle = async (inner: AbortSignal): Promise<void> => {
    const record = await journal.read(inner);
    if (record !== undefined && !isOver(record.phase)) throw new Superseded(record);
  };
  try {
    await idle(signal);
    const tidied = await router.tidy(signal, idle);
    if (tidied.kind === 'later')
      log.info(`The ${tidied.what} of ${router.name} comes back after ${formatInstant(tidied.at)}`);
    if (tidied.kind !== 'done') return undefined;
    log.info(`The ${tidied.what} of ${router.name} is back`);
    return tidied.what;
  } catch (thrown) {
    if (thrown instanceof Superseded) return undefined;
    throw thrown;
  }
}
