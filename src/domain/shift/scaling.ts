import { type Color, COLORS } from '../traffic-split.ts';

/** Which activities of a service's autoscaling are suspended. */
export interface Suspended {
  readonly scaleIn: boolean;
  readonly scaleOut: boolean;
  readonly scheduled: boolean;
}

/** `none`: autoscaling does not know the service. */
export type Scaling = Suspended | 'none';

/** What each color's autoscaling was before a shift held it still; a color that is not here is not held. */
export type HeldScaling = Readonly<Partial<Record<Color, Suspended>>>;

/**
 * While traffic moves between two services, each of them sees load leave or come that says nothing about the release: one
 * would be scaled in just when it is the way back. Scaling out stays, because users may need it at any step.
 */
export const heldStill = (before: Suspended): Suspended => ({ ...before, scaleIn: true, scheduled: true });

export const sameScaling = (a: Scaling, b: Scaling): boolean =>
  a === 'none' || b === 'none'
    ? a === b
    : a.scaleIn === b.scaleIn && a.scaleOut === b.scaleOut && a.scheduled === b.scheduled;

const WORDS = { scaleIn: 'in', scaleOut: 'out', scheduled: 'scheduled' } as const;
const KEYS = ['scaleIn', 'scaleOut', 'scheduled'] as const satisfies readonly (keyof Suspended)[];

/** `in+scheduled`, or `nothing` */
const formatSuspended = (suspended: Suspended): string =>
  KEYS.filter((key) => suspended[key])
    .map((key) => WORDS[key])
    .join('+') || 'nothing';

export const formatScaling = (scaling: Scaling): string =>
  scaling === 'none' ? 'no autoscaling' : `autoscaling with ${formatSuspended(scaling)} suspended`;

/** `blue=nothing green=in+scheduled`; empty when no color is held. */
export const formatHeld = (held: HeldScaling): string =>
  COLORS.flatMap((color) => {
    const before = held[color];
    return before === undefined ? [] : [`${color}=${formatSuspended(before)}`];
  }).join(' ');

/** undefined: it is none of ours. */
export function parseHeld(text: string): HeldScaling | undefined {
  const held: Partial<Record<Color, Suspended>> = {};
  for (const part of text.split(' ').filter((each) => each !== '')) {
    const [name = '', list = ''] = part.split('=');
    const color = COLORS.find((each) => each === name);
    const words = list === 'nothing' ? [] : list.split('+');
    const known = words.every((word) => Object.values<string>(WORDS).includes(word));
    if (color === undefined || !known || held[color] !== undefined) return undefined;
    const [scaleIn, scaleOut, scheduled] = KEYS.map((key) => words.includes(WORDS[key]));
    held[color] = { scaleIn: scaleIn === true, scaleOut: scaleOut === true, scheduled: scheduled === true };
  }
  return held;
}
