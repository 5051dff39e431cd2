import { describe, expect, test } from '@jest/globals';
import { after, minutes } from '../../../src/domain/duration.ts';
import type { Phase } from '../../../src/domain/shift/record.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { type Scenario, type World, blueIsLive, goalOf, healthyRelease, policyOf, rehearse } from './rehearsal.ts';
import { SERVICES, openStage } from './stage.ts';

// Infrastructure code that manages tags exclusively removes those of a shift that is under way.

const GOAL = goalOf({ policy: policyOf({ bake: '1m' }) });
const FREE = { scaleIn: false, scaleOut: false, scheduled: false };
const scaledWorld = (): World => ({ ...blueIsLive(), scaling: { blue: FREE, green: FREE } });

/** The record is removed once, when `when` holds for the first time. */
function removed(when: (world: World) => boolean, also: (world: World) => void = () => undefined): Scenario {
  let isDone = false;
  return {
    ...healthyRelease,
    meanwhile: (world) => {
      if (isDone || !when(world)) return;
      isDone = true;
      world.record = undefined;
      also(world);
    },
  };
}
const at = (phase: Phase, percent?: number) => (world: World) =>
  world.record?.phase === phase && (percent === undefined || world.record.percent === percent);

describe('a record that is removed under a run', () => {
  test.each([
    { name: 'half of the traffic is judged', when: at('judging', 50) },
    { name: 'the candidate is prepared', when: at('preparing') },
    { name: 'the weights are moved', when: at('shifting', 100) },
  ])('while $name is written again to go back', ({ when }) => {
    const world = scaledWorld();
    const run = rehearse(GOAL, world, removed(when));
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { id: '100-1', reason: expect.stringContaining('was removed while it was under way') } });
    expect(world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 0 }, scaling: { blue: FREE, green: FREE } });
  }); // prettier-ignore

  test.each([
    { phase: 'finishing', ends: 'promoted' },
    { phase: 'rolling-back', ends: 'rolled-back' },
  ] as const)('in $phase is written again as it was', ({ phase, ends }) => {
    const world = scaledWorld();
    const bad = phase === 'rolling-back' ? { deployed: { kind: 'bad', why: 'no image' } as const } : {};
    const run = rehearse(GOAL, world, { ...removed(at(phase)), ...bad });
    expect(run.outcome).toMatchObject({ kind: ends });
    expect(world.scaling).toEqual({ blue: FREE, green: FREE });
  });

  test('together with the weights is a drift, which gives autoscaling back and leaves the weights', () => {
    const world = scaledWorld();
    const run = rehearse(
      GOAL,
      world,
      removed(at('judging', 50), (each) => void (each.live = splitGiving('green', 5))),
    );
    expect(run.outcome).toMatchObject({ kind: 'drifted', live: splitGiving('green', 5) });
    expect(world).toMatchObject({ live: splitGiving('green', 5), scaling: { blue: FREE, green: FREE } });
  });

  test('is not written again by a process that slept until its lease was over', () => {
    const slept = removed(at('judging', 50), (world) => void (world.now = after(world.now, minutes(4))));
    const run = rehearse(GOAL, scaledWorld(), slept);
    expect(run.outcome).toEqual({ kind: 'superseded', by: 'nobody: its record is gone' });
  });

  test('over the ports: between two looks, or before a write, traffic and autoscaling are back', async () => {
    for (const moment of ['look', 'write'] as const) {
      const stage = openStage();
      stage.autoscaling.services.set(SERVICES.blue, FREE).set(SERVICES.green, FREE);
      const { apply } = stage.router;
      stage.router.apply = async (split, ...call) => {
        if (moment === 'write' && split.green === 50) stage.journal.set(undefined);
        await apply(split, ...call);
        if (moment === 'look' && split.green === 50) stage.journal.set(undefined);
      };
      expect((await stage.run({ policy: GOAL.policy })).outcome).toMatchObject({ kind: 'rolled-back' });
      expect(stage.router.weights).toEqual({ blue: 100, green: 0 });
      expect([...stage.autoscaling.services.values()]).toEqual([FREE, FREE]);
    }
  });
});
