import { describe, expect, test } from '@jest/globals';
import type { TargetHealth } from '../../../src/domain/shift/live-color.ts';
import { joinTargets } from '../../../src/engine/shift/join-routes.ts';
import type { TargetGroups } from '../../../src/ports/target-group.ts';

const groupOf = (name: string, health: Omit<TargetHealth, 'reasons'>): TargetGroups => ({
  nameOf: () => name,
  groupsOf: () => [name],
  health: () => Promise.resolve({ reasons: [], ...health }),
  standing: () => Promise.resolve([]),
});
const { signal } = new AbortController();
const joined = (...each: readonly Omit<TargetHealth, 'reasons'>[]) =>
  joinTargets(each.map((health, index) => groupOf(`route-${index}`, health))).health('green', signal);

describe('the health of several routes', () => {
  const reached = { healthy: 1, total: 1, counts: 'end-points' as const };
  test('is that of the least healthy group, whose members are not told: another one may be it next time', async () => {
    expect(await joined({ healthy: 3, total: 3, members: ['a'] }, { healthy: 2, total: 3, members: ['b'] })).toEqual({ healthy: 2, total: 3, reasons: [] });
  }); // prettier-ignore

  test('of end points is counted in end points', async () => {
    expect(await joined(reached, reached)).toMatchObject({ healthy: 1, counts: 'end-points' });
  });

  test('is told by the tasks beside an end point that is reached, and by the end point that is not', async () => {
    expect(await joined(reached, { healthy: 2, total: 3 })).toEqual({ healthy: 2, total: 3, reasons: [] });
    const lost = await joined({ ...reached, healthy: 0 }, { healthy: 2, total: 3 });
    expect(lost).toMatchObject({ healthy: 0, counts: 'end-points' });
  });
});
