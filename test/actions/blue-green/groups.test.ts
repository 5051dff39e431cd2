import { describe, expect, test } from '@jest/globals';
import { type Stage, openStage } from './stage.ts';
import { minutes } from '../../../src/domain/duration.ts';
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
