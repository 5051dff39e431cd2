import {
  CreateTargetGroupCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateServiceCommand, DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { taggedColor } from '../../../src/domain/shift/live-color.ts';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { blueIsLive, goalOf, healthyRelease, rehearse } from './rehearsal.ts';
import { type Scene, POLICY, scene } from './scene.ts';

// Blue and green beside one service with one target group, as the README describes it: for one release the existing service
// stands for a color, then the second color gets a service of its own.

describe('adoption beside a single service', () => {
  let cloud: Cloud;
  let stage: Scene;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'lock-step' });
    stage = await scene(cloud);
  }, 60_000);
  afterAll(() => cloud?.stop());

  test('takes two releases and one change of two names; the existing target group stays in the rule at weight 0', async () => {
    // What is called blue here is the single service of today: it is live, and green is new and empty.
    const { cluster, loadBalancerName: listener, services } = stage.stacked;
    const green = services['green']?.targetGroupName;
    const routerOf = (blue: string | undefined): string =>
      JSON.stringify({ alb: { listener, port: 80, rule: 10 }, colors: { blue, green } });
    await onlyBlue(stage);
    const files = { 'policy.yml': stringify({ ...POLICY, steps: ['100%'], bake: '30s' }) };
    const first = await runBundle(stage.step({ checks: '', router: routerOf(services['blue']?.targetGroupName) }, { files }));
    expect(first.outputs).toMatchObject({ outcome: 'promoted', 'stable-color': 'blue', 'candidate-color': 'green' });
    const made = await secondColor(stage);
    const names = {
      services: JSON.stringify({ blue: made.service, green: services['green']?.name }),
      router: routerOf(made.targetGroup),
    };
    const second = await runBundle(
      stage.step({ cluster, ...names, checks: '', image: stage.images.other }, { files, env: { GITHUB_RUN_ID: '77' } }),
    );
    expect(JSON.stringify(second.annotations)).toBe('[]');
    expect(second.outputs).toMatchObject({ outcome: 'promoted', 'stable-color': 'green', 'candidate-color': 'blue' });
    const weights = await weightsOf(stage);
    expect(weights).toEqual({ [made.targetGroup]: 100, [services['green']?.targetGroupName ?? '']: 0, [services['blue']?.targetGroupName ?? '']: 0 });
  }, 300_000); // prettier-ignore
});

/** As it is before: the rule forwards to one target group and knows no weights. */
async function onlyBlue({ world, stacked }: Scene): Promise<void> {
  const elb = new ElasticLoadBalancingV2Client(world.client());
  const Actions = [{ Type: 'forward' as const, TargetGroupArn: stacked.services['blue']?.targetGroupArn }];
  await elb.send(new ModifyRuleCommand({ RuleArn: stacked.ruleArn, Actions }));
  elb.destroy();
}

/** The color that was missing: a target group, which a rule names so that it can turn healthy, and an empty service behind it. */
async function secondColor({ world, stacked }: Scene): Promise<{ readonly service: string; readonly targetGroup: string }> {
  const [elb, ecs] = [new ElasticLoadBalancingV2Client(world.client()), new ECSClient(world.client())];
  const targetGroup = 'shop-second';
  const like = (await elb.send(new DescribeTargetGroupsCommand({ Names: [stacked.services['green']?.targetGroupName ?? ''] }))).TargetGroups?.[0];
  const group = await elb.send(new CreateTargetGroupCommand({ Name: targetGroup, Protocol: 'HTTP', Port: like?.Port, VpcId: like?.VpcId, TargetType: 'ip', HealthCheckPath: like?.HealthCheckPath, HealthCheckIntervalSeconds: like?.HealthCheckIntervalSeconds }));
  const targetGroupArn = group.TargetGroups?.[0]?.TargetGroupArn;
  const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn: stacked.listenerArn }));
  const header = Rules.find(({ Priority }) => Priority === '1');
  await elb.send(new ModifyRuleCommand({ RuleArn: header?.RuleArn, Actions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }] }));
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster: stacked.cluster, services: [stacked.services['green']?.name ?? ''] }));
  const [green] = services;
  const service = 'shop-second-service';
  await ecs.send(
    new CreateServiceCommand({
      cluster: stacked.cluster,
      serviceName: service,
      taskDefinition: green?.taskDefinition,
      desiredCount: 0,
      launchType: 'FARGATE',
      networkConfiguration: green?.networkConfiguration,
      loadBalancers: green?.loadBalancers?.map((each) => ({ ...each, targetGroupArn })),
      deploymentConfiguration: green?.deploymentConfiguration,
    }),
  );
  elb.destroy();
  ecs.destroy();
  return { service, targetGroup };
} // prettier-ignore

async function weightsOf({ world, stacked }: Scene): Promise<Readonly<Record<string, number>>> {
  const elb = new ElasticLoadBalancingV2Client(world.client());
  const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
  elb.destroy();
  const tuples = Rules[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
  return Object.fromEntries(tuples.map(({ TargetGroupArn = '', Weight = -1 }) => [TargetGroupArn.split('/')[1], Weight]));
} // prettier-ignore

describe('the tag of a service that names the live color', () => {
  test.each([
    { name: 'of one service', tags: [{ DeploymentColor: 'Green' }, {}], color: 'green' },
    { name: 'of both, which agree', tags: [{ DeploymentColor: 'blue' }, { DeploymentColor: 'blue' }], color: 'blue' },
    {
      name: 'of both, which contradict each other',
      tags: [{ DeploymentColor: 'blue' }, { DeploymentColor: 'green' }],
      color: undefined,
    },
    { name: 'that names no color', tags: [{ DeploymentColor: 'red' }], color: undefined },
    { name: 'that is not there', tags: [{ Team: 'blue' }], color: undefined },
  ])('$name', ({ tags, color }) => {
    expect(taggedColor(tags, 'DeploymentColor')).toBe(color);
  });

  test('does not outvote the weights, and that it contradicts them is said', () => {
    const { outcome, said } = rehearse(goalOf(), { ...blueIsLive(), tagged: 'green' }, healthyRelease);
    expect(outcome).toMatchObject({ kind: 'promoted', record: { stable: 'blue' } });
    expect(said.join()).toContain(
      'the tag DeploymentColor says that green is live, but the weights say blue, and they decide',
    );
  });

  test('decides where the weights cannot tell: all traffic goes there first, then the release begins', () => {
    const split = {
      ...blueIsLive(),
      live: splitGiving('green', 30),
      healthy: { blue: 3, green: 3 },
      desired: { blue: 3, green: 3 },
    };
    const { outcome, said } = rehearse(goalOf(), { ...split, tagged: 'blue' }, healthyRelease);
    expect(outcome).toMatchObject({ kind: 'promoted', record: { stable: 'blue', candidate: 'green' } });
    expect(said[0]).toContain('green had weight 30 and the tag DeploymentColor says blue: all traffic goes to blue');
    expect(rehearse(goalOf(), split, healthyRelease).outcome).toMatchObject({ kind: 'refused' });
  });

  test('does not send users to a color without a healthy target', () => {
    const split = {
      ...blueIsLive(),
      live: splitGiving('green', 30),
      healthy: { blue: 3, green: 0 },
      tagged: 'green',
    } as const;
    expect(
      rehearse(goalOf(), { ...split, healthy: { ...split.healthy }, desired: { blue: 3, green: 0 } }, healthyRelease)
        .outcome,
    ).toMatchObject({ kind: 'refused' });
  });
});
