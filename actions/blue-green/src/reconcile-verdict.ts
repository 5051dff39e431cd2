import { type Instant, formatInstant } from '../../../src/domain/duration.ts';
import { type ShiftRecord, formatRun, isOver, isResting } from '../../../src/domain/shift/record.ts';

export interface ReconcileVerdict {
  readonly kind: 'leave' | 'roll-back';
  readonly says: string;
}

/**
 * PURE. Whether a shift is anybody's any more. Only a shift whose lease is over and that was not judged good goes back:
 * one at rest waits for its next job on purpose, and a switched one keeps the traffic that it was judged fit for.
 */
export function reconcileVerdict(
  record: ShiftRecord | undefined,
  { onStale }: { readonly onStale: 'rollback' | 'resume' | 'fail' },
  now: Instant,
): ReconcileVerdict {
  const leave = (says: string): ReconcileVerdict => ({ kind: 'leave', says });
  if (record === undefined || isOver(record.phase)) return leave('No shift is under way');
  const shift = `Shift ${record.id} of run ${formatRun(record.run)} (${record.phase}, ${record.percent} %)`;
  if (isResting(record.phase)) return leave(`${shift} rests between two jobs`);
  if (now < record.leaseUntil)
    return leave(`${shift} is worked on, until ${formatInstant(record.leaseUntil)} at least`);
  if (record.phase === 'finishing')
    return leave(`${shift} was judged good; ${record.stable} keeps its tasks until mode: finish or the next run`);
  if (onStale === 'fail') return leave(`${shift} is nobody's any more and is left, as asked (on-stale: fail)`);
  return {
    kind: 'roll-back',
    says: `${shift} is nobody's any more since ${formatInstant(record.leaseUntil)}: going back to ${record.stable}`,
  };
}
