import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { healthOf } from '../../../src/adapters/traffic/alb-targets.ts';
import { minutes } from '../../../src/domain/duration.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { scene } from './scene.ts';
import { openStage } from './stage.ts';

// A target group may hold more than the tasks that a release brought: only these say whether it is ready.

describe('over the ports', () => {
  test('a candidate whose healthy targets belong to others gets no traffic', async () => {
    const stage = openStage();
    stage.router.targets.health = async (color, _, own) =>
      color === 'green' && own !== undefined
        ? { healthy: 1, total: 3, reasons: ['2 initial', '4 healthy, but of other tasks'] }
        : { healthy: 4, total: 4, reasons: [] };
    const { outcome } = await stage.run({ minHealthy: 2 });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: 'green has 1 of 2 healthy targets (2 initial, 4 healthy, but of other tasks)' },
    });
    expect(stage.router.writes).toEqual(['apply blue 100 / green 0']);
  });

  test('a candidate that is released gets none where its tasks cannot be read', async () => {
    const stage = openStage();
    stage.ecs.fail('placesOf', 'access-denied');
    await expect(stage.run()).rejects.toThrow(CloudFailure);
    expect(stage.router.weights).toEqual({ blue: 100, green: 0 });
  });

  test('a candidate that an earlier job prepared gets none, either', async () => {
    const stage = openStage();
    await stage.run({ mode: 'prepare' });
    stage.ecs.fail('placesOf', 'access-denied');
    await expect(stage.run({ mode: 'shift' })).rejects.toThrow(CloudFailure);
    expect(stage.router.weights).toEqual({ blue: 100, green: 0 });
  });

  test('an earlier preparation that has lost its tasks is taken back', async () => {
    const stage = openStage();
    await stage.run({ mode: 'prepare' });
    stage.ecs.placesOf = () => Promise.resolve([]);
    const { outcome } = await stage.run({ mode: 'shift' });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: 'green has 0 of 2 healthy targets (shop-green has no running task of its deployment)' },
    });
  });

  test('nobody asks for tasks where somebody else deploys, or where nobody waits for them', async () => {
    const stage = openStage();
    const reads = () => stage.ecs.calls.filter((call) => call === 'placesOf').length;
    await stage.run({ mode: 'prepare' });
    expect(reads()).toBe(1);
    // Before it is scaled down: none of its tasks may serve under the live color.
    await stage.run({ mode: 'rollback' });
    expect(reads()).toBe(2);
    stage.router.targets.health = async () => ({ healthy: 3, total: 3, reasons: [] });
    await stage.run({ mode: 'prepare', deploy: 'none', prepareWithin: minutes(1) });
    expect(reads()).toBe(2);
  });
});

test('a port of an instance is told from another port of the same one', () => {
  const target = (Port: number, State: 'healthy' | 'initial') => ({
    Target: { Id: 'i-1', Port },
    TargetHealth: { State },
  });
  const described = [target(32768, 'healthy'), target(32769, 'healthy'), target(32770, 'initial')];
  const own = [
    { instance: 'i-1', port: 32768 },
    { instance: 'i-1', port: 32770 },
    { instance: 'i-2', port: 32769 },
  ];
  expect(healthOf(described, own)).toEqual({
    healthy: 1,
    total: 2,
    members: ['i-1:32768'],
    reasons: ['1 initial', '1 healthy, but of other tasks'],
  });
});

describe('over the wire', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'lock-step' });
  }, 60_000);
  afterAll(() => cloud?.stop());

  test('healthy targets that somebody else registered do not let a release in that has too few of its own', async () => {
    const stage = await scene(cloud);
    const elb = new ElasticLoadBalancingV2Client(stage.world.client());
    const { blue, green } = stage.stacked.services;
    const live = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: blue?.targetGroupArn }));
    const Targets = (live.TargetHealthDescriptions ?? []).map(({ Target }) => Target ?? { Id: undefined });
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn: green?.targetGroupArn, Targets }));
    elb.destroy();
    const result = await runBundle(stage.step({ 'min-healthy-targets': '2', 'desired-count': '1', timeout: '2m' }));
    expect(result.outputs).toMatchObject({ outcome: 'candidate-failed' });
    expect(JSON.stringify(result.annotations)).toContain(
      'green has 1 of 2 healthy targets (2 healthy, but of other tasks)',
    );
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 } });
    expect(stage.writes('action')).not.toContain('ModifyRule');
    await stage.world.close();
  }, 120_000);
});
