import { type Color, otherColor } from '../traffic-split.ts';

/** Requests per second of users that each color got; undefined: the source had nothing to say. */
export interface Flow {
  readonly candidate: number | undefined;
  readonly stable: number | undefined;
}

export interface FlowWords {
  readonly level: 'info' | 'warning';
  readonly says: string;
}

/**
 * Whether requests follow the weights, which the router itself cannot tell: it shows what was set. undefined: nothing is
 * known of either color. A share that differs is no fault (stickiness, caches of DNS); a color with weight and no request is.
 */
export function flowWords(
  { candidate, stable }: Flow,
  at: { readonly color: Color; readonly percent: number },
): FlowWords | undefined {
  if (candidate === undefined && stable === undefined) return undefined;
  const rate = (value: number | undefined): string =>
    value === undefined ? 'none' : `${Number(value.toPrecision(3))}/s`;
  const total = (candidate ?? 0) + (stable ?? 0);
  const share = total > 0 ? ` (${Math.round(((candidate ?? 0) / total) * 100)} %)` : '';
  const says = `Requests at weight ${at.percent}: ${at.color} ${rate(candidate)}${share}, ${otherColor(at.color)} ${rate(stable)}`;
  return total > 0 && !(candidate !== undefined && candidate > 0)
    ? { level: 'warning', says: `${says}: ${at.color} gets no request although it has weight` }
    : { level: 'info', says };
}

/** Fewer than this may all have gone to the other color by chance: none of five comes in less than 1 % of good releases. */
export const FEWEST_EXPECTED = 5;

/** PURE. Requests that the candidate was to get by its weight, where all of them went to stable, over so many seconds. */
export const expectedOf = (at: {
  readonly stable: number;
  readonly percent: number;
  readonly seconds: number;
}): number => (at.stable * at.percent * Math.max(0, at.seconds)) / 100;
