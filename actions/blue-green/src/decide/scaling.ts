import { type Phase, type ShiftRecord, leaseFrom } from '../../../../src/domain/shift/record.ts';
import {
  type HeldScaling,
  type Scaling,
  formatScaling,
  heldStill,
  sameScaling,
} from '../../../../src/domain/shift/scaling.ts';
import type { Size } from '../../../../src/domain/shift/target-loss.ts';
import { type Color, COLORS } from '../../../../src/domain/traffic-split.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, move } from './moves.ts';
import type { Seen } from './seen.ts';

/** From the deployment of the candidate to the drain: phases in which the size of a color must not follow its load. */
const HOLDING: readonly Phase[] = ['preparing', 'shifting', 'judging', 'rechecking'];

/** What is to be given back one day, of the colors that are not held yet. Written before the first of them is held. */
export function heldBefore(seen: Seen, held: HeldScaling): HeldScaling {
  const found = COLORS.flatMap((color): [Color, Scaling][] => (held[color] ? [] : [[color, seen.scaling[color]]]));
  return { ...held, ...Object.fromEntries(found.filter(([, scaling]) => scaling !== 'none')) };
}

/** Holds both colors still, one write a turn; undefined: they are. */
export function hold(goal: Goal, seen: Seen, { record, now }: Held): Decision | undefined {
  if (goal.autoscaling === 'leave' || !HOLDING.includes(record.phase)) return undefined;
  const scaling = heldBefore(seen, record.scaling);
  if (Object.keys(scaling).length > Object.keys(record.scaling).length) {
    return move({ kind: 'record', record: { ...record, scaling, leaseUntil: leaseFrom(now) }, says: undefined });
  }
  for (const color of COLORS) {
    const before = record.scaling[color];
    if (before === undefined || sameScaling(seen.scaling[color], heldStill(before))) continue;
    const says = `Autoscaling of ${color} holds still: ${formatScaling(heldStill(before))}`;
    return move({ kind: 'autoscale', color, suspended: heldStill(before), says });
  }
  return undefined;
}

/**
 * Gives back what the shift holds, one write a turn, then forgets it; undefined: nothing is held. What somebody set
 * meanwhile stays as they set it.
 */
export function giveBack(seen: Seen, { record, now }: Held, colors: readonly Color[] = COLORS): Decision | undefined {
  const owed = colors.filter((color) => record.scaling[color] !== undefined);
  if (owed.length === 0) return undefined;
  for (const color of owed) {
    const before = record.scaling[color];
    if (before === undefined || sameScaling(heldStill(before), before)) continue;
    if (!sameScaling(seen.scaling[color], heldStill(before))) continue;
    return move({ kind: 'autoscale', color, suspended: before, says: `Autoscaling of ${color} is as it was before` });
  }
  const scaling = Object.fromEntries(
    Object.entries(record.scaling).filter(([color]) => !owed.includes(color as Color)),
  );
  return move({ kind: 'record', record: { ...record, scaling, leaseUntil: leaseFrom(now) }, says: undefined });
}

/** Where autoscaling is left alone, or nothing of a service is known, a color may have fewer targets because it has less to do. */
export const sizeOf = ({ autoscaling }: Pick<Goal, 'autoscaling'>, { desired }: Pick<Seen, 'desired'>): Size =>
  autoscaling === 'leave' || desired === 'unknown' ? 'free' : 'held';

export const holdsScaling = ({ scaling }: Pick<ShiftRecord, 'scaling'>): boolean => Object.keys(scaling).length > 0;
