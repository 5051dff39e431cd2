import { describe, expect, test } from '@jest/globals';
import type { NativeStrategy, ServiceDeployment, ServiceSpec } from '../../../sandbox/core/types.ts';
import { BALANCER, CLUSTER, FakeCloud, GROUP, percent, spec } from './fake-cloud.ts';

const GREEN = GROUP.replace('web/0123', 'green/0123');
const RULE = 'arn:aws:elasticloadbalancing:us-west-2:111111111111:listener-rule/app/web/1/2/3';
const TEST_RULE = `${RULE}-test`;
const MINUTE = 60_000;

interface More {
  readonly revision?: number;
  readonly alarms?: NonNullable<ServiceSpec['configuration']['alarms']>;
}

const native = (image: string, strategy: NativeStrategy, { revision = 1, alarms }: More = {}): ServiceSpec =>
  spec(image, {
    revision,
    configuration: {
      ...percent(100, 200, { enable: true, rollback: true }),
      strategy,
      ...(alarms === undefined ? {} : { alarms }),
    },
    loadBalancers: [
      {
        targetGroupArn: GROUP,
        containerName: 'web',
        containerPort: 80,
        swap: {
          alternateTargetGroupArn: GREEN,
          productionListenerRule: RULE,
          testListenerRule: TEST_RULE,
          roleArn: 'arn:aws:iam::111111111111:role/ecs',
        },
      },
    ],
  });

const BLUE_GREEN: NativeStrategy = { kind: 'BLUE_GREEN', bake: 5 * MINUTE };
const LINEAR: NativeStrategy = { kind: 'LINEAR', bake: MINUTE, share: 40, stepBake: 2 * MINUTE };
const CANARY: NativeStrategy = { kind: 'CANARY', bake: MINUTE, share: 5, stepBake: 3 * MINUTE };

/** A service that serves the first revision by the strategy already; both groups are in the rule. */
function serving(strategy: NativeStrategy): FakeCloud {
  const cloud = new FakeCloud().furnish();
  const group = cloud.state.targetGroups[GROUP];
  if (group === undefined) throw new Error('no group');
  cloud
    .send({
      kind: 'target-group-configured',
      targetGroupArn: GREEN,
      name: 'green',
      port: 80,
      healthCheck: group.healthCheck,
    })
    .send({ kind: 'target-group-attributes-set', targetGroupArn: GREEN, deregistrationDelay: 8_000 })
    .send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [GROUP, GREEN] });
  return cloud
    .send({ kind: 'service-created', cluster: CLUSTER, name: 'web', spec: native('good', strategy), tags: {} })
    .settle();
}

const record = (cloud: FakeCloud): ServiceDeployment => {
  const one = cloud.state.serviceDeployments[cloud.service.currentServiceDeployment ?? ''];
  if (one === undefined) throw new Error('no service deployment');
  return one;
};

/** Stages and weights in the order in which they were first seen. */
function story(cloud: FakeCloud): readonly string[] {
  const seen: string[] = [];
  cloud.watch(() => {
    const { native: progress } = record(cloud);
    const line = `${progress?.stage} ${progress?.test}/${progress?.production}`;
    if (seen.at(-1) !== line) seen.push(line);
  });
  return seen;
}

const shiftsOf = (cloud: FakeCloud, rule: string): readonly string[] =>
  cloud.effects.flatMap((effect) =>
    effect.kind === 'shift-traffic' && effect.ruleArn === rule
      ? [`${effect.weights[GROUP]}/${effect.weights[GREEN]}`]
      : [],
  );
const healthyIn = (cloud: FakeCloud, group: string): number =>
  Object.values(cloud.state.targetGroups[group]?.targets ?? {}).filter(({ state }) => state === 'healthy').length;

describe('a native strategy', () => {
  test('blue/green passes every stage, shifts once, bakes, and lets the old tasks go last', () => {
    const cloud = serving(BLUE_GREEN);
    const before = shiftsOf(cloud, RULE).length;
    const stages = story(cloud);
    cloud.deploy(native('good', BLUE_GREEN, { revision: 2 }));
    cloud.passUntil(() => record(cloud).native?.stage === 'BAKE_TIME');
    expect([healthyIn(cloud, GROUP), healthyIn(cloud, GREEN)]).toEqual([4, 4]);
    cloud.pass(4 * MINUTE);
    expect(record(cloud)).toMatchObject({ status: 'IN_PROGRESS', native: { stage: 'BAKE_TIME', production: 100 } });
    cloud.settle();
    expect(stages).toEqual([
      'RECONCILE_SERVICE 0/0',
      'PRE_SCALE_UP 0/0',
      'SCALE_UP 0/0',
      'POST_SCALE_UP 0/0',
      'TEST_TRAFFIC_SHIFT 100/0',
      'POST_TEST_TRAFFIC_SHIFT 100/0',
      'PRODUCTION_TRAFFIC_SHIFT 100/100',
      'POST_PRODUCTION_TRAFFIC_SHIFT 100/100',
      'BAKE_TIME 100/100',
      'CLEAN_UP 100/100',
    ]);
    expect(record(cloud).status).toBe('SUCCESSFUL');
    expect(shiftsOf(cloud, RULE).slice(before)).toEqual(['0/100']);
    expect(cloud.service.deployments).toHaveLength(1);
    expect([healthyIn(cloud, GROUP), healthyIn(cloud, GREEN)]).toEqual([0, 4]);
  });

  test('the next release comes to the group that is idle by then', () => {
    const cloud = serving(BLUE_GREEN);
    cloud.deploy(native('good', BLUE_GREEN, { revision: 2 })).settle();
    cloud.deploy(native('good', BLUE_GREEN, { revision: 3 })).settle();
    expect([healthyIn(cloud, GROUP), healthyIn(cloud, GREEN)]).toEqual([4, 0]);
    expect(shiftsOf(cloud, RULE).slice(-2)).toEqual(['0/100', '100/0']);
  });

  test.each([
    { name: 'linear', strategy: LINEAR, weights: ['60/40', '20/80', '0/100'], least: 5 * MINUTE },
    { name: 'canary', strategy: CANARY, weights: ['95/5', '0/100'], least: 4 * MINUTE },
  ])('$name takes its steps and waits between them', ({ strategy, weights, least }) => {
    const cloud = serving(strategy);
    const before = shiftsOf(cloud, RULE).length;
    const began = cloud.now;
    cloud.deploy(native('good', strategy, { revision: 2 })).settle();
    expect(shiftsOf(cloud, RULE).slice(before)).toEqual(weights);
    expect(cloud.now - began).toBeGreaterThan(least);
    expect(record(cloud).status).toBe('SUCCESSFUL');
  });

  test('a candidate that never becomes healthy stays at SCALE_UP without traffic, and is tried again and again', () => {
    const cloud = serving(LINEAR);
    const before = shiftsOf(cloud, RULE).length;
    cloud.deploy(native('crash', LINEAR, { revision: 2 })).pass(10 * MINUTE);
    expect(record(cloud)).toMatchObject({ status: 'IN_PROGRESS', native: { stage: 'SCALE_UP', production: 0 } });
    expect(cloud.service.deployments[0]?.failedTasks).toBeGreaterThan(10);
    expect(shiftsOf(cloud, RULE)).toHaveLength(before);
    expect(healthyIn(cloud, GROUP)).toBe(4);
  });

  test('StopServiceDeployment shifts back to the tasks that were kept', () => {
    const cloud = serving(LINEAR);
    cloud.deploy(native('good', LINEAR, { revision: 2 })).passUntil(() => record(cloud).native?.production === 80);
    cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn: record(cloud).arn });
    expect(record(cloud).status).toBe('ROLLBACK_REQUESTED');
    cloud.settle();
    expect(record(cloud)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL', native: { production: 0 } });
    expect(shiftsOf(cloud, RULE).at(-1)).toBe('100/0');
    expect(shiftsOf(cloud, TEST_RULE).at(-1)).toBe('100/0');
    expect([healthyIn(cloud, GROUP), healthyIn(cloud, GREEN)]).toEqual([4, 0]);
    expect(cloud.service.deployments[0]).toMatchObject({ status: 'PRIMARY' });
  });

  test('once the old tasks go, it cannot be stopped any more', () => {
    const cloud = serving(CANARY);
    cloud.deploy(native('good', CANARY, { revision: 2 })).passUntil(() => record(cloud).native?.stage === 'CLEAN_UP');
    cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn: record(cloud).arn }).settle();
    expect(record(cloud).status).toBe('SUCCESSFUL');
  });

  test('an alarm while it bakes rolls it back; one that was in ALARM before is not looked at', () => {
    const alarms = { names: ['errors', 'latency'], rollback: true };
    const cloud = serving(BLUE_GREEN).send({ kind: 'alarm-set', name: 'latency', alarm: 'ALARM' });
    cloud.deploy(native('good', BLUE_GREEN, { revision: 2, alarms }));
    cloud
      .passUntil(() => record(cloud).native?.stage === 'BAKE_TIME')
      .send({ kind: 'alarm-set', name: 'errors', alarm: 'ALARM' });
    cloud.settle();
    expect(record(cloud)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: 'Service deployment rolled back because of a CloudWatch alarm.',
      triggeredAlarms: ['errors'],
    });
    expect([healthyIn(cloud, GROUP), healthyIn(cloud, GREEN)]).toEqual([4, 0]);
  });
});

describe('deployment alarms of a rolling service', () => {
  const alarmed = (rollback: boolean, image: string, revision: number) =>
    spec(image, { revision, configuration: { ...percent(100, 200), alarms: { names: ['errors'], rollback } } });
  const rolling = (rollback: boolean): FakeCloud =>
    new FakeCloud()
      .furnish()
      .create(alarmed(rollback, 'good', 1))
      .settle();

  test('judge for a while after the tasks are steady', () => {
    const cloud = rolling(true)
      .deploy(alarmed(true, 'good', 2))
      .pass(30_000);
    expect(record(cloud).status).toBe('IN_PROGRESS');
    expect(cloud.service.deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'IN_PROGRESS' }]);
    cloud.settle();
    expect(record(cloud).status).toBe('SUCCESSFUL');
  });

  test.each([
    { rollback: true, status: 'ROLLBACK_SUCCESSFUL', serves: 1 },
    { rollback: false, status: 'STOPPED', serves: 2 },
  ])('with rollback $rollback an alarm ends it as $status', ({ rollback, status, serves }) => {
    const cloud = rolling(rollback)
      .deploy(alarmed(rollback, 'good', 2))
      .pass(30_000);
    cloud.send({ kind: 'alarm-set', name: 'errors', alarm: 'ALARM' }).pass(MINUTE);
    expect(record(cloud).status).toBe(status);
    expect(cloud.state.revisions[cloud.service.deployments[0]?.revisionArn ?? '']?.template.taskDefinitionArn).toMatch(
      new RegExp(`:${serves}$`),
    );
  });
});
