import { type TrafficSplit, formatSplit, sameSplit } from '../../../../src/domain/traffic-split.ts';
import type { Route, Seen } from './seen.ts';

const is = ({ live }: Route, split: TrafficSplit): boolean => live !== 'none' && sameSplit(live, split);

/** Whether the traffic of every route is split so: until it is, the shift has not got there. */
export const allAre = ({ routes }: Pick<Seen, 'routes'>, split: TrafficSplit): boolean =>
  routes.every((route) => is(route, split));

/** A route that has none of the splits; a part of them that lags behind has one, and is moved after the others. */
export const strayOf = ({ routes }: Pick<Seen, 'routes'>, expected: readonly TrafficSplit[]): Route | undefined =>
  routes.find((route) => !expected.some((split) => is(route, split)));

/** `rule a/10 is blue 100 / green 0, rule b/10 is blue 0 / green 100`; undefined: all are alike. */
export function difference({ routes }: Pick<Seen, 'routes'>): string | undefined {
  const words = routes.map(({ live }) => (live === 'none' ? 'nowhere' : formatSplit(live)));
  if (new Set(words).size <= 1) return undefined;
  return routes.map(({ name }, index) => `${name} is ${words[index]}`).join(', ');
}
