import { type ShiftRecord, explainedSplits, formatRun, isJudged, isOver } from '../../../../src/domain/shift/record.ts';
import { rollBack } from './rollback.ts';
import { strayOf } from './routes.ts';
import { type Decision, type Held, done, enter } from './moves.ts';
import type { Seen } from './seen.ts';

/**
 * This process had the shift and finds that it has it no more. Where another run stands in the record, it is the past.
 * Where nothing stands there and its own lease still holds, nobody took over: infrastructure code that does not know the
 * record removed it. Whoever walked away then would leave a split that nobody judges and autoscaling that nobody gives back.
 */
export function decideLost(seen: Seen, now: Held['now']): Decision {
  const { record, lost } = seen;
  if (record !== undefined) return done({ kind: 'superseded', by: formatRun(record.run) });
  if (lost === undefined || now >= lost.leaseUntil || isOver(lost.phase))
    return done({ kind: 'superseded', by: 'nobody: its record is gone' });
  return goesOn(seen, lost)
    ? enter(lost, { phase: lost.phase, since: lost.since }, { now, says: `${wordsOf(lost)}: it is written again` })
    : rollBack({ record: lost, now }, wordsOf(lost));
}

/** What was judged good or goes back already is as good as before; weights that somebody moved are told, and left. */
const goesOn = (seen: Seen, lost: ShiftRecord): boolean =>
  isJudged(lost.phase) || lost.phase === 'rolling-back' || strayOf(seen, explainedSplits(lost)) !== undefined;

const wordsOf = ({ id }: ShiftRecord): string =>
  `the record of shift ${id} was removed while it was under way; infrastructure code must ignore the tags that begin with sluice:`;
