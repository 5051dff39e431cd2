import { type Instant, between, formatDuration, formatTimeOfDay, seconds } from '../duration.ts';
import { type ShiftRecord, heardAt } from './record.ts';

/** `judging, 10 %`; where weights are on their way both ends, because which of them users meet stands in no record. */
export const stageWords = ({ phase, from, percent }: Pick<ShiftRecord, 'phase' | 'from' | 'percent'>): string =>
  phase === 'shifting' ? `${phase}, ${from} -> ${percent} %` : `${phase}, ${percent} %`;

/** `last sign 40s ago, taken for dead at 10:05:20 UTC`: a run that died looks for so long like one that is at work. */
export function lifeWords(record: Pick<ShiftRecord, 'leaseUntil'>, now: Instant): string {
  const ago = Math.round(Math.max(0, between(heardAt(record), now)) / 1_000);
  const isOver = now >= record.leaseUntil;
  return `last sign ${formatDuration(seconds(ago))} ago, taken for dead ${isOver ? 'since' : 'at'} ${formatTimeOfDay(record.leaseUntil)} UTC`;
}
