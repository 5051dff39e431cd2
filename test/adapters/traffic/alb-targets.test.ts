import { describe, expect, test } from '@jest/globals';
import { healthOf, uncheckedNotices } from '../../../src/adapters/traffic/alb-targets.ts';

describe('targets that nobody checks, as Lambda functions are by default', () => {
  test('count as healthy: nothing says that they do not serve', () => {
    const TargetHealth = { State: 'unavailable', Reason: 'Target.HealthCheckDisabled' } as const;
    expect(healthOf([{ Target: { Id: 'arn:aws:lambda:us-west-2:1:function:shop' }, TargetHealth }])).toMatchObject({
      healthy: 1,
      total: 1,
      reasons: [],
    });
  });

  test('are told, once for each group, and no others are', () => {
    const groups = [
      { TargetGroupName: 'shop-blue', HealthCheckEnabled: true },
      { TargetGroupName: 'shop-green', HealthCheckEnabled: false },
    ];
    expect(uncheckedNotices(groups)).toEqual([
      expect.stringMatching(/^The health check of target group shop-green is off: its targets count as healthy/),
    ]);
  });

  test('are not those that are unavailable for another reason', () => {
    const TargetHealth = { State: 'unavailable', Reason: 'Elb.InternalError' } as const;
    expect(healthOf([{ Target: { Id: 'a', Port: 80 }, TargetHealth }])).toMatchObject({ healthy: 0, total: 1 });
  });
});
