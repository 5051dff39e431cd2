import type { Instant } from '../duration.ts';
import { Failure } from '../failure.ts';
import { type Color, COLORS, otherColor } from '../traffic-split.ts';
import { type ShiftRecord, isOver, isResting } from './record.ts';
import { removalWords, taggable } from './record-tags.ts';
import { formatHeld } from './scaling.ts';

/** Of the 256 characters of a tag. */
const MOST_OF_A_COLOR = 120;

interface Groups {
  groupsOf(color: Color): readonly string[];
  nameOf(color: Color): string;
}

/** `arn:...:targetgroup/shop-green/73e2d6bc24d8a067` -> `shop-green` */
export const shortName = (arn: string): string => arn.split(':targetgroup/')[1]?.split('/')[0] ?? arn;

/** `blue=shop-blue green=shop-green`: what the names of the colors stand for, as far as a tag holds it. */
export const groupsWords = ({ groupsOf, nameOf }: Groups): string =>
  COLORS.map((color) => {
    const names = [...new Set(groupsOf(color).map(shortName))].sort((a, b) => (a < b ? -1 : 1)).join('+');
    return `${color}=${taggable(names === '' ? nameOf(color) : names).slice(0, MOST_OF_A_COLOR)}`;
  }).join(' ');

/** In the place of the groups of a color that could not be read: it is compared with nothing. */
export const UNKNOWN_GROUPS = 'unknown';

/** The words of each color; undefined: these are no such words. */
function byColor(words: string): Readonly<Record<Color, string>> | undefined {
  const [, blue, green] = /^blue=(.*) green=(.*)$/.exec(words) ?? [];
  return blue === undefined || green === undefined ? undefined : { blue, green };
}

function areTheSame(one: string, other: string): boolean {
  const [a, b] = [byColor(one), byColor(other)];
  if (a === undefined || b === undefined) return one === other;
  return COLORS.every((color) => a[color] === b[color] || [a[color], b[color]].includes(UNKNOWN_GROUPS));
}

/** Whether a color may stand now for what the other one stood for. Words that were cut hide the rest of their names. */
function mayBeExchanged(recorded: string, now: string): boolean {
  const [before, after] = [byColor(recorded), byColor(now)];
  if (before === undefined || after === undefined) return true;
  const all = [...Object.values(before), ...Object.values(after)];
  if (all.some((words) => words === UNKNOWN_GROUPS || words.length >= MOST_OF_A_COLOR)) return true;
  return COLORS.some((color) => {
    const others = after[otherColor(color)].split('+');
    return before[color].split('+').some((name) => others.includes(name));
  });
}

const isOthers = (
  record: ShiftRecord | undefined,
  groups: string,
): record is ShiftRecord & { readonly groups: string } =>
  record?.groups !== undefined && !isOver(record.phase) && !areTheSame(record.groups, groups);

const BEFORE_TRAFFIC: readonly ShiftRecord['phase'][] = ['preparing', 'prepared'];
const JUDGED_GOOD: readonly ShiftRecord['phase'][] = ['switched', 'finishing'];

/**
 * PURE. A shift at which nobody works, and whose target groups were replaced by new ones (a template with new names), has
 * nothing left that could be gone on with: it is taken as over, so that the live weights decide. Not while users may be on
 * a candidate that is not judged, and not where the names were exchanged: see `groupsFault`.
 */
export function overIfReplaced(record: ShiftRecord | undefined, groups: string, now: Instant): ShiftRecord | undefined {
  if (!isOthers(record, groups) || mayBeExchanged(record.groups, groups)) return record;
  if (!isResting(record.phase) && now < record.leaseUntil) return record;
  const reason = `its target groups were replaced when it was ${record.phase}: it was begun with ${record.groups}, the router now says ${groups}`;
  // Its images are not what stands in the new groups.
  if (BEFORE_TRAFFIC.includes(record.phase)) return { ...record, phase: 'rolled-back', images: 'none', reason };
  return JUDGED_GOOD.includes(record.phase) ? { ...record, phase: 'done', images: 'none', reason } : record;
}

/** PURE. Whoever goes on with a shift, or back, while the colors stand for other target groups would give users the wrong one. */
export function groupsFault(record: ShiftRecord | undefined, groups: string): Failure | undefined {
  if (!isOthers(record, groups)) return undefined;
  return new Failure({
    what: `Shift ${record.id} (${record.phase}) was begun with other target groups behind the colors`,
    why: `it was begun with ${record.groups}, the router now says ${groups}`,
    now: 'Nothing was touched',
    next: `Put router.colors (and services) back to what they were until the shift has ended: go back by mode: rollback with them, then exchange the names. Where those target groups are gone for good, see that one color has all the weight, and ${removalWords(formatHeld(record.scaling))} from what is shifted`,
  });
}
