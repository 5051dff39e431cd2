import { describe, expect, test } from '@jest/globals';
import { type Duration, minutes } from '../../../src/domain/duration.ts';
import type { EcsService } from '../../../src/domain/ecs/service.ts';
import { judgedByRecord, movesTraffic, progressOf, tooSlow } from '../../../src/domain/ecs/strategy.ts';
import { service } from './services.ts';

describe('pauses of a strategy against the timeout', () => {
  const rows: readonly {
    readonly name: string;
    readonly given: Partial<EcsService>;
    readonly timeout: Duration;
    readonly says: string | undefined;
  }[] = [
    { name: 'a rolling update has none', given: {}, timeout: minutes(1), says: undefined },
    {
      name: 'the bake alone',
      given: { strategy: 'BLUE_GREEN', pauses: { bake: minutes(30) } },
      timeout: minutes(30),
      says: 'the strategy BLUE_GREEN of web pauses for 30m, and timeout is 30m',
    },
    {
      name: 'linear: one pause less than steps, then the bake',
      given: { strategy: 'LINEAR', pauses: { bake: minutes(5), share: 30, stepBake: minutes(10) } },
      timeout: minutes(35),
      says: 'the strategy LINEAR of web pauses for 35m, and timeout is 35m',
    },
    {
      name: 'linear within the limit',
      given: { strategy: 'LINEAR', pauses: { bake: minutes(5), share: 30, stepBake: minutes(10) } },
      timeout: minutes(36),
      says: undefined,
    },
    {
      name: 'canary: one pause, then the bake',
      given: { strategy: 'CANARY', pauses: { bake: minutes(5), share: 5, stepBake: minutes(10) } },
      timeout: minutes(15),
      says: 'the strategy CANARY of web pauses for 15m, and timeout is 15m',
    },
  ];
  test.each(rows)('$name', ({ given, timeout, says }) => {
    expect(tooSlow(service(given), timeout)).toBe(says);
  });
});

test('an absent strategy and ROLLING are the rolling update', () => {
  expect([{}, { strategy: 'ROLLING' }, { strategy: 'CANARY' }].map(movesTraffic)).toEqual([false, false, true]);
});

test('a record without stage and weights has no progress to show', () => {
  expect(progressOf({ arn: 'a', status: 'IN_PROGRESS' })).toBe('');
});

test('the list of deployments tells the end of a rolling service without alarms alone', () => {
  const alarms = { names: ['errors'], rollback: false };
  expect([{}, { alarms }, { strategy: 'LINEAR' }].map(judgedByRecord)).toEqual([false, true, true]);
});
