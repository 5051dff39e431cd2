import type { Duration } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';

export interface Heartbeat {
  readonly clock: Clock;
  readonly every: Duration;
  /** Renews the lease; what it throws ends the work. */
  beat(signal: AbortSignal): Promise<void>;
}

/** Does work that has no turns of its own, and renews the lease beside it. The work sees an aborted signal when a beat fails. */
export async function withHeartbeat<T>(
  { clock, every, beat }: Heartbeat,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const lost = new AbortController();
  const beating = (async () => {
    const either = AbortSignal.any([signal, ended.signal]);
    for (;;) {
      await clock.sleep(every, either);
      await beat(either);
    }
  })().catch((thrown: unknown) => {
    if (!ended.signal.aborted && !signal.aborted) lost.abort(thrown);
  });
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    ended.abort();
    await beating;
  }
}
