import { Failure } from '../failure.ts';
import { type Color, COLORS } from '../traffic-split.ts';
import { type ShiftRecord, isOver } from './record.ts';
import { taggable } from './record-tags.ts';

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

/** PURE. Whoever goes on with a shift, or back, while the colors stand for other target groups would give users the wrong one. */
export function groupsFault(record: ShiftRecord | undefined, groups: string): Failure | undefined {
  if (record?.groups === undefined || isOver(record.phase) || areTheSame(record.groups, groups)) return undefined;
  return new Failure({
    what: `Shift ${record.id} (${record.phase}) was begun with other target groups behind the colors`,
    why: `it was begun with ${record.groups}, the router now says ${groups}`,
    now: 'Nothing was touched',
    next: 'Put router.colors (and services) back to what they were until the shift has ended: go back by mode: rollback with them, then exchange the names',
  });
}
