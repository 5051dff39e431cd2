import type { Instant } from '../duration.ts';
import { type RunKey, type ShiftRecord, isOver, isResting, sameRun } from './record.ts';

export interface Claimant {
  readonly me: RunKey;
  /** Whether this very process has taken the shift; a run key alone is shared by all jobs and steps of an attempt. */
  readonly engaged: boolean;
}

/**
 * What a process may do with the shift that it finds:
 * - `free`: there is none, or it is over
 * - `mine`: this process took it and nobody else has since
 * - `abandoned`: nobody is at work: it rests between two jobs, its attempt has ended, or its lease is over
 * - `busy`: another run is at work
 * - `lost`: somebody took over what this process or attempt once had; it is the past and writes nothing more
 */
export type Claim = 'free' | 'mine' | 'abandoned' | 'busy' | 'lost';

export function claimOf(record: ShiftRecord | undefined, { me, engaged }: Claimant, now: Instant): Claim {
  if (engaged) return stillHolds(record, me) ? 'mine' : 'lost';
  if (record === undefined) return 'free';
  if (record.run.id === me.id && record.run.attempt > me.attempt) return 'lost';
  if (isOver(record.phase)) return 'free';
  // Steps of one job follow each other, and a new attempt starts only after the one before has ended.
  if (record.run.id === me.id || isResting(record.phase)) return 'abandoned';
  return now < record.leaseUntil ? 'busy' : 'abandoned';
}

/**
 * Whether a process that once held the shift still does. Asked again before every write: a process that slept (SIGSTOP,
 * a frozen machine) while another one took over must write nothing more.
 */
export const stillHolds = (record: ShiftRecord | undefined, me: RunKey): boolean =>
  record !== undefined && sameRun(record.run, me);
