import { type Duration, formatDuration, milliseconds } from '../../src/domain/duration.ts';
import {
  type Color,
  type TrafficSplit,
  COLORS,
  NoLiveColor,
  sameSplit,
  splitGiving,
  splitOfWeights,
} from '../../src/domain/traffic-split.ts';
import type { TaskPlace } from '../../src/domain/ecs/service.ts';
import type { TargetHealth } from '../../src/domain/shift/live-color.ts';
import type { TargetGroups } from '../../src/ports/target-group.ts';
import type { TrafficRouter } from '../../src/ports/traffic-router.ts';

export interface FakeRouter extends TrafficRouter {
  readonly targets: TargetGroups;
  /** `apply blue 90 / green 10`, `restore blue`: every write through the port. */
  readonly writes: readonly string[];
  weights: Record<Color, number>;
  seated: readonly Color[];
  sticky: Duration;
  /** What `restore` took away and `tidy` puts back. */
  dropped: Duration;
  health: Record<Color, TargetHealth>;
  /** The next calls of this method fail with this, once each. */
  fail(method: 'observe' | 'apply' | 'restore', ...errors: readonly Error[]): void;
}

/** A router in memory: blue has everything and three healthy targets, green stands by outside the rule. */
export function fakeRouter(): FakeRouter {
  const writes: string[] = [];
  const failures: Record<string, Error[]> = {};
  const due = (method: string, signal: AbortSignal): void => {
    signal.throwIfAborted();
    const failure = failures[method]?.shift();
    if (failure) throw failure;
  };
  const none: TargetHealth = { healthy: 0, total: 0, reasons: [] };
  const router: FakeRouter = {
    name: 'fake rule',
    grain: 'percent',
    driver: 'sluice',
    spread: 'at-once',
    writes,
    weights: { blue: 1, green: 0 },
    seated: ['blue'],
    sticky: milliseconds(0),
    dropped: milliseconds(0),
    health: { blue: { healthy: 3, total: 3, reasons: [] }, green: none },
    fail: (method, ...errors) => void (failures[method] = [...(failures[method] ?? []), ...errors]),
    targets: {
      nameOf: (color) => `shop-${color}`,
      groupsOf: (color) => [`arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/shop-${color}/1`],
      health: async (color, _, own) => ownOnly(router.health[color], own),
      standing: async (color, places, signal) => {
        const { total } = await router.targets.health(color, signal, places);
        return router.targets.groupsOf(color).map((group) => ({ group, tasks: total }));
      },
    },
    async observe(signal) {
      due('observe', signal);
      return liveOf(router);
    },
    async apply(split, signal, guard) {
      due('apply', signal);
      if (router.seated.length === 2 && router.weights.blue === split.blue && router.weights.green === split.green)
        return;
      await guard?.(signal);
      set(router, split);
      writes.push(`apply blue ${split.blue} / green ${split.green}`);
    },
    async restore(color, signal) {
      due('restore', signal);
      set(router, splitGiving(color, 100));
      if (router.sticky > 0) router.dropped = router.sticky;
      router.sticky = milliseconds(0);
      writes.push(`restore ${color}`);
    },
    async noteDropped(signal) {
      signal.throwIfAborted();
    },
    async tidy(signal, guard) {
      signal.throwIfAborted();
      if (router.dropped === 0) return { kind: 'nothing' };
      await guard?.(signal);
      const what = `stickiness of ${formatDuration(router.dropped)}`;
      router.sticky = router.dropped;
      router.dropped = milliseconds(0);
      writes.push(`tidy ${what}`);
      return { kind: 'done', what };
    },
    async confirm(split, signal) {
      signal.throwIfAborted();
      const isNone = router.weights.blue === 0 && router.weights.green === 0;
      return router.seated.length === 2 && !isNone && sameSplit(liveOf(router), split) ? 'live' : 'propagating';
    },
    async lingers(signal) {
      signal.throwIfAborted();
      return router.sticky;
    },
  };
  return router;
}

/** A source that knows no members cannot tell them apart. */
function ownOnly(health: TargetHealth, own: readonly TaskPlace[] | undefined): TargetHealth {
  const { members, reasons } = health;
  if (own === undefined || members === undefined) return health;
  const names = new Set(own.map((place) => ('address' in place ? place.address : `${place.instance}:${place.port}`)));
  const mine = members.filter((member) => names.has(member));
  const foreign = members.length - mine.length;
  const said = foreign === 0 ? reasons : [...reasons, `${foreign} healthy, but of other tasks`];
  return { healthy: mine.length, total: mine.length, members: mine, reasons: said };
}

function set(router: FakeRouter, split: TrafficSplit): void {
  router.weights = { ...split };
  router.seated = COLORS;
}

function liveOf({ weights }: FakeRouter): TrafficSplit {
  if (weights.blue === 0 && weights.green === 0) throw new NoLiveColor();
  return splitOfWeights(weights);
}
