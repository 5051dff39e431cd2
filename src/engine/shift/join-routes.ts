import { milliseconds } from '../../domain/duration.ts';
import type { Live, TargetHealth } from '../../domain/shift/live-color.ts';
import { NoLiveColor, type TrafficSplit, sameSplit } from '../../domain/traffic-split.ts';
import type { TargetGroups } from '../../ports/target-group.ts';
import type { Tidied, TrafficRouter } from '../../ports/traffic-router.ts';

/** The split of one router, `none` where a port throws that no color has any weight. */
export async function liveOf(router: Pick<TrafficRouter, 'observe'>, signal: AbortSignal): Promise<Live> {
  try {
    return await router.observe(signal);
  } catch (thrown) {
    if (thrown instanceof NoLiveColor) return 'none';
    throw thrown;
  }
}

/**
 * Several places that move together, as one. `observe` shows the first of them; who must know where they differ looks at
 * each. `apply` writes the first place that is not there yet and no other, so that every write is one decision; `restore`
 * writes all of them side by side, because the way back does not queue.
 */
export function joinRoutes(routes: readonly TrafficRouter[]): TrafficRouter {
  const [first, ...others] = routes;
  if (first === undefined) throw new TypeError('there is at least one route');
  if (others.length === 0) return first;
  return {
    name: routes.map(({ name }) => name).join(' and '),
    grain: routes.some(({ grain }) => grain === 'all-or-nothing') ? 'all-or-nothing' : 'percent',
    driver: routes.some(({ driver }) => driver === 'platform') ? 'platform' : 'sluice',
    spread: routes.some(({ spread }) => spread === 'with-time') ? 'with-time' : 'at-once',
    observe: (signal) => first.observe(signal),
    async apply(split, signal, guard) {
      const next = await nextOf(routes, split, signal);
      await next?.apply(split, signal, guard);
    },
    async restore(color, signal) {
      const restored = await Promise.allSettled(routes.map((route) => route.restore(color, signal)));
      for (const each of restored) if (each.status === 'rejected') throw each.reason;
    },
    async noteDropped(signal, guard) {
      const noted = await Promise.allSettled(routes.map((route) => route.noteDropped(signal, guard)));
      for (const each of noted) if (each.status === 'rejected') throw each.reason;
    },
    async confirm(split, signal) {
      const all = await Promise.all(routes.map((route) => route.confirm(split, signal)));
      return all.find((each) => each !== 'live') ?? 'live';
    },
    async lingers(signal) {
      const all = await Promise.all(routes.map((route) => route.lingers(signal)));
      return milliseconds(Math.max(...all));
    },
    async tidy(signal, guard) {
      const all: Tidied[] = [];
      for (const route of routes) all.push(await route.tidy(signal, guard));
      const later = all.flatMap((each) => (each.kind === 'later' ? [each] : [])).sort((a, b) => b.at - a.at)[0];
      return later ?? all.find(({ kind }) => kind === 'done') ?? { kind: 'nothing' };
    },
  };
}

/** The first that has another split; else the first that lacks a color. */
async function nextOf(
  routes: readonly TrafficRouter[],
  split: TrafficSplit,
  signal: AbortSignal,
): Promise<TrafficRouter | undefined> {
  for (const route of routes) {
    const live = await liveOf(route, signal);
    if (live === 'none' || !sameSplit(live, split)) return route;
  }
  for (const route of routes) if ((await route.confirm(split, signal)) !== 'live') return route;
  return undefined;
}

const isReached = ({ counts, healthy, total }: TargetHealth): boolean =>
  counts === 'end-points' && total > 0 && healthy === total;

/** A color is as healthy as its least healthy target group. */
export function joinTargets(targets: readonly TargetGroups[]): TargetGroups {
  const [first, ...others] = targets;
  if (first === undefined) throw new TypeError('there is at least one route');
  if (others.length === 0) return first;
  return {
    nameOf: (color) => [...new Set(targets.map((each) => each.nameOf(color)))].join(' and '),
    groupsOf: (color) => [...new Set(targets.flatMap((each) => each.groupsOf(color)))],
    async health(color, signal, own) {
      const distinct = targets.filter(
        (each, index) => targets.findIndex((other) => other.nameOf(color) === each.nameOf(color)) === index,
      );
      const all = await Promise.all(distinct.map((each) => each.health(color, signal, own)));
      // One end point that is reached says nothing against three tasks of another route.
      const counted = all.filter((each) => !isReached(each));
      const worst = (counted.length > 0 ? counted : all).reduce((a, b) => (b.healthy < a.healthy ? b : a));
      if (distinct.length === 1) return worst;
      // Another group may be the worst at the next look: its targets are no replacements of these.
      const { members: _members, ...health } = worst;
      return health;
    },
    // Each group counts: tasks that stand in one of them serve, however few targets another one has.
    standing: async (color, places, signal) =>
      (await Promise.all(targets.map((each) => each.standing(color, places, signal)))).flat(),
  };
}
