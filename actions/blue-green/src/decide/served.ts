import { after, between, formatDuration, milliseconds, seconds } from '../../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { rollBack } from './rollback.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, move } from './moves.ts';
import type { Seen, Served } from './seen.ts';

const LOOK_EVERY = seconds(5);
/** A source that never answered in a step is asked so often; that it is silent for long is a matter of the rules. */
const MOST_ASKS = 3;

/** What was asked in this step; undefined: nothing yet. */
const servedOf = ({ served }: Seen, { percent }: ShiftRecord): Served | undefined =>
  served === 'no-source' || served?.percent !== percent ? undefined : served;

/** Why nothing that was measured in this step can speak for the candidate: whoever was measured, users do not reach it. */
export function unservedWords(seen: Seen, record: ShiftRecord): string | undefined {
  const served = servedOf(seen, record);
  if (served === undefined || served.kind === 'some' || served.kind === 'unknown') return undefined;
  return served.says === '' ? undefined : served.says;
}

/**
 * The end of a step whose rules hold: a candidate that has weight and gets no request was not judged. That is silence, so
 * `on-no-data` says what becomes of it, or `on-inconclusive` where clients are kept on their color: it may be reached all
 * the same. undefined: requests follow the weights, or no source tells.
 */
export function decideServed(goal: Goal, seen: Seen, held: Held): Decision | undefined {
  const { record, now } = held;
  const { interval, onNoData, noDataTimeout, onInconclusive, deadline } = goal.policy;
  if (seen.served === 'no-source') return undefined;
  const served = servedOf(seen, record);
  if (served === undefined) return move({ kind: 'ask-requests' });
  if (served.kind === 'some' || served.kind === 'unknown') return undefined;
  const isSilent = served.kind === 'unanswered';
  if (isSilent && served.says === '' && served.asks >= MOST_ASKS) return undefined;
  const every = milliseconds(Math.min(interval, LOOK_EVERY));
  const silent = between(record.since, now);
  if (silent >= noDataTimeout) {
    if (served.kind === 'none' && onNoData === 'rollback')
      return rollBack(held, `${served.says}, for ${formatDuration(silent)} (limit ${formatDuration(noDataTimeout)})`);
    if (served.kind === 'unclear' || onNoData === 'continue') {
      if (onInconclusive === 'continue') return undefined;
      if (onInconclusive === 'rollback' && !isSilent) return rollBack(held, `inconclusive: ${served.says}`);
    }
  }
  if (now >= after(served.at, isSilent ? every : interval)) return move({ kind: 'ask-requests' });
  const until = after(record.begunAt, deadline);
  return { kind: 'wait', for: `certainty at ${record.percent} %`, detail: served.says, every, until };
}
