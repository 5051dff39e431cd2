import {
  type Duration,
  type Instant,
  after,
  formatDuration,
  formatInstant,
  minutes,
} from '../../../../../src/domain/duration.ts';
import { type ShiftRecord, formatRun, isOver, isResting } from '../../../../../src/domain/shift/record.ts';
import { stageWords } from '../../../../../src/domain/shift/record-words.ts';
import { holdsScaling } from '../scaling.ts';
import type { Goal } from '../goal.ts';

/** Two jobs follow each other sooner than this; a shift that rests longer is somebody's for another day. */
export const MOST_REST: Duration = minutes(60);

/** What becomes of a shift that nobody may be working on any more. `fail` is left as it is, and told in red. */
export interface StaleVerdict {
  readonly kind: 'leave' | 'roll-back' | 'resume' | 'finish' | 'settle' | 'fail';
  readonly says: string;
}

/**
 * PURE. Whether a shift is anybody's any more. Only a shift whose lease is over and that was not judged good is ended:
 * one at rest waits for its next job on purpose, and a switched one keeps the traffic that it was judged fit for: its
 * drain is finished. A way back that was begun is always gone to its end: `on-stale` chooses before that, not half way.
 */
export function staleVerdict(
  record: ShiftRecord | undefined,
  { onStale }: Pick<Goal, 'onStale'>,
  now: Instant,
): StaleVerdict {
  const leave = (says: string): StaleVerdict => ({ kind: 'leave', says });
  if (record === undefined || isOver(record.phase)) return leave('No shift is under way');
  const shift = `Shift ${record.id} of run ${formatRun(record.run)} (${stageWords(record)})`;
  if (isResting(record.phase)) {
    const isLong = now >= after(record.since, MOST_REST);
    return isLong && holdsScaling(record)
      ? {
          kind: 'settle',
          says: `${shift} rests for longer than ${formatDuration(MOST_REST)}: its autoscaling is given back`,
        }
      : leave(`${shift} rests between two jobs`);
  }
  if (now < record.leaseUntil)
    return leave(`${shift} is worked on, until ${formatInstant(record.leaseUntil)} at least`);
  const nobodys = `${shift} is nobody's any more since ${formatInstant(record.leaseUntil)}`;
  if (record.phase === 'rolling-back')
    return { kind: 'roll-back', says: `${nobodys}: going back to ${record.stable}, as was begun` };
  if (onStale === 'fail') return { kind: 'fail', says: `${nobodys} and is left as it is, as asked (on-stale: fail)` };
  if (record.phase === 'finishing')
    return { kind: 'finish', says: `${nobodys} and was judged good: going on with the drain of ${record.stable}` };
  // Without an image there is nothing to go on with before the candidate is deployed and checked.
  if (onStale === 'resume' && record.phase !== 'preparing')
    return { kind: 'resume', says: `${nobodys}: going on with it (on-stale: resume)` };
  return { kind: 'roll-back', says: `${nobodys}: going back to ${record.stable}` };
}
