import type { Duration, Instant } from '../domain/duration.ts';

export interface Clock {
  now(): Instant;
  /** Resolves after `length`; rejects with the signal's reason as soon as it is aborted. */
  sleep(length: Duration, signal: AbortSignal): Promise<void>;
}
