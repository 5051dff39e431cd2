import { describe, expect, test } from '@jest/globals';
import { goalOf } from '../../../actions/blue-green/src/goal.ts';
import type { Request } from '../../../actions/blue-green/src/inputs.ts';
import { hours, milliseconds, minutes } from '../../../src/domain/duration.ts';
import { UNJUDGED } from '../../../src/domain/policy/policy.ts';
import { policyOf } from './rehearsal.ts';

describe('the drain', () => {
  const request = {
    mode: 'run',
    drain: minutes(5),
    timeout: minutes(15),
    oldDesired: 0,
    minHealthy: 'desired',
    onStale: 'rollback',
    shiftId: undefined,
    routes: [{ kind: 'alb' }],
  } as unknown as Request;
  const parts = { me: { id: '1', attempt: 1 }, images: 'a', policy: UNJUDGED, gates: [], checks: undefined };

  test.each([
    { name: 'is as long as asked for', lingers: milliseconds(0), drain: minutes(5) },
    { name: 'is as long as clients are kept on their color', lingers: minutes(20), drain: minutes(20) },
  ])('$name', ({ lingers, drain }) => {
    expect(goalOf(request, { ...parts, lingers }).drain).toBe(drain);
  });

  test('is refused when clients are kept longer than anybody waits', () => {
    expect(() => goalOf(request, { ...parts, lingers: hours(24) })).toThrow(
      'the rule keeps clients on their color for 1d (stickiness)',
    );
  });

  test('of a day is waited for when that is asked for, and only then: requests that stop say nothing of idle clients', () => {
    const policy = policyOf({
      rules: ['error-rate > 5% for 2m'],
      metrics: { requests: { from: 'web', url: 'http://m/{color}', value: '$.v' } },
    });
    const long = { ...parts, policy, lingers: hours(24) };
    expect(() => goalOf(request, long)).toThrow('or set drain to 1d');
    expect(goalOf({ ...request, drain: hours(24) }, long).drain).toBe(hours(24));
  });
});
