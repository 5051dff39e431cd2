import { describeObject, numberAt } from '../../domain/kubernetes/object.ts';
import { makesPods } from '../../domain/kubernetes/readiness.ts';
import type { Target } from './wait.ts';

/**
 * PURE. What a release that is called good does not prove. A count that somebody else set to none is left to them, and a
 * release of which no pod ever ran is proven by nothing; nor is what no controller looked at. undefined: all is proven.
 */
export function unprovenText(applied: readonly Target[], untold: readonly string[]): string | undefined {
  const none = applied.filter(({ object }) => makesPods(object) && numberAt(object, 'spec', 'replicas') === 0);
  const names = none.map(({ object }) => describeObject(object)).join(', ');
  const said = [
    ...(none.length === 0 ? [] : [`no pod of it runs, so nothing is proven of ${names}: 0 replicas`]),
    // What was awaited before the workloads is looked at again with all.
    ...(untold.length === 0 ? [] : [`nothing is proven of ${[...new Set(untold)].join(', ')}`]),
  ];
  return said.length === 0 ? undefined : said.join('; ');
}
