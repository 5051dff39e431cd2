import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Duration, after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import {
  NOTHING_SEEN,
  type RolloutWatch,
  look,
  pollInterval,
  quietFor,
  spreadOf,
} from '../../../src/domain/ecs/rollout.ts';
import type { ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { NEW, OLD, deployment, service as steady } from './services.ts';

describe('looking again', () => {
  const rows = [
    { name: 'at first after 5 s', age: seconds(0), unreadable: 0, expected: seconds(5) },
    { name: 'from 20 s on after 5.7 s', age: seconds(20), unreadable: 0, expected: seconds(5.7) },
    { name: 'from 10 min on after 10 s', age: minutes(10), unreadable: 0, expected: seconds(10) },
    {
      name: 'after twice the time when a read was throttled',
      age: seconds(40),
      unreadable: 1,
      expected: seconds(11.4),
    },
    { name: 'after four times the time when two were', age: seconds(40), unreadable: 2, expected: seconds(22.8) },
    { name: 'after 40 s at most', age: minutes(10), unreadable: 5, expected: seconds(40) },
  ];
  test.each(rows)('is done $name', ({ age, unreadable, expected }) => {
    expect(pollInterval(age, unreadable, 1)).toBe(expected);
  });

  test('is spread by a few percent, the same for the same run', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(spreadOf(text)).toBeGreaterThanOrEqual(0.97);
        expect(spreadOf(text)).toBeLessThanOrEqual(1.03);
        expect(spreadOf(text)).toBe(spreadOf(text));
      }),
    );
    expect(new Set(['a/1', 'a/2', 'b/1', 'c/1'].map(spreadOf)).size).toBe(4);
  });
});

describe('while ECS bakes', () => {
  const began = instant(0);
  const start: RolloutWatch = {
    taskDefinition: NEW,
    deploymentId: 'ecs-svc/2',
    earlierDeployments: [],
    startedAt: began,
    deadline: after(began, minutes(60)),
    rollbackWithin: minutes(15),
    goesBackTo: OLD,
    memory: NOTHING_SEEN,
  };
  const service = steady({
    taskDefinition: NEW,
    strategy: 'BLUE_GREEN',
    pauses: { bake: minutes(5) },
    deployments: [deployment('ecs-svc/2', NEW)],
  });
  const at = (lifecycleStage: string): ServiceDeployment => ({
    arn: 'arn:sd/2',
    status: 'IN_PROGRESS',
    lifecycleStage,
  });
  const looksOf = (stages: readonly string[]): RolloutWatch =>
    stages.reduce(
      (watch, stage, index) =>
        look(watch, { service, serviceDeployment: at(stage) }, after(began, seconds(index * 10))).watch,
      start,
    );

  test('no success is expected until shortly before the end of the bake, counted from the look that saw it begin', () => {
    const watch = looksOf(['SCALE_UP', 'BAKE_TIME', 'BAKE_TIME']);
    expect(quietFor(watch, service, after(began, seconds(20)))).toBe(seconds(10 + 300 - 15 - 20));
    expect(quietFor(watch, service, after(began, seconds(300)))).toBeLessThan(0);
  });

  test.each([
    { name: 'before the bake', stages: ['SCALE_UP'] },
    { name: 'when the bake is left for another stage', stages: ['BAKE_TIME', 'CLEAN_UP'] },
  ])('one may come at any time $name', ({ stages }) => {
    expect(quietFor(looksOf(stages), service, began)).toBeUndefined();
  });

  const rows: readonly { name: string; quiet: Duration; unreadable: number; expected: Duration }[] = [
    { name: 'every 10 s', quiet: minutes(3), unreadable: 0, expected: seconds(10) },
    { name: 'as soon as the end may come', quiet: seconds(7), unreadable: 0, expected: seconds(7) },
    { name: 'as ever near the end', quiet: seconds(-4), unreadable: 0, expected: seconds(5.7) },
    { name: 'later when reads are throttled', quiet: minutes(3), unreadable: 1, expected: seconds(20) },
  ];
  test.each(rows)('it is looked at $name', ({ quiet, unreadable, expected }) => {
    expect(pollInterval(seconds(60), unreadable, 1, quiet)).toBe(expected);
  });
});
