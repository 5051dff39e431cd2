import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../../src/domain/duration.ts';
import { scaleDurations } from '../../../sandbox/rehearse/scale.ts';

const scaling = { divisor: 20, floor: seconds(1) };

describe('durations of a rehearsal', () => {
  test('waits and holds are divided, and every change is listed with its path', () => {
    const { value, changes } = scaleDurations(
      { bake: '5m', rules: [{ fail: 'error-rate > 5% for 2m' }], recheck: { after: '30s' } },
      scaling,
    );
    expect(value).toEqual({ bake: '15s', rules: [{ fail: 'error-rate > 5% for 6s' }], recheck: { after: '2s' } });
    expect(changes.map((change) => change.path)).toEqual(['bake', 'rules[0].fail', 'recheck.after']);
  });

  test.each([
    ['a limit in milliseconds', { rules: [{ fail: 'p95 > 2000ms' }] }],
    ['a count in a row', { rules: [{ fail: 'health fails 4 in a row' }] }],
    ['the timeout of a request', { defaults: { timeout: '10s' } }],
    ['a limit on a response time', { expect: { duration: '2s' } }],
    ['the deadline of the run', { deadline: '30m' }],
    ['text that only looks like a duration', { name: 'wait for it' }],
    ['numbers and nothing', { count: 30, none: null }],
  ])('%s stays as it is', (_name, value) => {
    expect(scaleDurations(value, scaling)).toEqual({ value, changes: [] });
  });

  test('silence is waited for longer than the rest: a busy machine shows nothing for seconds', () => {
    expect(scaleDurations({ 'no-data-timeout': '2m' }, scaling).value).toEqual({ 'no-data-timeout': '15s' });
  });

  test('nothing becomes shorter than the floor, and what is shorter already stays', () => {
    expect(scaleDurations({ interval: '15s', every: '500ms' }, scaling).value).toEqual({
      interval: '1s',
      every: '500ms',
    });
  });
});
