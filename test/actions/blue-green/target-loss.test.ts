import { expect, test } from '@jest/globals';
import { policyOf } from './rehearsal.ts';
import { openStage } from './stage.ts';

// What the load balancer says of the candidate's targets, as the loop takes it for health.

const HEALTH = policyOf({ bake: '3m', recheck: 'none', rules: ['health fails 4 in a row', 'error-rate > 5% for 2m'] });

test.each([
  { autoscaling: 'suspend', total: 3, ends: 'rolled-back' },
  { autoscaling: 'leave', total: 3, ends: 'rolled-back' },
  { autoscaling: 'leave', total: 1, ends: 'promoted' },
] as const)('a candidate that keeps one healthy target of three, with $total registered, is $ends with autoscaling: $autoscaling', async ({ autoscaling, total, ends }) => {
  const stage = openStage();
  const { health } = stage.router.targets;
  stage.router.targets.health = async (color, ...call) => {
    const seen = await health(color, ...call);
    const isLess = color === 'green' && stage.router.weights.green > 10 && stage.journal.current()?.phase !== 'finishing';
    return isLess ? { ...seen, healthy: 1, total } : seen;
  };
  const { outcome } = await stage.run({ policy: HEALTH, autoscaling, minHealthy: 1 });
  expect(outcome.kind).toBe(ends);
}); // prettier-ignore
