import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { type FakeRouter, fakeRouter } from '../../fakes/traffic-router.ts';
import { type Stage, openStage } from './stage.ts';

/** Two rules under one verdict, which write down in one list what was done to them. */
function openTwo(): { stage: Stage; second: FakeRouter; done: string[] } {
  const stage = openStage();
  const second = fakeRouter();
  const done: string[] = [];
  for (const [name, router] of [['first', stage.router], ['second', second]] as const) {
    const { apply, restore } = router;
    router.apply = async (split, ...rest) => {
      const before = router.writes.length;
      await apply(split, ...rest);
      if (router.writes.length > before) done.push(`${name} green ${split.green}`);
    };
    router.restore = async (color, signal) => {
      await restore(color, signal);
      done.push(`${name} back to ${color}`);
    };
  } // prettier-ignore
  Object.assign(second, { name: 'second rule' });
  stage.others.push(second);
  return { stage, second, done };
}

const failing = (): Failure => new Failure({ what: 'Could not set weights', why: 'no' });

describe('several routes under one verdict', () => {
  test('move one after the other at each step, and the step is judged when all of them are there', async () => {
    const { stage, done } = openTwo();
    expect((await stage.run()).outcome).toMatchObject({ kind: 'promoted' });
    expect(done).toEqual([0, 10, 50, 100].flatMap((percent) => [`first green ${percent}`, `second green ${percent}`]));
    expect(stage.log.lines.filter((line) => line.includes('serves 10 %'))).toHaveLength(1);
  });

  test('go back together', async () => {
    const { stage, done } = openTwo();
    stage.answers = ({ metric }) => ({ kind: 'value', value: metric === 'error-rate' ? 0.5 : 1, samples: 400 });
    expect((await stage.run()).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(done.slice(-2)).toEqual(['first back to blue', 'second back to blue']);
  });

  test('of which one cannot be moved go back: a part that was moved is taken back, too', async () => {
    const { stage, second, done } = openTwo();
    stage.in(seconds(90), () => second.fail('apply', ...Array.from({ length: 9 }, failing)));
    expect((await stage.run()).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(stage.router.weights).toEqual({ blue: 100, green: 0 });
    expect(second.weights).toEqual({ blue: 100, green: 0 });
    expect(done.at(-1)).toBe('second back to blue');
  });

  test('of which somebody moves one stop there, with its name and both values', async () => {
    const { stage, second, done } = openTwo();
    stage.in(seconds(100), () => (second.weights = { blue: 30, green: 70 }));
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({ kind: 'drifted', route: 'second rule', live: { blue: 30, green: 70 } });
    expect(done.at(-1)).not.toContain('back');
  });

  test('of which one alone is away from the color that a person names: users are moved, and it says so', async () => {
    const { stage, second } = openTwo();
    second.weights = { blue: 40, green: 60 };
    const { record } = await stage.run({ mode: 'rollback', to: 'blue' });
    expect(record).toMatchObject({ phase: 'rolled-back', stable: 'blue', percent: 60 });
    expect(stage.log.lines).toContain('blue has all traffic again');
  });

  test('that led nowhere lead to the color that a person names, which is not said to have kept what it had not', async () => {
    const { stage, second } = openTwo();
    for (const router of [stage.router, second]) router.weights = { blue: 0, green: 0 };
    await stage.run({ mode: 'rollback', to: 'blue' });
    expect(stage.router.weights).toEqual({ blue: 100, green: 0 });
    expect(stage.log.lines).toContain('blue has all traffic');
  });

  test('of which one leads to tasks of the old color keep them, whatever the groups of the others hold', async () => {
    const { stage, second } = openTwo();
    const arn = 'arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/int-green/1';
    const { health } = second.targets;
    Object.assign(second.targets, {
      nameOf: (color: string) => `int-${color}`,
      groupsOf: (color: string) => [arn.replace('green', color)],
    });
    second.targets.health = async (color, inner, own) =>
      color === 'green' ? { healthy: 3, total: 3, reasons: [] } : health(color, inner, own);
    await expect(stage.run()).rejects.toThrow(
      'Could not scale shop-blue down: 3 of its tasks stand in int-green, the target group of green',
    );
    expect(stage.desired('blue')).toBe(3);
  });

  test('that differ before any shift are left alone', async () => {
    const { stage, second, done } = openTwo();
    second.weights = { blue: 0, green: 100 };
    expect((await stage.run()).outcome).toMatchObject({
      kind: 'refused',
      why: 'the routes differ, and no shift explains it: fake rule is blue 100 / green 0, second rule is blue 0 / green 100',
    });
    expect(done).toEqual([]);
  });

  test('of which a dead run moved one alone are brought to one split by the next attempt', async () => {
    const { stage, second } = openTwo();
    const dying = new AbortController();
    const { apply } = second;
    second.apply = async (split, ...rest) => {
      if (split.green === 10) dying.abort(new Error('dead'));
      return apply(split, ...rest);
    };
    await expect(stage.run({}, {}, dying.signal)).rejects.toThrow('dead');
    expect([stage.router.weights.green, second.weights.green]).toEqual([10, 0]);
    second.apply = apply;
    const again = { me: { id: '100', attempt: 2 }, shiftId: '100-2', onStale: 'resume' } as const;
    expect((await stage.run(again)).outcome).toMatchObject({ kind: 'promoted' });
    expect([stage.router.weights.green, second.weights.green]).toEqual([100, 100]);
  });
});
