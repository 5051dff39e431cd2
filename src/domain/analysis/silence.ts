import { type Duration, milliseconds } from '../duration.ts';
import type { Point } from './point.ts';

/**
 * How long nothing was there to measure: the slots of empty points since the last request was seen. A source that does
 * not answer (`error`) says nothing about requests, so it neither extends nor ends the silence; too few requests end it.
 */
export function silenceOf(points: readonly Point[]): Duration {
  let silent = 0;
  for (const point of points) {
    if (point.samples > 0) silent = 0;
    else if (point.outcome === 'no-data') silent += point.slot;
  }
  return milliseconds(silent);
}
