import { describe, expect, test } from '@jest/globals';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import { after, minutes } from '../../../src/domain/duration.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { type World, blueIsLive, goalOf, healthyRelease, policyOf, rehearse, withErrorRate } from './rehearsal.ts';
import { SERVICES, openStage } from './stage.ts';

const FREE = { scaleIn: false, scaleOut: false, scheduled: false };
const SCHEDULE_OFF = { ...FREE, scheduled: true };
const HELD = { ...FREE, scaleIn: true, scheduled: true };
const BEFORE = { blue: SCHEDULE_OFF, green: FREE };

const scaledWorld = (): World => ({ ...blueIsLive(), scaling: { ...BEFORE } });
const POLICY = policyOf({ bake: '1m' });
const FIRST = goalOf({ policy: POLICY });
const AGAIN: Partial<Goal> = { me: { id: '100', attempt: 2 }, shiftId: '100-2' };
const later = (world: World): World => ({ ...world, now: after(world.now, minutes(2)) });

describe('autoscaling of both colors', () => {
  test('is held still while traffic moves, scaling out excepted, and is as it was at a good end', () => {
    const world = scaledWorld();
    const during: unknown[] = [];
    const run = rehearse(FIRST, world, {
      ...healthyRelease,
      meanwhile: ({ record, scaling }) => void (record?.phase === 'judging' && during.push({ ...scaling })),
    });
    expect(run.outcome).toMatchObject({ kind: 'promoted', record: { scaling: {} } });
    expect(during.length).toBeGreaterThan(10);
    expect(new Set(during.map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify({ blue: HELD, green: HELD })]),
    );
    expect(world.scaling).toEqual(BEFORE);
  });

  test('is written down before it is touched', () => {
    const world = scaledWorld();
    const { moves } = rehearse(FIRST, world, healthyRelease);
    const first = moves.findIndex(({ kind }) => kind === 'autoscale');
    expect(moves.slice(0, first)).toContainEqual(
      expect.objectContaining({ kind: 'record', record: expect.objectContaining({ scaling: BEFORE }) }),
    );
  });

  test('is as it was after a rollback, and is given back before the candidate is scaled down', () => {
    const world = scaledWorld();
    const run = rehearse(
      FIRST,
      world,
      withErrorRate(() => 0.5),
    );
    expect(run.outcome).toMatchObject({ kind: 'rolled-back', record: { scaling: {} } });
    expect(world.scaling).toEqual(BEFORE);
    const kinds = run.moves.map(({ kind }) => kind);
    expect(kinds.lastIndexOf('autoscale')).toBeGreaterThan(kinds.indexOf('restore'));
    expect(kinds.lastIndexOf('autoscale')).toBeLessThan(kinds.lastIndexOf('scale'));
  });

  test('is not touched where it is to be left', () => {
    const { moves } = rehearse({ ...FIRST, autoscaling: 'leave' }, scaledWorld(), healthyRelease);
    expect(moves.filter(({ kind }) => kind === 'autoscale')).toEqual([]);
  });

  test('stays as somebody set it meanwhile', () => {
    const world = scaledWorld();
    const theirs = { ...FREE, scaleOut: true };
    rehearse(FIRST, world, {
      ...healthyRelease,
      meanwhile: (each) => void (each.record?.phase === 'finishing' && (each.scaling.blue = theirs)),
    });
    expect(world.scaling).toEqual({ ...BEFORE, blue: theirs });
  });

  test('is given back when somebody else moved the traffic: the shift is over then', () => {
    const world = scaledWorld();
    const run = rehearse(FIRST, world, {
      ...healthyRelease,
      meanwhile: (each) => void (each.record?.phase === 'judging' && (each.live = splitGiving('green', 33))),
    });
    expect(run.outcome).toMatchObject({ kind: 'drifted' });
    expect(world.scaling).toEqual(BEFORE);
  });

  test('is free between prepare and shift, held again by shift, and after the switch held for the old color alone', () => {
    const world = scaledWorld();
    rehearse({ ...FIRST, mode: 'prepare' }, world, healthyRelease);
    expect(world.scaling).toEqual(BEFORE);
    rehearse({ ...FIRST, mode: 'shift' }, world, healthyRelease);
    expect(world.record).toMatchObject({ phase: 'switched', scaling: { blue: SCHEDULE_OFF } });
    expect(world.scaling).toEqual({ blue: HELD, green: FREE });
    rehearse({ ...FIRST, mode: 'settle' }, world, healthyRelease);
    expect(world).toMatchObject({ scaling: BEFORE, record: { phase: 'switched', scaling: {} } });
    const end = rehearse({ ...FIRST, mode: 'finish' }, world, healthyRelease);
    expect(end.outcome).toMatchObject({ kind: 'promoted' });
    expect(world.scaling).toEqual(BEFORE);
  });
});

describe('a run that dies after any of its moves', () => {
  const POINTS = rehearse(FIRST, scaledWorld(), healthyRelease).moves.length;
  const every = Array.from({ length: POINTS }, (_, index) => index);
  const BY_HAND: Partial<Goal> = { me: { id: '106', attempt: 1 }, mode: 'rollback' };
  const ENDS: { name: string; goals: Partial<Goal>[] }[] = [
    { name: 'the next attempt', goals: [AGAIN] },
    { name: 'the next attempt that resumes', goals: [{ ...AGAIN, onStale: 'resume' }] },
    { name: 'a release of other images', goals: [{ me: { id: '105', attempt: 1 }, shiftId: '105-1', images: 'b2' }] },
    // A color that was drained is no way back any more; what is left of that shift is finished.
    { name: 'a rollback by hand, or else the end of the drain', goals: [BY_HAND, { ...BY_HAND, mode: 'finish' }] },
  ];

  test.each(ENDS)('has its autoscaling given back by $name', ({ goals }) => {
    const left = every.filter((moves) => {
      const world = scaledWorld();
      rehearse(FIRST, world, healthyRelease, { killedAfter: moves });
      const again = later(world);
      for (const goal of goals) rehearse({ ...FIRST, ...goal }, again, healthyRelease);
      return JSON.stringify(again.scaling) !== JSON.stringify(BEFORE);
    });
    expect({ points: POINTS > 20, left }).toEqual({ points: true, left: [] });
  });
});

test('over the ports: two writes to hold, two to give back, each behind the fence', async () => {
  const stage = openStage();
  stage.autoscaling.services.set(SERVICES.blue, SCHEDULE_OFF).set(SERVICES.green, FREE);
  expect((await stage.run()).outcome).toMatchObject({ kind: 'promoted' });
  expect(stage.autoscaling.writes).toEqual([
    'shop-blue: in+scheduled',
    'shop-green: in+scheduled',
    'shop-blue: scheduled',
    'shop-green: nothing',
  ]);
});
