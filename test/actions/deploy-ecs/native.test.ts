import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeRulesCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { StackSpec } from '../../../sandbox/world.ts';
import { cancelAsRunner, freezeDuring, kill, mainOnly, mainThenPost, onceItSays } from '../../harness/interrupt.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

type Native = NonNullable<StackSpec['native']>;

const BLUE_GREEN: Native = { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 };
const LINEAR: Native = {
  strategy: 'LINEAR',
  bakeTimeInMinutes: 3,
  linearConfiguration: { stepPercent: 40, stepBakeTimeInMinutes: 2 },
};
const CANARY: Native = {
  strategy: 'CANARY',
  bakeTimeInMinutes: 3,
  canaryConfiguration: { canaryPercent: 5, canaryBakeTimeInMinutes: 4 },
};

// A world and a process a test, on machines with two busy cores.
jest.setTimeout(150_000);

const closing: { destroy(): void }[] = [];
const opened = <T extends { destroy(): void }>(client: T): T => {
  closing.push(client);
  return client;
};

/** Weights of the rule: of the group that served first, and of the other. */
async function weights({ world, stacked }: Scene): Promise<readonly (number | undefined)[]> {
  const elb = opened(new ElasticLoadBalancingV2Client(world.client()));
  const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
  return (Rules[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? []).map(({ Weight }) => Weight);
}

async function alarm({ world }: Scene, name: string, state: 'OK' | 'ALARM'): Promise<void> {
  const watch = opened(new CloudWatchClient(world.client()));
  await watch.send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 1,
      MetricName: 'errors',
      Namespace: 'shop',
      Period: 60,
      Statistic: 'Sum',
      Threshold: 1,
    }),
  );
  await watch.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: state, StateReason: 'test' }));
}

needs('sandbox')('deploy-ecs to a service whose traffic ECS moves itself', () => {
  const cloud = aCloud('lock-step');
  afterAll(() => {
    for (const client of closing) client.destroy();
  });

  describe('watches a good release to the end of its bake', () => {
    test.each([
      { native: BLUE_GREEN, said: ['BAKE_TIME, 100% of the traffic'] },
      {
        native: LINEAR,
        said: ['SHIFT, 40% of the traffic', 'SHIFT, 80% of the traffic', 'BAKE_TIME, 100% of the traffic'],
      },
      { native: CANARY, said: ['PRODUCTION_TRAFFIC_SHIFT, 5% of the traffic', 'BAKE_TIME, 100% of the traffic'] },
    ])('$native.strategy: stages and weights are printed as they appear', async ({ native, said }) => {
      const stage = await scene(cloud(), { native });
      const began = stage.world.now();
      const result = await runBundle(stage.step());
      expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
      const places = said.map((text) => result.stdout.indexOf(text));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(Math.min(...places)).toBeGreaterThan(0);
      expect(stage.world.now() - began).toBeGreaterThan((native.bakeTimeInMinutes ?? 0) * 60_000);
      expect(await weights(stage)).toEqual([0, 100]);
      expect(await stage.truth()).toEqual({ image: stage.images.good, running: 2, desired: 2, phase: 'done' });
    });
  });

  test('a candidate that never starts gets no traffic: stopped by ECS, and nothing else is written', async () => {
    const stage = await scene(cloud(), { native: LINEAR });
    const result = await runBundle(stage.step({ image: stage.images.crash }));
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(result.stdout).toContain('no circuit breaker is known to end the strategy LINEAR');
    expect(stage.writes().filter((operation) => operation === 'StopServiceDeployment')).toHaveLength(1);
    expect(stage.writes().filter((operation) => operation === 'UpdateService')).toHaveLength(1);
    expect(await weights(stage)).toEqual([100, 0]);
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2, phase: 'rolled-back' });
  });

  test('an alarm that goes off between two steps: ECS goes back, and the step is red with the name of the alarm', async () => {
    const stage = await scene(cloud(), { native: CANARY, alarms: ['shop-errors'] });
    await alarm(stage, 'shop-errors', 'OK');
    const result = await mainOnly(
      stage.step(),
      onceItSays(
        /SHIFT, 5%/,
        freezeDuring(() => alarm(stage, 'shop-errors', 'ALARM')),
      ),
    );
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(result.stdout).toContain('rolled back because of a CloudWatch alarm');
    expect(result.stdout).toContain('shop-errors');
    expect(stage.writes()).not.toContain('StopServiceDeployment');
    expect(await weights(stage)).toEqual([100, 0]);
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
  });

  test('cancelled half-way: one call tells ECS to go back, and post sees the traffic back', async () => {
    const stage = await scene(cloud(), { native: LINEAR });
    const { main, post } = await mainThenPost(stage.step(), onceItSays(/SHIFT, 40%/, cancelAsRunner({ scale: 0.1 })));
    expect(main.outputs['outcome']).toBe('cancelled');
    expect(post).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(await weights(stage)).toEqual([100, 0]);
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2, phase: 'rolled-back' });
  });

  test('bad checks after the end: the way back is an update, and it is confirmed when the traffic is back', async () => {
    const stage = await scene(cloud(), { native: BLUE_GREEN });
    const began = stage.world.now();
    const files = { 'checks.yml': 'version: 1\nchecks:\n  - { name: gone, get: /gone, expect: { status: 200 } }\n' };
    const result = await runBundle(stage.step({ checks: 'checks.yml', url: stage.stacked.url }, { files }));
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(result.stdout).toContain('run staging-wesign-charts-task:1 again and have the traffic');
    expect(stage.writes().filter((operation) => operation === 'UpdateService')).toHaveLength(2);
    // Two bakes of five minutes: that of the release, and that of the way back.
    expect(stage.world.now() - began).toBeGreaterThan(10 * 60_000);
    expect(await weights(stage)).toEqual([100, 0]);
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2, phase: 'rolled-back' });
  });

  test('killed with its runner half-way: ECS goes on, and the next run follows the same deployment', async () => {
    const stage = await scene(cloud(), { native: LINEAR });
    await mainOnly(stage.step(), onceItSays(/SHIFT, 40%/, kill));
    const again = await runBundle(stage.step());
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(again.stdout).toContain('following that deployment');
    expect(stage.writes().filter((operation) => operation === 'UpdateService')).toHaveLength(1);
    expect(await weights(stage)).toEqual([0, 100]);
  });

  test.each(['ecs:DescribeServiceDeployments', 'ecs:DescribeServiceRevisions'])(
    'a role without %s is refused before anything is written: nothing else would tell the end',
    async (operation) => {
      const stage = await scene(cloud(), { native: BLUE_GREEN });
      stage.world.faults.add({ operation, kind: 'access-denied', times: 1_000 });
      const result = await runBundle(stage.step());
      expect(result.exitCode).toBe(1);
      const said = result.annotations.at(-1)?.message;
      expect(said).toContain(
        `access denied for ${operation}, and with the strategy BLUE_GREEN ECS's record of a deployment alone tells how it ended`,
      );
      expect(said).toContain(`Grant ${operation}`);
      expect(stage.writes()).toEqual([]);
    },
  );

  test('a role that loses the right while it waits ends red at once and calls nothing a success', async () => {
    const stage = await scene(cloud(), { native: BLUE_GREEN });
    const operation = 'ecs:DescribeServiceDeployments';
    const result = await mainOnly(
      stage.step(),
      onceItSays(
        /BAKE_TIME/,
        freezeDuring(() => {
          stage.world.faults.add({ operation, kind: 'access-denied', times: 1_000 });
          return Promise.resolve();
        }),
      ),
    );
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(result.stdout).toContain(`access denied for ${operation}`);
    expect(result.stdout).toContain('this run does not follow it any more');
    expect(await stage.truth()).toMatchObject({ image: stage.images.good, phase: 'deploying' });
  });

  test('a strategy that pauses for longer than the timeout is refused before anything is written', async () => {
    const stage = await scene(cloud(), { native: LINEAR });
    const result = await runBundle(stage.step({ timeout: '5m' }));
    expect(result.exitCode).toBe(1);
    expect(result.annotations.at(-1)?.message).toContain(
      'the strategy LINEAR of staging-wesign-charts-service pauses for 7m, and timeout is 5m',
    );
    expect(stage.writes()).toEqual([]);
  });

  test('a rolling service with alarms: ECS judges on after the tasks are steady, and so does the step', async () => {
    const stage = await scene(cloud(), { alarms: ['shop-errors'] });
    await alarm(stage, 'shop-errors', 'OK');
    const result = await mainOnly(
      stage.step(),
      onceItSays(
        /2 of 2 running, 0 pending/,
        freezeDuring(() => alarm(stage, 'shop-errors', 'ALARM')),
      ),
    );
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
  });
});
