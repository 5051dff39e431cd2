import { describe, expect, test } from '@jest/globals';
import { breakerThreshold } from '../../../sandbox/core/failures.ts';
import { bounds, isStuck, type Moves, pace, type Situation, type Tally } from '../../../sandbox/core/pacing.ts';

const none: Tally = { healthy: 0, warming: 0, unhealthy: 0 };
const idle: Moves = {
  start: 0,
  stopUnhealthy: 0,
  stopWarming: 0,
  stopHealthy: 0,
  stopOldUnfinished: 0,
  stopOldHealthy: 0,
};

const four = (minimumHealthyPercent: number, maximumPercent: number): Situation => ({
  desired: 4,
  ...bounds(4, { minimumHealthyPercent, maximumPercent }),
  primary: none,
  old: none,
  starts: 'allowed',
});

interface Row {
  readonly name: string;
  readonly now: Situation;
  readonly moves: Partial<Moves>;
}

const ROWS: readonly Row[] = [
  { name: '100/200, nothing new yet', now: { ...four(100, 200), old: { ...none, healthy: 4 } }, moves: { start: 4 } },
  {
    name: '100/200, two of the new are healthy',
    now: { ...four(100, 200), primary: { ...none, healthy: 2, warming: 2 }, old: { ...none, healthy: 4 } },
    moves: { stopOldHealthy: 2 },
  },
  {
    name: '100/150 starts in two batches',
    now: { ...four(100, 150), old: { ...none, healthy: 4 } },
    moves: { start: 2 },
  },
  {
    name: '50/100 makes room first',
    now: { ...four(50, 100), old: { ...none, healthy: 4 } },
    moves: { start: 2, stopOldHealthy: 2 },
  },
  {
    name: '0/100 replaces all at once',
    now: { ...four(0, 100), old: { ...none, healthy: 4 } },
    moves: { start: 4, stopOldHealthy: 4 },
  },
  { name: '100/100 cannot move', now: { ...four(100, 100), old: { ...none, healthy: 4 } }, moves: {} },
  {
    name: 'old tasks that were never healthy go at once',
    now: { ...four(100, 200), old: { healthy: 2, warming: 1, unhealthy: 1 } },
    moves: { start: 4, stopOldUnfinished: 2 },
  },
  {
    name: 'an unhealthy new task goes while old ones carry the service',
    now: { ...four(100, 200), primary: { ...none, unhealthy: 1, warming: 3 }, old: { ...none, healthy: 4 } },
    moves: { start: 1, stopUnhealthy: 1 },
  },
  {
    name: 'an unhealthy task of a service without spare is replaced first',
    now: { ...four(100, 200), primary: { ...none, healthy: 3, unhealthy: 1 } },
    moves: { start: 1 },
  },
  {
    name: 'and stopped when the replacement is healthy',
    now: { ...four(100, 200), primary: { ...none, healthy: 4, unhealthy: 1 } },
    moves: { stopUnhealthy: 1 },
  },
  {
    name: 'and one by one where the maximum leaves no room',
    now: { ...four(100, 100), primary: { ...none, healthy: 2, unhealthy: 2 } },
    moves: { start: 1, stopUnhealthy: 1 },
  },
  {
    name: 'a pause between tries starts nothing',
    now: { ...four(100, 200), old: { ...none, healthy: 4 }, starts: 'paused' },
    moves: {},
  },
  {
    name: 'a failed deployment starts nothing and takes nothing healthy away',
    now: {
      ...four(100, 200),
      primary: { healthy: 1, warming: 1, unhealthy: 1 },
      old: { ...none, healthy: 4 },
      starts: 'ended',
    },
    moves: { stopUnhealthy: 1 },
  },
  {
    name: 'scaling in takes those that are not ready first',
    now: { ...four(100, 200), primary: { ...none, healthy: 4, warming: 2 } },
    moves: { stopWarming: 2 },
  },
  {
    name: 'scaling in takes healthy ones for the rest',
    now: { ...four(100, 200), primary: { ...none, healthy: 5, warming: 1 } },
    moves: { stopWarming: 1, stopHealthy: 1 },
  },
];

describe('one round of the scheduler for four tasks', () => {
  test.each(ROWS)('$name', ({ now, moves }) => {
    expect(pace(now)).toEqual({ ...idle, ...moves });
  });
});

describe('bounds', () => {
  test.each([
    { name: 'rounds the minimum up', desired: 3, percent: [50, 200], minimum: 2, maximum: 6 },
    { name: 'rounds the maximum down', desired: 3, percent: [100, 150], minimum: 3, maximum: 4 },
    { name: 'is nothing for nothing', desired: 0, percent: [100, 200], minimum: 0, maximum: 0 },
  ])('$name', ({ desired, percent: [minimumHealthyPercent = 0, maximumPercent = 0], minimum, maximum }) => {
    expect(bounds(desired, { minimumHealthyPercent, maximumPercent })).toEqual({ minimum, maximum });
  });
});

test('a rollout is stuck when nothing may start and nothing may stop, and not while a task warms up', () => {
  const stuck = { ...four(100, 100), old: { ...none, healthy: 4 } };
  expect(isStuck(stuck)).toBe(true);
  expect(isStuck({ ...stuck, primary: { ...none, warming: 1 } })).toBe(false);
  expect(isStuck({ ...stuck, starts: 'paused' })).toBe(false);
});

describe('the threshold of the circuit breaker', () => {
  test.each([
    { name: 'is half of the desired count', type: 'BOUNDED_PERCENT', value: 50, desired: 20, threshold: 10 },
    { name: 'rounds up', type: 'BOUNDED_PERCENT', value: 50, desired: 7, threshold: 4 },
    { name: 'is at least 3', type: 'BOUNDED_PERCENT', value: 50, desired: 1, threshold: 3 },
    { name: 'is at most 200', type: 'BOUNDED_PERCENT', value: 50, desired: 1_000, threshold: 200 },
    { name: 'has no bounds when asked for', type: 'UNBOUNDED_PERCENT', value: 50, desired: 2, threshold: 1 },
    { name: 'is a plain count when asked for', type: 'COUNT', value: 7, desired: 100, threshold: 7 },
  ] as const)('$name', ({ type, value, desired, threshold }) => {
    const breaker = { enable: true, rollback: true, resetOnHealthyTask: true, threshold: { type, value } };
    expect(breakerThreshold(breaker, desired)).toBe(threshold);
  });
});
