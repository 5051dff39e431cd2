import { type Instant, between, formatDuration, formatInstant, milliseconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { isOver } from '../../../../src/domain/shift/record.ts';
import { type Fence, Superseded, fencedRouter } from '../../../../src/engine/shift/fence.ts';
import type { Tidied } from '../../../../src/ports/traffic-router.ts';
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

/** What tidying did where no shift is under way. */
export interface TidiedAlone {
  readonly changed: 'yes' | 'no';
  /** undefined: there was nothing to tidy. */
  readonly says: string | undefined;
}

/**
 * The same where no shift is under way, for `reconcile`. Whoever begins a shift meanwhile wins: the write is not made any
 * more.
 */
export async function tidyAlone(
  { router, journal, log, willChange }: Pick<Ports, 'router' | 'journal' | 'log' | 'willChange'>,
  signal: AbortSignal,
): Promise<TidiedAlone> {
  let changed: TidiedAlone['changed'] = 'no';
  const idle = async (inner: AbortSignal): Promise<void> => {
    const record = await journal.read(inner);
    if (record !== undefined && !isOver(record.phase)) throw new Superseded(record);
  };
  try {
    await idle(signal);
    const tidied = await router.tidy(signal, async (inner) => {
      await idle(inner);
      willChange();
      changed = 'yes';
    });
    const told = saysOf(tidied, changed, ` of ${router.name}`);
    if (told !== undefined) log.info(told.replace(/^t/, 'T'));
    return { changed, says: saysOf(tidied, changed) };
  } catch (thrown) {
    if (thrown instanceof Superseded) return { changed, says: undefined };
    throw thrown;
  }
}

function saysOf(tidied: Tidied, changed: TidiedAlone['changed'], where = ''): string | undefined {
  if (tidied.kind === 'done') return `the ${tidied.what}${where} is back`;
  if (tidied.kind === 'later') return `the ${tidied.what}${where} comes back after ${formatInstant(tidied.at)}`;
  return changed === 'yes' ? `the note of stickiness${where} that somebody else put back is gone` : undefined;
}
