import { type RunKey, type ShiftRecord, isJudged, isOver, sameRun } from '../../../../../src/domain/shift/record.ts';
import { holdsScaling } from '../scaling.ts';
import type { Request } from '../../inputs.ts';

export interface Left {
  readonly kind: 'nothing' | 'rollback' | 'settle';
  readonly says: string;
}

interface Found {
  readonly record: ShiftRecord | undefined;
  /** Whether all traffic is on stable. A cancel at the end of the judging may be just before the record of a good end. */
  readonly traffic: 'on-stable' | 'elsewhere';
}

/** PURE. What a dead main left behind, as record and weights tell: it is ours to take back, or it is good as it is. */
export function whatIsLeft(request: Pick<Request, 'mode' | 'onCancel'>, { record, traffic }: Found, me: RunKey): Left {
  if (record === undefined || !sameRun(record.run, me) || isOver(record.phase)) return { kind: 'nothing', says: '' };
  const stays = holdsScaling(record) ? 'settle' : 'nothing';
  if (isJudged(record.phase) && traffic === 'on-stable')
    return { kind: 'rollback', says: `The traffic of shift ${record.id} is back on ${record.stable} already` };
  if (isJudged(record.phase)) {
    const says = `Shift ${record.id} is judged good and stays; ${record.stable} keeps its tasks until mode: finish or the next run drains it`;
    return { kind: stays, says };
  }
  if (record.phase === 'prepared' && request.mode !== 'run' && request.mode !== 'prepare')
    return { kind: stays, says: '' };
  // A way back that was begun is always gone to its end: a release that failed is nothing to leave in traffic.
  if (request.onCancel === 'leave' && record.phase !== 'rolling-back') {
    const says = `Shift ${record.id} is left at ${record.percent} %, as asked (on-cancel: leave); the next run takes it up`;
    return { kind: 'nothing', says };
  }
  return { kind: 'rollback', says: '' };
}
