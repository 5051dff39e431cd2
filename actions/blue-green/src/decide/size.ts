import type { TargetHealth } from '../../../../src/domain/shift/live-color.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';
import type { Goal } from './goal.ts';
import type { Seen } from './seen.ts';

type Sized = Pick<Seen, 'targets' | 'desired'>;

/**
 * Healthy targets that a color needs to stand in for another one: as many as that one has, or as its own tasks can bring.
 * Targets are held against targets, because what tells the health of a color may know it as one end point.
 */
export const neededFor = ({ targets, desired }: Sized, { from, to }: Move): number =>
  Math.min(targets[from].healthy, desired === 'unknown' ? targets[from].healthy : desired[to]);

/**
 * Whether `to` has fewer healthy targets than could carry what `from` carries, and could be scaled up to have them. Nobody
 * is asked here whether it may be. 'unknown' sizes: by the targets alone.
 */
export const isTooSmall = (seen: Sized, move: Move): boolean =>
  seen.targets[move.to].healthy < enoughOf(Math.min(seen.targets[move.from].healthy, mostOf(seen, move)));

const mostOf = ({ desired }: Sized, { from, to }: Move): number =>
  desired === 'unknown' ? Infinity : Math.max(desired[from], desired[to]);

/** Whether the targets alone say that `to` carries what `from` carries, of whatever size they are. */
export const isBigEnough = ({ targets }: Pick<Sized, 'targets'>, { from, to }: Move): boolean =>
  targets[to].healthy >= enoughOf(targets[from].healthy);

/** Healthy targets that the policy of the stage wants of a candidate. Of what leads to its tasks, all there is: how many tasks stand behind it is not seen. */
export function wantedOf(
  { minHealthy }: Pick<Goal, 'minHealthy'>,
  { counts, total }: TargetHealth,
  tasks: number,
): number {
  if (counts === 'end-points') return Math.max(1, minHealthy === 'desired' ? total : Math.min(minHealthy, total));
  return minHealthy === 'desired' ? Math.max(1, tasks) : minHealthy;
}

/** Fewer than half of what was there go down under the load of all; more than half are what one bad node or zone leaves. */
export const enoughOf = (needed: number): number => Math.ceil(needed / 2);

interface Move {
  readonly from: Color;
  readonly to: Color;
}

/** Whether `from` may lose its tasks, because `to` carries what it carried. A color that wants no task is losing its own. */
export const carries = (seen: Sized, move: Move): boolean =>
  isLeaving(seen, move.to)
    ? seen.targets[move.from].healthy === 0
    : seen.targets[move.to].healthy >= enoughOf(neededFor(seen, move));

/** Whatever is healthy of it is on its way out. */
export const isLeaving = ({ desired }: Pick<Seen, 'desired'>, color: Color): boolean =>
  desired !== 'unknown' && desired[color] === 0;

/** What `isLeaving` says, as a clause. */
export const leavingWords = (color: Color): string => `${color} wants 0 tasks, so what is healthy there is going`;

/** `blue has 1 of 10 healthy targets (9 initial)` */
export function lackWords({ targets }: Sized, color: Color, needed: number): string {
  const { healthy, reasons } = targets[color];
  return `${color} has ${healthy} of ${needed} healthy targets${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`;
}
