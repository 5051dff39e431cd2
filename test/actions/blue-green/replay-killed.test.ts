import { describe, expect, test } from '@jest/globals';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { type World, blueIsLive, goalOf, healthyRelease, policyOf, rehearse, withErrorRate } from './rehearsal.ts';

const POLICY = policyOf({ bake: '1m' });
const FIRST = goalOf({ policy: POLICY, checks: 'given' });
const AGAIN: Partial<Goal> = { me: { id: '100', attempt: 2 }, shiftId: '100-2' };
const POINTS = rehearse(FIRST, blueIsLive(), healthyRelease).moves.length;
const every = Array.from({ length: POINTS }, (_, index) => index);

/** The world as a run that was killed after so many moves leaves it. */
function killedAfter(moves: number): World {
  const world = blueIsLive();
  const run = rehearse(FIRST, world, healthyRelease, { killedAfter: moves });
  expect(run.outcome).toBe('killed');
  return world;
}

const later = (world: World): World => ({
  ...world,
  healthy: { ...world.healthy },
  desired: { ...world.desired },
  now: after(world.now, minutes(2)),
});

/** Users meet a healthy color, whatever happened. */
function expectServed({ live, healthy }: World): void {
  expect(live).not.toBe('none');
  const served = live as Exclude<World['live'], 'none'>;
  expect(served.blue === 0 || healthy.blue > 0).toBe(true);
  expect(served.green === 0 || healthy.green > 0).toBe(true);
}

describe('a run that is killed after any of its moves', () => {
  test('made as many moves as there are points', () => {
    expect(POINTS).toBeGreaterThan(20);
  });

  test('never rests: a watch, or the scheduled look, goes on with what it leaves as soon as its lease is over', () => {
    const phases = every.map((moves) => killedAfter(moves).record?.phase);
    expect(phases).not.toContain('prepared');
    expect(phases).not.toContain('switched');
    expect(phases).toContain('finishing');
  });

  test('and that goes on with what a shift of several jobs has switched does not rest there, either', () => {
    const world = blueIsLive();
    for (const mode of ['prepare', 'shift'] as const) rehearse({ ...FIRST, mode }, world, healthyRelease);
    expect(world.record?.phase).toBe('switched');
    rehearse({ ...FIRST, ...AGAIN }, world, healthyRelease, { killedAfter: 1 });
    expect(world.record).toMatchObject({ phase: 'finishing', run: { id: '100', attempt: 2 } });
  });

  test.each(every)('leaves a valid split, and the old color at full size until the drain (after move %i)', (moves) => {
    const world = killedAfter(moves);
    expectServed(world);
    expect(world.desired.blue === 3 || world.record?.phase === 'finishing').toBe(true);
  });

  test.each(every)(
    'is tidied up by the next attempt: back to blue, or finished when it was judged good (after move %i)',
    (moves) => {
      const world = killedAfter(moves);
      const phase = world.record?.phase;
      const run = rehearse({ ...FIRST, ...AGAIN }, world, healthyRelease);
      expectServed(run.world);
      const inTraffic = ['shifting', 'judging', 'rechecking'].includes(phase ?? '');
      expect((run.outcome as { kind: string }).kind).toBe(inTraffic ? 'rolled-back' : 'promoted');
      expect(run.world.live).toEqual(splitGiving(inTraffic ? 'blue' : 'green', 100));
      expect(run.world.desired).toEqual(inTraffic ? { blue: 3, green: 0 } : { blue: 0, green: 3 });
    },
  );

  test.each(every)('is resumed to the same end when asked to (after move %i)', (moves) => {
    const run = rehearse({ ...FIRST, ...AGAIN, onStale: 'resume' }, killedAfter(moves), healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'promoted' });
    expect(run.world).toMatchObject({ live: splitGiving('green', 100), desired: { blue: 0, green: 3 } });
  });

  test.each(every)(
    'gives way to a release of other images, which goes back first where users saw the old one (after move %i)',
    (moves) => {
      const world = later(killedAfter(moves));
      const switched = ['switched', 'finishing'].includes(world.record?.phase ?? '');
      const run = rehearse(
        goalOf({ policy: POLICY, me: { id: '105', attempt: 1 }, shiftId: '105-1', images: 'b2' }),
        world,
        healthyRelease,
      );
      expect(run.outcome).toMatchObject({ kind: 'promoted', record: { id: '105-1', images: 'b2' } });
      expect(run.world.live).toEqual(splitGiving(switched ? 'blue' : 'green', 100));
      expectServed(run.world);
    },
  );

  test.each(every)(
    'writes nothing more when it wakes up after another attempt ended the shift (after move %i)',
    (moves) => {
      const world = killedAfter(moves);
      rehearse({ ...FIRST, ...AGAIN }, world, healthyRelease);
      const ended = structuredClone(world);
      const zombie = rehearse(FIRST, world, healthyRelease);
      expect(zombie.outcome).toEqual({ kind: 'superseded', by: '100/2' });
      expect(zombie.moves).toEqual([]);
      expect(world).toEqual(ended);
    },
  );
});

describe('a shift under way', () => {
  const busy = (): World => {
    const world = killedAfter(12);
    expect(world.record!.phase).toBe('judging');
    return world;
  };
  const other = goalOf({ policy: POLICY, me: { id: '105', attempt: 1 }, shiftId: '105-1', images: 'b2' });

  test('is left alone by another run while its lease is fresh', () => {
    const world = busy();
    const run = rehearse(other, world, healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(
        /^shift 100-1 of run 100\/1 is under way \(judging, 10 %; last sign .* ago, taken for dead at [\d:]{8} UTC\)$/,
      ),
    });
    expect(run.moves).toEqual([]);
  });

  test('is taken over when its lease is over', () => {
    const world = busy();
    world.now = after(world.record!.leaseUntil, seconds(1));
    expect(rehearse(other, world, healthyRelease).outcome).toMatchObject({ kind: 'promoted', record: { id: '105-1' } });
  });

  test('is rolled back at once by a person, lease or not', () => {
    const world = busy();
    const run = rehearse({ ...other, mode: 'rollback', images: undefined }, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { reason: 'asked for by run 105/1' } });
    expect(run.world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 0 } });
  });

  test('is left as it is when on-stale says fail', () => {
    const world = busy();
    const run = rehearse({ ...FIRST, ...AGAIN, onStale: 'fail' }, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'refused', why: 'run 100/1 stopped at 10 % without an end' });
    expect(run.moves).toEqual([]);
  });

  test('renews its lease while it waits', () => {
    const run = rehearse(
      goalOf(),
      blueIsLive(),
      withErrorRate(() => 0.001),
    );
    const renewals = run.moves.filter((move) => move.kind === 'record' && move.says === undefined);
    expect(renewals.length).toBeGreaterThan(20);
  });

  test('whose traffic a cancelled run took back is only tidied up', () => {
    const world = busy();
    world.live = splitGiving('blue', 100);
    const run = rehearse({ ...FIRST, ...AGAIN, onStale: 'resume' }, world, healthyRelease);
    // 0 %: no time passed from when that was seen until users were back, and none is told.
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { percent: 0, trafficAt: expect.any(Number) } });
    expect(run.moves.map((move) => move.kind)).toEqual(['record', 'record', 'scale', 'record']);
  });

  test('whose weights somebody changed is not touched', () => {
    const world = busy();
    world.live = splitGiving('green', 30);
    const run = rehearse({ ...FIRST, ...AGAIN }, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'drifted', live: splitGiving('green', 30) });
    expect(run.moves).toEqual([]);
  });

  describe('whose weights a person set', () => {
    const [POST, OTHER] = [
      { id: '100', attempt: 1 },
      { id: '105', attempt: 1 },
    ];
    const looksAfter = (me: Goal['me']): Goal => ({ ...FIRST, mode: 'rollback', onBusy: 'leave', me });
    const moved = (more: Partial<World> = {}): World => ({
      ...later(busy()),
      live: splitGiving('green', 100),
      ...more,
    });

    test.each([
      { name: 'watch and reconcile', me: OTHER },
      { name: 'post', me: POST },
    ])('is left alone by $name, in red', ({ me }) => {
      const run = rehearse(looksAfter(me), moved(), healthyRelease);
      expect(run.outcome).toMatchObject({ kind: 'drifted', live: splitGiving('green', 100) });
      expect(run.moves).toEqual([]);
    });

    test('the same after its run has told it', () => {
      const world = blueIsLive();
      const meanwhile = ({ record }: World) => void (record?.phase === 'judging' && (world.live = splitGiving('green', 100)));
      expect(rehearse(FIRST, world, { ...healthyRelease, meanwhile }).outcome).toMatchObject({ kind: 'drifted' });
      const run = rehearse(looksAfter(OTHER), later(world), healthyRelease);
      expect(run.outcome).toMatchObject({ kind: 'drifted' });
      expect(run.moves).toEqual([]);
    }); // prettier-ignore

    test('the same in a way back that was verified, whatever share the shift had', () => {
      const world = moved();
      const back = { phase: 'rolling-back', percent: 100, from: 50, restoredAt: world.now } as const;
      world.record = { ...world.record!, ...back };
      expect(rehearse(looksAfter(OTHER), world, healthyRelease).outcome).toMatchObject({ kind: 'drifted' });
      world.record = { ...world.record, restoredAt: undefined };
      expect(rehearse(looksAfter(OTHER), world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
    });

    test('goes back when a person asks for it', () => {
      const world = moved();
      expect(rehearse({ ...looksAfter(OTHER), onBusy: 'take' }, world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
      expect(world.live).toEqual(splitGiving('blue', 100));
    }); // prettier-ignore
  });
});

describe('the parts of a release in jobs of their own', () => {
  const job = (mode: Goal['mode'], more: Partial<Goal> = {}): Goal => goalOf({ policy: POLICY, mode, ...more });

  test('prepare, shift and finish together do what run does', () => {
    const world = blueIsLive();
    expect(rehearse(job('prepare'), world, healthyRelease).outcome).toMatchObject({ kind: 'prepared' });
    expect(world).toMatchObject({
      live: splitGiving('blue', 100),
      healthy: { green: 3 },
      record: { phase: 'prepared' },
    });
    world.now = after(world.now, minutes(90));
    const shift = rehearse(job('shift', { images: undefined, expectedShift: '100-1' }), world, healthyRelease);
    expect(shift.outcome).toMatchObject({ kind: 'switched', judgement: { verdict: { kind: 'passing' } } });
    expect(world).toMatchObject({ live: splitGiving('green', 100), desired: { blue: 3, green: 3 } });
    expect(rehearse(job('finish', { images: undefined }), world, healthyRelease).outcome).toMatchObject({
      kind: 'promoted',
    });
    expect(world).toMatchObject({ desired: { blue: 0, green: 3 }, record: { phase: 'done' } });
  });

  test('a rollback after the switch gives the traffic back', () => {
    const world = blueIsLive();
    rehearse(job('prepare'), world, healthyRelease);
    rehearse(job('shift'), world, healthyRelease);
    expect(rehearse(job('rollback', { images: undefined }), world, healthyRelease).outcome).toMatchObject({
      kind: 'rolled-back',
    });
    expect(world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 0 } });
  });

  test.each([
    { name: 'shift without a preparation', mode: 'shift', why: 'nothing is prepared' },
    { name: 'finish without a switch', mode: 'finish', why: 'no switched shift waits to be finished' },
  ] as const)('refuses $name', ({ mode, why }) => {
    expect(rehearse(job(mode), blueIsLive(), healthyRelease).outcome).toMatchObject({ kind: 'refused', why });
  });

  test('refuses a shift whose id is another one', () => {
    const world = blueIsLive();
    rehearse(job('prepare'), world, healthyRelease);
    const run = rehearse(job('shift', { expectedShift: '99-1' }), world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'refused', why: 'shift 100-1 is recorded, not 99-1' });
  });

  test('a candidate that died while an approval was waited for gets no traffic', () => {
    const world = blueIsLive();
    rehearse(job('prepare'), world, healthyRelease);
    world.healthy.green = 0;
    const run = rehearse(job('shift'), world, healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: 'green has 0 of 2 healthy targets (3 initial)' },
    });
    expect(run.weights.every(([, percent]) => percent === 0)).toBe(true);
  });
});

describe('where the next shift starts', () => {
  const done = (): World => {
    const world = blueIsLive();
    rehearse(FIRST, world, healthyRelease);
    return world;
  };

  test('the same images again change nothing', () => {
    const run = rehearse({ ...FIRST, ...AGAIN }, done(), healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'unchanged' });
    expect(run.moves).toEqual([]);
  });

  test('the live weights say which color is stable, not the record', () => {
    const world = done();
    const run = rehearse(
      goalOf({ policy: POLICY, me: { id: '105', attempt: 1 }, shiftId: '105-1', images: 'b2' }),
      world,
      healthyRelease,
    );
    expect(run.outcome).toMatchObject({ kind: 'promoted', record: { stable: 'green', candidate: 'blue' } });
  });

  test('a rollback after the old color was scaled down is refused, with the way', () => {
    const run = rehearse(goalOf({ mode: 'rollback', me: { id: '105', attempt: 1 } }), done(), healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'refused',
      why: 'blue has no healthy target to go back to: it was scaled down after the last shift',
    });
  });

  test('a rollback where no shift ever was does not speak of a last one', () => {
    const run = rehearse(goalOf({ mode: 'rollback' }), blueIsLive(), healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'refused',
      why: 'green has no healthy target to go back to: no shift was ever recorded here',
    });
  });

  test('a color that wants no task is not waited for where somebody else deploys', () => {
    const run = rehearse({ ...FIRST, deploy: 'none' }, blueIsLive(), healthyRelease);
    expect(run.outcome).toMatchObject({
      kind: 'refused',
      why: 'green wants 0 tasks, and nobody deploys to it here (deploy: none)',
    });
    expect(run.moves).toEqual([]);
    const stands = { ...blueIsLive(), desired: { blue: 3, green: 3 }, healthy: { blue: 3, green: 3 } };
    expect(rehearse({ ...FIRST, deploy: 'none' }, stands, healthyRelease).outcome).toMatchObject({ kind: 'promoted' });
  });

  test('what a team deployed beside a cancelled shift is released, and not scaled down with that shift', () => {
    const world = later(killedAfter(every.findLast((moves) => killedAfter(moves).record?.phase === 'judging') ?? 0));
    Object.assign(world, {
      live: splitGiving('green', 0),
      desired: { blue: 3, green: 3 },
      healthy: { blue: 3, green: 3 },
    });
    const goal = { ...FIRST, deploy: 'none', images: 'b3', me: { id: '101', attempt: 1 }, shiftId: '101-1' } as const;
    const run = rehearse(goal, world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'promoted', record: { id: '101-1' } });
    expect(run.moves.filter((move) => move.kind === 'scale' && move.color === 'green')).toEqual([]);
  });

  test('targets of a color that wants no task any more do not make it a candidate', () => {
    const going = { ...blueIsLive(), desired: { blue: 3, green: 0 }, healthy: { blue: 3, green: 3 } };
    const run = rehearse({ ...FIRST, deploy: 'none' }, going, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'refused' });
    expect(run.moves).toEqual([]);
  });

  test('a rollback to an old color that still stands goes there at once', () => {
    const world = done();
    world.desired.blue = 3;
    world.healthy.blue = 3;
    const run = rehearse(goalOf({ mode: 'rollback', me: { id: '105', attempt: 1 } }), world, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'rolled-back' });
    expect(run.world).toMatchObject({ live: splitGiving('blue', 100), desired: { blue: 3, green: 0 } });
  });

  test.each([
    { name: 'a split that no shift explains', change: { live: splitGiving('green', 30) }, why: 'traffic is blue 70 / green 30, and no shift explains it' },
    { name: 'both weights 0 with two healthy colors', change: { live: 'none', healthy: { blue: 3, green: 3 } }, why: 'traffic is nowhere, both weights are 0, and no shift explains it' },
    { name: 'no healthy color', change: { healthy: { blue: 0, green: 0 } }, why: 'neither color has a healthy target' },
  ] as { name: string; change: Partial<World>; why: string }[])('$name is refused without a write', ({ change, why }) => {
    const run = rehearse(FIRST, { ...blueIsLive(), ...change }, healthyRelease);
    expect(run.outcome).toMatchObject({ kind: 'refused', why });
    expect(run.moves).toEqual([]);
  }); // prettier-ignore

  test.each([
    { name: 'both weights 0', live: 'none' as const },
    { name: 'all weight on a color without a healthy target', live: splitGiving('green', 100) },
  ])('$name: all traffic goes to the only healthy color, then the release begins', ({ live }) => {
    const run = rehearse(FIRST, { ...blueIsLive(), live }, healthyRelease);
    expect(run.moves.slice(0, 2).map((move) => move.kind)).toEqual(['record', 'restore']);
    expect(run.moves[1]).toMatchObject({ color: 'blue' });
    expect(run.outcome).toMatchObject({ kind: 'promoted', record: { stable: 'blue', candidate: 'green' } });
  });
});
