import { describe, expect, test } from '@jest/globals';
import { type Stage, openStage } from './stage.ts';
import { instant, minutes } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';

const NOW_SAYS = 'blue=shop-green green=shop-blue';

/** A shift that was killed at 50 %, as it stands an hour later; then router.colors and services were exchanged. */
async function killed(more: Partial<ShiftRecord> = {}): Promise<Stage> {
  const stage = openStage();
  const kill = new AbortController();
  const { write } = stage.journal;
  stage.journal.write = async (entry, signal) => {
    await write(entry, signal);
    if (entry.phase === 'judging' && entry.percent === 50) kill.abort();
  };
  await expect(stage.run({}, {}, kill.signal)).rejects.toThrow();
  stage.journal.write = write;
  const current = stage.journal.current();
  expect(current).toMatchObject({ percent: 50, groups: 'blue=shop-blue green=shop-green' });
  if (current !== undefined) stage.journal.set({ ...current, ...more });
  await stage.clock.sleep(minutes(60), new AbortController().signal);
  stage.router.targets.groupsOf = (color) => [
    `arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/shop-${color === 'blue' ? 'green' : 'blue'}/1`,
  ];
  return stage;
}

const EXCHANGED = { ecs: { cluster: 'shop', services: { blue: 'shop-green', green: 'shop-blue' } } };
const OTHER = { me: { id: '105', attempt: 1 }, shiftId: '105-1' } as const;
const REFUSAL = new RegExp(`begun with blue=shop-blue green=shop-green, the router now says ${NOW_SAYS}`);

describe('a shift whose colors stand for other target groups by now', () => {
  test.each(['run', 'prepare', 'shift', 'finish', 'rollback', 'settle'] as const)(
    'is refused by mode %s',
    async (mode) => {
      const stage = await killed();
      const before = {
        record: stage.journal.current(),
        live: [...stage.router.writes],
      };
      await expect(stage.run({ ...OTHER, mode }, EXCHANGED)).rejects.toThrow(REFUSAL);
      expect({
        record: stage.journal.current(),
        live: [...stage.router.writes],
      }).toEqual(before);
      expect([stage.desired('blue'), stage.desired('green')]).toEqual([3, 3]);
    },
  );

  test('is taken as it is where its record is of a version that named colors only', async () => {
    const stage = await killed({ groups: undefined });
    const { outcome } = await stage.run({ ...OTHER, mode: 'rollback' }, EXCHANGED);
    expect(outcome.kind).toBe('rolled-back');
  });

  test("stands in nobody's way once it is over", async () => {
    const stage = await killed({ phase: 'done', percent: 100 });
    await stage.router.apply({ blue: 0, green: 100 }, new AbortController().signal);
    const { outcome } = await stage.run({ ...OTHER, mode: 'finish' }, EXCHANGED);
    expect(outcome.kind).toBe('unchanged');
  });
});

describe('a shift at rest whose target groups were replaced by new ones', () => {
  const NEXT = { ...OTHER, me: { id: '106', attempt: 1 }, shiftId: '106-1' } as const;

  /** On Friday up to here; on Monday the router has other names, which no record knows. */
  async function replaced(mode: 'prepare' | 'shift', held: Partial<ShiftRecord> = {}): Promise<Stage> {
    const stage = openStage();
    await stage.run({ mode: 'prepare' });
    if (mode === 'shift') await stage.run({ ...OTHER, mode: 'shift' });
    const current = stage.journal.current();
    if (current !== undefined) stage.journal.set({ ...current, ...held });
    await stage.clock.sleep(minutes(60), new AbortController().signal);
    stage.router.targets.groupsOf = (color) => [
      `arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/next-${color}/1`,
    ];
    return stage;
  }

  test.each(['prepare', 'shift'] as const)('is taken as over by the next release, with a warning: %s', async (mode) => {
    const stage = await replaced(mode);
    const { outcome, record } = await stage.run(NEXT);
    expect(outcome.kind).toBe('promoted');
    expect(record).toMatchObject({
      id: '106-1',
      groups: 'blue=next-blue green=next-green',
      candidate: mode === 'shift' ? 'blue' : 'green',
    });
    const said = stage.log.lines.filter((line) => line.includes('is taken as over'));
    expect(said).toEqual([
      expect.stringContaining('it was begun with blue=shop-blue green=shop-green, the router now says blue=next-blue'),
    ]);
  });

  test('goes back from a switched one, and moves nothing where the candidate never had traffic', async () => {
    const switched = await replaced('shift');
    expect((await switched.run({ ...NEXT, mode: 'rollback' })).outcome.kind).toBe('rolled-back');
    expect(switched.router.weights).toMatchObject({ blue: 100, green: 0 });
    const prepared = await replaced('prepare');
    const before = [...prepared.router.writes];
    expect((await prepared.run({ ...NEXT, mode: 'rollback' })).outcome.kind).toBe('unchanged');
    expect(prepared.router.writes).toEqual(before);
  });

  test('is not gone on with: what was prepared or judged is not what stands there now', async () => {
    const prepared = await replaced('prepare');
    expect((await prepared.run({ ...NEXT, mode: 'shift' })).outcome).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('its target groups were replaced when it was prepared'),
    });
    const switched = await replaced('shift');
    await expect(switched.run({ ...NEXT, mode: 'finish' })).rejects.toThrow(/remove the tags that begin with sluice:/);
    expect(switched.desired('blue')).toBe(3);
  });

  test('keeps no autoscaling held for ever: it is given back as it was recorded', async () => {
    const scaling = { blue: { scaleIn: false, scaleOut: false, scheduled: false } };
    const stage = await replaced('prepare', { scaling });
    expect((await stage.run({ ...NEXT, mode: 'settle' })).outcome.kind).toBe('unchanged');
    expect(stage.journal.current()).toMatchObject({ id: '100-1', phase: 'prepared', scaling: {} });
  });

  test('is refused where only one name was exchanged, and while a run is at work on it', async () => {
    const stage = await replaced('prepare');
    const current = stage.journal.current();
    stage.journal.set({ ...(current as ShiftRecord), groups: 'blue=next-green green=shop-green' });
    await expect(stage.run(NEXT)).rejects.toThrow('was begun with other target groups');
    const leaseUntil = instant(stage.clock.now() + minutes(1));
    stage.journal.set({ ...(current as ShiftRecord), phase: 'preparing', leaseUntil });
    await expect(stage.run(NEXT)).rejects.toThrow('was begun with other target groups');
  });
});
