import { seconds } from '../../../../src/domain/duration.ts';
import { CloudFailure, mayPass } from '../../../../src/domain/retry-policy.ts';
import { leaseFrom } from '../../../../src/domain/shift/record.ts';
import type { Fence } from '../../../../src/engine/shift/fence.ts';
import { withHeartbeat } from '../../../../src/engine/shift/heartbeat.ts';
import type { Acting } from './acting.ts';

export interface Fenced extends Acting {
  readonly fence: Fence;
}

const BEAT_EVERY = seconds(30);

/** Renews the lease beside work that has no turns of its own. */
export function beating<T>(
  { ports, memory, fence }: Fenced,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const beat = async (inner: AbortSignal): Promise<void> => {
    if (memory.record === undefined) return;
    try {
      await fence(inner);
      const renewed = { ...memory.record, leaseUntil: leaseFrom(ports.clock.now()) };
      await ports.journal.write(renewed, inner);
      memory.record = renewed;
    } catch (thrown) {
      // The next beat comes before the lease is over; after that the work may be another run's.
      const isHeld = ports.clock.now() < memory.record.leaseUntil;
      if (!isHeld || !(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
    }
  };
  return withHeartbeat({ clock: ports.clock, every: BEAT_EVERY, beat }, signal, work);
}
