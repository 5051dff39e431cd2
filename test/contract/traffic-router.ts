import { describe, expect, test } from '@jest/globals';
import type { TaskPlace } from '../../src/domain/ecs/service.ts';
import type { ShiftRecord } from '../../src/domain/shift/record.ts';
import { NoLiveColor, splitGiving } from '../../src/domain/traffic-split.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { TargetGroups } from '../../src/ports/target-group.ts';
import type { TrafficRouter } from '../../src/ports/traffic-router.ts';
import { recordOf } from '../domain/shift/records.ts';

/**
 * A router with all traffic on blue; blue has two healthy targets, green has none. Where a router takes the idle color in,
 * the rule knows blue alone.
 */
export interface RouterWorld {
  readonly router: TrafficRouter;
  readonly targets: TargetGroups;
  /** Where the two tasks of blue are. */
  readonly places: readonly TaskPlace[];
  /** Raw weights, as somebody else would set them. */
  setWeights(weights: { readonly blue: number; readonly green: number }): Promise<void>;
  /** Keeps clients on their color for so many seconds; undefined where a router has no such thing. */
  setStickiness?(seconds: number): Promise<void>;
  /** Writes that changed the rule since the world was opened. */
  writes(): Promise<number>;
  /** Seconds go by on the clock of the routers. */
  pass(seconds: number): Promise<void>;
  /** Another router of the same place, as another process has it. */
  again(): TrafficRouter;
  /** The journal of the same place, where it has one. */
  readonly journal?: Journal<ShiftRecord>;
  /** The next write is refused for want of a right, and no other call. */
  denyWrite?(): Promise<{ readonly action: RegExp }>;
  close(): Promise<void>;
}

/** What a kind of router does otherwise, each with its reason. */
export interface Deviations {
  /** A DNS record cannot be made without knowing where it leads: both colors are there from the start. */
  readonly seats?: 'from-the-start';
  /** A change of DNS is live when it is everywhere and answers of before have expired: after so many seconds. */
  readonly liveAfter?: number;
}

const signal = new AbortController().signal;

/** What every TrafficRouter and its TargetGroups must do, over the wire or in memory. */
export function trafficRouterContract(
  name: string,
  open: () => Promise<RouterWorld>,
  { seats, liveAfter = 0 }: Deviations = {},
): void {
  const inWorld = (run: (world: RouterWorld) => Promise<void>) => async () => {
    const world = await open();
    try {
      await run(world);
    } finally {
      await world.close();
    }
  };

  describe(`${name} as a TrafficRouter`, () => {
    test(
      'shows all traffic on the only color of the rule',
      inWorld(async ({ router }) => {
        expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
      }),
    );

    const without = (_name: string, _run: () => Promise<void>): void => undefined;
    const whereSticky = liveAfter === 0 ? test : without;
    const whereSeated = seats === undefined ? test : without;
    /** Looks until the change is everywhere, and once more when answers of before have expired. */
    const settled = async ({ router, pass }: RouterWorld, percent: number): Promise<string> => {
      const wanted = splitGiving('green', percent);
      for (let looks = 0; looks < 2 && (await router.confirm(wanted, signal)) !== 'live'; looks++)
        await pass(liveAfter);
      return router.confirm(wanted, signal);
    };

    whereSeated(
      'does not call a split live while one color is missing from the rule',
      inWorld(async ({ router }) => {
        expect(await router.confirm(splitGiving('blue', 100), signal)).not.toBe('live');
        await router.apply(splitGiving('blue', 100), signal);
        expect(await router.confirm(splitGiving('blue', 100), signal)).toBe('live');
      }),
    );

    test.each([1, 10, 50, 99, 100])('applies %i %% and reads it back', async (percent) =>
      inWorld(async (world) => {
        const { router } = world;
        await router.apply(splitGiving('green', percent), signal);
        expect(await router.observe(signal)).toEqual(splitGiving('green', percent));
        if (liveAfter > 0) expect(await router.confirm(splitGiving('green', percent), signal)).toBe('propagating');
        expect(await settled(world, percent)).toBe('live');
        expect(await router.confirm(splitGiving('green', percent - 1), signal)).not.toBe('live');
      })(),
    );

    test(
      'writes nothing when the split is there already',
      inWorld(async ({ router, writes }) => {
        await router.apply(splitGiving('green', 10), signal);
        const before = await writes();
        await router.apply(splitGiving('green', 10), signal);
        expect(await writes()).toBe(before);
      }),
    );

    test(
      'asks the guard right before the one write, and not at all when nothing is to be written',
      inWorld(async ({ router, writes }) => {
        const asked: number[] = [];
        const guard = async (): Promise<void> => void asked.push(await writes());
        await router.apply(splitGiving('green', 10), signal, guard);
        await router.apply(splitGiving('green', 10), signal, guard);
        expect(asked).toEqual([0]);
        expect(await writes()).toBe(1);
      }),
    );

    test(
      'writes nothing when the guard refuses',
      inWorld(async ({ router, writes }) => {
        const refused = router.apply(splitGiving('green', 10), signal, () => Promise.reject(new Error('taken over')));
        await expect(refused).rejects.toThrow('taken over');
        expect(await writes()).toBe(0);
        expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
      }),
    );

    test(
      'sees what somebody else did, as percent of whatever weights they used',
      inWorld(async ({ router, setWeights }) => {
        await setWeights({ blue: 1, green: 3 });
        expect(await router.observe(signal)).toEqual({ blue: 25, green: 75 });
      }),
    );

    test(
      'says that no color is live when all weights are 0',
      inWorld(async ({ router, setWeights }) => {
        await setWeights({ blue: 0, green: 0 });
        await expect(router.observe(signal)).rejects.toThrow(NoLiveColor);
        expect(await router.confirm(splitGiving('blue', 100), signal)).not.toBe('live');
      }),
    );

    test(
      'restores one color by exactly one write',
      inWorld(async ({ router, writes }) => {
        await router.apply(splitGiving('green', 50), signal);
        const before = await writes();
        await router.restore('blue', signal);
        expect(await writes()).toBe(before + 1);
        expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
      }),
    );

    test(
      'restores from weights that are all 0',
      inWorld(async ({ router, setWeights }) => {
        await setWeights({ blue: 0, green: 0 });
        await router.observe(signal).catch(() => undefined);
        await router.restore('blue', signal);
        expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
      }),
    );

    whereSticky(
      'keeps the stickiness of the rule while it shifts, and drops it on the way back',
      inWorld(async ({ router, setStickiness }) => {
        await router.apply(splitGiving('blue', 100), signal);
        await setStickiness?.(600);
        await router.apply(splitGiving('green', 50), signal);
        expect(await router.lingers(signal)).toBe(600_000);
        await router.restore('blue', signal);
        expect(await router.lingers(signal)).toBe(0);
      }),
    );

    whereSticky(
      'puts back the stickiness that the way back dropped, when no cookie names the other color any more',
      inWorld(async ({ router, again, setStickiness, pass }) => {
        await router.apply(splitGiving('blue', 100), signal);
        await setStickiness?.(600);
        await router.apply(splitGiving('green', 50), signal);
        await router.restore('blue', signal);
        const other = again();
        for (let looks = 0; looks < 3 && (await other.lingers(signal)) === 0; looks++) {
          await other.tidy(signal);
          await pass(601);
        }
        expect(await router.lingers(signal)).toBe(600_000);
        expect(await other.tidy(signal)).toEqual({ kind: 'nothing' });
        expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
      }),
    );

    whereSticky(
      'puts it back also where the way back was the first write of its process',
      inWorld(async ({ router, again, setStickiness, pass }) => {
        await router.apply(splitGiving('green', 100), signal);
        await setStickiness?.(600);
        const back = again();
        await back.observe(signal);
        await back.restore('blue', signal);
        await back.noteDropped(signal);
        const other = again();
        for (let looks = 0; looks < 3 && (await other.lingers(signal)) === 0; looks++) {
          await other.tidy(signal);
          await pass(601);
        }
        expect(await router.lingers(signal)).toBe(600_000);
      }),
    );

    test(
      'has nothing to put back where nothing was dropped',
      inWorld(async ({ router, writes }) => {
        await router.apply(splitGiving('green', 50), signal);
        await router.restore('blue', signal);
        const before = await writes();
        expect(await router.tidy(signal)).toEqual({ kind: 'nothing' });
        expect(await writes()).toBe(before);
      }),
    );

    test(
      'two routers of one place see each other',
      inWorld(async ({ router, again }) => {
        await router.apply(splitGiving('green', 30), signal);
        expect(await again().observe(signal)).toEqual(splitGiving('green', 30));
      }),
    );

    test(
      'says which right is missing, and what was true before; nothing was changed',
      inWorld(async ({ router, denyWrite, writes }) => {
        await router.observe(signal);
        const denied = await denyWrite?.();
        if (denied === undefined) return;
        const refused = router.apply(splitGiving('green', 50), signal);
        await expect(refused).rejects.toThrow(denied.action);
        await expect(refused).rejects.toThrow(/Traffic was blue \d+ \/ green 0 before/);
        expect(await writes()).toBe(0);
        await router.apply(splitGiving('green', 50), signal);
        expect(await router.observe(signal)).toEqual(splitGiving('green', 50));
      }),
    );

    test(
      'keeps the record of a shift beside the weights, for whoever looks next',
      inWorld(async ({ journal, router }) => {
        if (journal === undefined) return;
        expect(await journal.read(signal)).toBeUndefined();
        await journal.write(recordOf({ percent: 10 }), signal);
        await router.apply(splitGiving('green', 10), signal);
        await journal.write(recordOf({ percent: 50, phase: 'shifting' }), signal);
        expect(await journal.read(signal)).toEqual(recordOf({ percent: 50, phase: 'shifting' }));
        await journal.clear(signal);
        expect(await journal.read(signal)).toBeUndefined();
        expect(await router.observe(signal)).toEqual(splitGiving('green', 10));
      }),
    );

    test(
      'does nothing once the signal is aborted',
      inWorld(async ({ router, writes }) => {
        await router.observe(signal);
        const reason = new Error('stop');
        const aborted = AbortSignal.abort(reason);
        await expect(router.observe(aborted)).rejects.toBe(reason);
        await expect(router.apply(splitGiving('green', 50), aborted)).rejects.toBe(reason);
        await expect(router.restore('blue', aborted)).rejects.toBe(reason);
        expect(await writes()).toBe(0);
      }),
    );

    test(
      'counts the healthy targets of each color; a color without targets has none',
      inWorld(async ({ targets }) => {
        expect(await targets.health('blue', signal)).toMatchObject({ healthy: 2, total: 2, reasons: [] });
        expect(await targets.health('green', signal)).toMatchObject({ healthy: 0, total: 0 });
      }),
    );

    test(
      'counts only the targets of the tasks that are named, and says that others are healthy',
      inWorld(async ({ targets, places }) => {
        expect(places).toHaveLength(2);
        expect(await targets.health('blue', signal, places)).toMatchObject({ healthy: 2, total: 2, reasons: [] });
        const foreign = (count: number) => [`${count} healthy, but of other tasks`];
        const [group] = targets.groupsOf('blue');
        expect(await targets.standing('blue', places.slice(1), signal)).toEqual(
          group === undefined ? [] : [{ group, tasks: 1 }],
        );
        const one = await targets.health('blue', signal, places.slice(1));
        expect(one).toMatchObject({ healthy: 1, total: 1, reasons: foreign(1) });
        expect(one.members).toHaveLength(1);
        const nobodys = [{ address: '192.0.2.1' }, { instance: 'i-0', port: 80 }];
        for (const own of [[], nobodys])
          expect(await targets.health('blue', signal, own)).toMatchObject({
            healthy: 0,
            total: 0,
            reasons: foreign(2),
          });
      }),
    );
  });
}
