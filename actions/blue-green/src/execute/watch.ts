import { type Instant, between, minutes } from '../../../../src/domain/duration.ts';
import { CloudFailure, mayPass } from '../../../../src/domain/retry-policy.ts';
import { isOver } from '../../../../src/domain/shift/record.ts';
import { reconcile } from '../../../../src/engine/reconcile.ts';
import { type Watch, type WatchEnd, type Watched, decideWatch } from '../decide/left-behind/watch.ts';
import type { Ports } from './acting.ts';

type Looking = Pick<Ports, 'journal' | 'clock' | 'log'>;

/** No answer for so long is an end: a watch that sees nothing must not look as if all were well. */
const BLIND_FOR = minutes(10);

/** Looks at the record until the shift is over or stale. Writes nothing. */
export function watchOver(watch: Watch, { journal, clock, log }: Looking, signal: AbortSignal): Promise<WatchEnd> {
  let seen: Watched = { record: undefined, idleSince: clock.now() };
  let blindSince: Instant | undefined;
  return reconcile<Watched, never, WatchEnd>({
    clock,
    log,
    signal,
    async observe(inner) {
      try {
        const record = await journal.read(inner);
        const idle = record === undefined || isOver(record.phase);
        seen = { record, idleSince: idle ? seen.idleSince : clock.now() };
        blindSince = undefined;
      } catch (thrown) {
        if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
        blindSince ??= clock.now();
        if (between(blindSince, clock.now()) > BLIND_FOR) throw thrown;
        log.debug(thrown.message);
        // The last record ages meanwhile; what it says is not believed before it could be read again.
        return { ...seen, record: undefined, idleSince: clock.now() };
      }
      return seen;
    },
    decide: (watched, now) => decideWatch(watch, watched, now),
    act: () => Promise.resolve(),
  });
}
