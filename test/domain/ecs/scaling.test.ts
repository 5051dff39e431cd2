import { describe, expect, test } from '@jest/globals';
import { minutes, instant } from '../../../src/domain/duration.ts';
import { sayLifetime } from '../../../src/domain/credential-lifetime.ts';
import { type ScalingLimits, decideScaling, describeLimits } from '../../../src/domain/ecs/scaling.ts';

const REF = { cluster: 'shop', service: 'web' };
const limits: ScalingLimits = { min: 2, max: 10, suspended: [] };

describe('a count and the limits of Application Auto Scaling', () => {
  const rows = [
    { name: 'no limits', given: undefined, desired: 50, onLimits: 'fail', is: { kind: 'free' } },
    { name: 'at the lower limit', given: limits, desired: 2, onLimits: 'fail', is: { kind: 'free' } },
    { name: 'at the upper limit', given: limits, desired: 10, onLimits: 'fail', is: { kind: 'free' } },
    { name: 'below, refused', given: limits, desired: 1, onLimits: 'fail', is: { kind: 'refuse' } },
    { name: 'above, refused', given: limits, desired: 11, onLimits: 'fail', is: { kind: 'refuse' } },
    { name: 'to 0, changed', given: limits, desired: 0, onLimits: 'change', is: { kind: 'change', min: 0, max: 10 } },
    { name: 'above, changed', given: limits, desired: 12, onLimits: 'change', is: { kind: 'change', min: 2, max: 12 } },
  ] as const;
  test.each(rows)('$name', ({ given, desired, onLimits, is }) => {
    expect(decideScaling(given, { ref: REF, desired, onLimits })).toMatchObject(is);
  });

  test('are told with what is suspended', () => {
    expect(describeLimits(limits)).toBe('Application Auto Scaling keeps it between 2 and 10 tasks');
    expect(describeLimits({ ...limits, suspended: ['scaling in', 'scheduled scaling'] })).toContain(
      'suspended: scaling in, scheduled scaling',
    );
  });
});

describe('what is said about the life of credentials', () => {
  const now = instant(Date.UTC(2026, 10, 20, 12));
  const ends = (left: number) => ({ kind: 'ends', at: instant(now + left) }) as const;
  test.each([
    { name: 'renewed ones', lifetime: { kind: 'renewed' } as const, level: 'info', has: 'are renewed' },
    { name: 'long enough', lifetime: ends(minutes(35)), level: 'info', has: 'in 35m; this run takes 35m at most' },
    { name: 'too short', lifetime: ends(minutes(34)), level: 'warning', has: 'in 34m, and this run may take 35m' },
  ])('$name', ({ lifetime, level, has }) => {
    expect(sayLifetime(lifetime, minutes(35), now)).toEqual({ level, line: expect.stringContaining(has) });
  });
  test('nothing where nothing is known', () => {
    expect(sayLifetime({ kind: 'unknown' }, minutes(35), now)).toBeUndefined();
  });
});
