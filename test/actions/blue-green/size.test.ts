import { describe, expect, test } from '@jest/globals';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import { wantedOf } from '../../../actions/blue-green/src/decide/size.ts';
import { after, between, minutes, seconds } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';
import {
  type Run,
  type Scenario,
  type World,
  blueIsLive,
  goalOf,
  healthyRelease,
  policyOf,
  rehearse,
  withErrorRate,
} from './rehearsal.ts';

// Whoever takes over the traffic must be able to carry it, before whoever carried it is scaled down.

/** Green was released, and carries everybody with ten tasks. */
const greenIsLive = (blue: { healthy: number; desired: number }, more: Partial<ShiftRecord> = {}): World => ({
  ...blueIsLive(),
  now: NOW,
  live: splitGiving('green', 100),
  seated: 'both',
  healthy: { blue: blue.healthy, green: 10 },
  desired: { blue: blue.desired, green: 10 },
  record: recordOf({ phase: 'done', percent: 100, from: 50, ...more }),
});
const BACK = goalOf({ mode: 'rollback', me: { id: '105', attempt: 1 }, shiftId: '105-1', oldDesired: 1 });
const kindsOf = ({ moves }: Run) => moves.map((move) => ('color' in move ? `${move.kind} ${move.color}` : move.kind));

/** Tasks of blue that are asked for are healthy so long after the first look, at most so many. */
function blueStarts(afterwards: number, most = 100): Scenario {
  let until: number | undefined;
  return {
    ...healthyRelease,
    starting: 'slowly',
    meanwhile: (world) => {
      until ??= after(world.now, seconds(afterwards));
      if (world.now >= until) world.healthy.blue = Math.min(most, world.desired.blue);
    },
  };
}

describe('a way back of a finished release, whose old color kept one task', () => {
  const ONE = { healthy: 1, desired: 1 };

  test('scales it up, waits until it can carry what the live one carries, and scales that down last', () => {
    const world = greenIsLive(ONE);
    const run = rehearse(BACK, world, blueStarts(90));
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', left: undefined });
    expect(kindsOf(run).filter((kind) => !kind.startsWith('record'))).toEqual([
      'scale blue',
      'restore blue',
      'scale green',
    ]);
    expect(world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 10, green: 1 } });
    expect(between(NOW, world.now)).toBeGreaterThan(90_000);
  });

  test('goes at once where the live one serves nobody, and scales up behind', () => {
    const world = greenIsLive(ONE);
    world.healthy.green = 0;
    const run = rehearse(BACK, world, blueStarts(90));
    expect(run.weights[0]?.[0]).toBeLessThan(1 + between(blueIsLive().now, NOW) / 1_000);
    expect(
      kindsOf(run)
        .filter((kind) => !kind.startsWith('record'))
        .slice(0, 2),
    ).toEqual(['restore blue', 'scale blue']);
    expect(world.desired.blue).toBe(10);
  });

  test('goes on waiting in the process that takes it over, though the first one is dead', () => {
    const world = greenIsLive(ONE);
    rehearse(BACK, world, blueStarts(90), { killedAfter: 2 });
    expect(world).toMatchObject({ live: splitGiving('green', 100), record: { phase: 'rolling-back' } });
    const again = rehearse({ ...BACK, me: { id: '106', attempt: 1 } }, world, blueStarts(90));
    expect(again.outcome).toMatchObject({ kind: 'rolled-back' });
    expect(world.desired).toEqual({ blue: 10, green: 1 });
  });

  test('whose traffic a cancelled process took back at once keeps the color that it left until the other one carries', () => {
    const world = greenIsLive(ONE);
    rehearse(BACK, world, blueStarts(90), { killedAfter: 1 });
    world.live = splitGiving('blue', 100);
    const run = rehearse({ ...BACK, me: { id: '105', attempt: 1 } }, world, blueStarts(90));
    expect(kindsOf(run).filter((kind) => kind.startsWith('scale'))).toEqual(['scale blue', 'scale green']);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { percent: 0 } });
  });

  test('leaves users where they are served when too few of it get healthy, and says so in red', () => {
    const world = greenIsLive(ONE);
    const run = rehearse(BACK, world, blueStarts(90, 4));
    expect(run.outcome).toMatchObject({ kind: 'rollback-failed', why: expect.stringMatching(/^blue has 4 of 10 healthy targets .*, and green still serves$/) });
    expect(world).toMatchObject({ live: splitGiving('green', 100), desired: { green: 10 } });
  }); // prettier-ignore

  test('does not wait for the last ones: users leave as soon as half of them are healthy', () => {
    const world = greenIsLive(ONE);
    const run = rehearse(BACK, world, blueStarts(90, 5));
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', left: undefined });
    expect(between(NOW, world.now)).toBeLessThan(100_000);
    expect(world.desired).toEqual({ blue: 10, green: 1 });
  });

  test.each([
    { name: 'at full size', blue: { healthy: 10, desired: 10 }, green: 10 },
    { name: 'at full size, with one that is being replaced', blue: { healthy: 9, desired: 10 }, green: 10 },
    { name: 'with half of its targets', blue: { healthy: 5, desired: 10 }, green: 10 },
    { name: 'at its size of before, where the live one was scaled out since', blue: { healthy: 10, desired: 10 }, green: 11 },
    { name: 'at half of the size of the live one', blue: { healthy: 5, desired: 5 }, green: 10 },
  ])('goes at once where it stands $name', ({ blue, green }) => {
    const world = greenIsLive(blue);
    world.healthy.green = world.desired.green = green;
    const run = rehearse(BACK, world, blueStarts(90));
    expect(kindsOf(run).slice(0, 2)).toEqual(['record', 'restore blue']);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', left: undefined });
    expect(world.desired).toEqual({ blue: Math.max(green, blue.desired), green: 1 });
  }); // prettier-ignore

  test('is not kept up for ever by somebody who sets its size anew: it goes with what it has', () => {
    const world = greenIsLive(ONE);
    const run = rehearse(BACK, world, {
      ...blueStarts(90),
      meanwhile: (each) => {
        each.desired.blue = each.healthy.blue = 1;
        each.now = after(each.now, seconds(5));
      },
    });
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', left: expect.stringMatching(/^green keeps its 10 tasks, because blue wants 1 tasks/) });
    expect(world.live).toEqual(splitGiving('blue', 100));
    const renewals = run.moves.filter((move) => move.kind === 'record' && move.renews === true);
    expect(renewals.length).toBeGreaterThan(20);
  }); // prettier-ignore

  test('is the same for a shift that only drains, and for a color that is named', () => {
    for (const [more, goal] of [
      [{ phase: 'finishing' }, BACK],
      [{}, { ...BACK, to: 'blue' }],
    ] as [Partial<ShiftRecord>, Goal][]) {
      const world = greenIsLive(ONE, more);
      rehearse(goal, world, blueStarts(90));
      expect(world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 10, green: 1 } });
    }
  });
});

describe('an old color that wants no task', () => {
  const GOING = { healthy: 2, desired: 0 };

  test.each([
    { name: 'a finished release', more: {}, to: undefined, why: 'blue wants 0 tasks, so what is healthy there is going: it was scaled down after the last shift' },
    { name: 'a drain', more: { phase: 'finishing' as const }, to: undefined, why: 'blue wants 0 tasks, so what is healthy there is going: it was scaled down after the last shift' },
    { name: 'a color that is named', more: {}, to: 'blue' as const, why: 'blue wants 0 tasks, so what is healthy there is going' },
  ])('is no way back of $name', ({ more, to, why }) => {
    const world = greenIsLive(GOING, more);
    const run = rehearse({ ...BACK, to }, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'refused', why });
    expect(run.moves).toEqual([]);
  }); // prettier-ignore

  test('is better than one that serves nobody', () => {
    const world = greenIsLive(GOING);
    world.healthy.green = 0;
    expect(rehearse(BACK, world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 10 } });
  });
});

describe('a shift that is taken back', () => {
  const bad = withErrorRate(() => 0.5);
  const play = (scenario: Scenario): Run =>
    rehearse(goalOf({ policy: policyOf({ bake: '1m' }) }), blueIsLive(), scenario);

  test('does not wait for a stable color that is at full size', () => {
    const { world } = play(bad);
    const { restoredAt } = world.record as ShiftRecord;
    expect(between(restoredAt!, world.now)).toBeLessThan(2_000);
    expect(world.desired).toEqual({ blue: 3, green: 0 });
  });

  test('keeps the candidate while stable has too few healthy targets, and the traffic does not wait for them', () => {
    const run = play({
      ...bad,
      meanwhile: (world) => void (world.record?.phase === 'rolling-back' && (world.healthy.blue = 1)),
    });
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', left: expect.stringMatching(/^green keeps its 3 tasks, because blue has 1 of 3 healthy targets/) });
    expect(run.world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 3 } });
    const { detectedAt, restoredAt } = run.world.record as ShiftRecord;
    expect(between(detectedAt!, restoredAt!)).toBeLessThan(2_000);
    expect(between(restoredAt!, run.world.now)).toBeLessThan(minutes(16));
  }); // prettier-ignore
});

describe('a shift that was taken back before', () => {
  const led = (more: Partial<World>): World => ({ ...greenIsLive({ healthy: 3, desired: 3 }, { phase: 'rolled-back', percent: 100, from: 100 }), ...more }); // prettier-ignore

  test('and whose traffic somebody led to the candidate again goes back once more', () => {
    const world = led({ healthy: { blue: 3, green: 0 } });
    expect(rehearse(BACK, world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(world.live).toEqual(splitGiving('blue', 100));
  });

  test('the same of a part of it', () => {
    const world = led({ live: splitGiving('green', 30) });
    const run = rehearse(BACK, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back' });
    expect(run.said[0]).toBe('traffic is blue 70 / green 30; all of it goes back to blue, where shift 100-1 left it');
    expect(world.live).toEqual(splitGiving('blue', 100));
  });

  test('is refused with both values when nobody serves where it was left', () => {
    const run = rehearse(BACK, led({ healthy: { blue: 0, green: 3 } }), healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'refused',
      why: 'traffic is blue 0 / green 100, shift 100-1 left it on blue, and blue has 0 healthy targets',
    });
    expect(run.moves).toEqual([]);
  });

  test('to a color that serves nobody by now goes to the one that does', () => {
    const world = led({ live: splitGiving('blue', 100), healthy: { blue: 0, green: 3 } });
    expect(rehearse(BACK, world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(world.live).toEqual(splitGiving('green', 100));
  });

  test('changes nothing where its traffic is on the color that serves', () => {
    const world = led({ live: splitGiving('blue', 100) });
    const run = rehearse(BACK, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'unchanged' });
    expect(run.moves).toEqual([]);
  });
});

describe('the drain of a release whose new color lost its targets', () => {
  const beside = (more: Partial<ShiftRecord> = {}): World =>
    greenIsLive({ healthy: 10, desired: 10 }, { phase: 'switched', percent: 100, ...more });
  const FINISH = goalOf({ mode: 'finish', me: { id: '105', attempt: 1 } });
  const scales = ({ moves }: Run) => moves.filter(({ kind }) => kind === 'scale');

  test.each([
    { name: 'fewer than it needs', minHealthy: 2, healthy: 1, needed: 5 },
    { name: 'fewer than half of what stands beside it', minHealthy: 2, healthy: 4, needed: 5 },
    { name: 'not all of its tasks, where it needs them all', minHealthy: 'desired' as const, healthy: 9, needed: 10 },
  ])('with $name ends red, with both colors at full size', ({ minHealthy, healthy, needed }) => {
    const world = beside({ scaling: {} });
    world.healthy.green = healthy;
    const run = rehearse({ ...FINISH, minHealthy }, world, healthyRelease);
    const why = `green has ${healthy} of ${needed} healthy targets (${10 - healthy} initial)`;
    expect(run.outcome).toMatchObject({ kind: 'not-drained', why, record: { phase: 'finishing' } });
    expect(scales(run)).toEqual([]);
    expect(world).toMatchObject({ live: splitGiving('green', 100), desired: { blue: 10, green: 10 } });
    expect(between(NOW, world.now)).toBeGreaterThanOrEqual(FINISH.drain + FINISH.prepareWithin);
  });

  test('waits for them, and goes on when they are back', () => {
    const world = beside();
    world.healthy.green = 1;
    const back = after(NOW, minutes(12));
    const run = rehearse(FINISH, world, {
      ...healthyRelease,
      meanwhile: (each) => void (each.now >= back && (each.healthy.green = 10)),
    });
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    expect(world.desired).toEqual({ blue: 0, green: 10 });
    expect(world.now).toBeGreaterThanOrEqual(back);
  });

  test('is the same in a run that does all of it', () => {
    const run = rehearse(goalOf({ policy: policyOf({ bake: '1m' }) }), blueIsLive(), {
      ...healthyRelease,
      meanwhile: (world) => void (world.record?.phase === 'finishing' && (world.healthy.green = 1)),
    });
    expect(run.outcome).toMatchObject({ kind: 'not-drained' });
    expect(scales(run)).toEqual([]);
  });

  test('gives the live color its autoscaling back, and holds the old one at its size', () => {
    const free = { scaleIn: false, scaleOut: false, scheduled: false };
    const held = { ...free, scaleIn: true, scheduled: true };
    const world = beside({ scaling: { blue: free, green: free } });
    Object.assign(world.scaling, { blue: held, green: held });
    world.healthy.green = 1;
    rehearse(FINISH, world, healthyRelease);
    expect(world).toMatchObject({ scaling: { blue: held, green: free }, record: { scaling: { blue: free } } });
    world.healthy.green = 10;
    const again = rehearse({ ...FINISH, me: { id: '106', attempt: 1 } }, { ...world, now: after(world.now, minutes(3)) }, healthyRelease);
    expect(again.world).toMatchObject({ scaling: { blue: free, green: free }, desired: { blue: 0 } });
  }); // prettier-ignore
});

describe('healthy targets that are wanted', () => {
  const tasks = { healthy: 1, total: 3, reasons: [] };
  const entrance = { healthy: 1, total: 1, counts: 'end-points' as const, reasons: [] };
  test.each([
    { name: 'are all of the tasks', minHealthy: 'desired' as const, seen: tasks, of: 3, wanted: 3 },
    { name: 'are one where nobody knows how many tasks there are', minHealthy: 'desired' as const, seen: tasks, of: 0, wanted: 1 },
    { name: 'are as many as the stage says', minHealthy: 2, seen: tasks, of: 3, wanted: 2 },
    { name: 'are the one load balancer that stands before all tasks', minHealthy: 'desired' as const, seen: entrance, of: 3, wanted: 1 },
    { name: 'are no more than the end points that there are', minHealthy: 2, seen: entrance, of: 3, wanted: 1 },
    { name: 'are one, where no end point is there yet', minHealthy: 2, seen: { ...entrance, total: 0 }, of: 3, wanted: 1 },
  ])('$name', ({ minHealthy, seen, of, wanted }) => {
    expect(wantedOf({ minHealthy }, seen, of)).toBe(wanted);
  }); // prettier-ignore
});
