import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  DeleteListenerCommand,
  DeleteTargetGroupCommand,
  DescribeListenersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  ModifyListenerCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  RemoveTagsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { aCloud } from '../front/a-cloud.ts';
import { aLoadBalancer, aTargetGroup, type Fixture, split } from './a-load-balancer.ts';

const cloud = aCloud('real');
let elb: ElasticLoadBalancingV2Client;
let made: Fixture;

beforeEach(async () => {
  const world = await cloud().createWorld();
  elb = new ElasticLoadBalancingV2Client(world.client());
  made = await aLoadBalancer(world, elb);
}, 60_000);

const groupsShown = async (arn: string) => {
  const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
  return TargetGroups?.[0];
};

describe('what Elastic Load Balancing shows', () => {
  test('a forward to one group comes back in both forms, in the answer of the write and in reads', async () => {
    const Actions = [{ Type: 'forward', TargetGroupArn: made.green }] as const;
    const written = await elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions: [...Actions] }));
    const read = await elb.send(new DescribeRulesCommand({ ListenerArn: made.listener }));
    const both = {
      Type: 'forward',
      TargetGroupArn: made.green,
      ForwardConfig: {
        TargetGroups: [{ TargetGroupArn: made.green, Weight: 1 }],
        TargetGroupStickinessConfig: { Enabled: false },
      },
    };
    expect(written.Rules?.[0]?.Actions).toEqual([both]);
    expect(read.Rules?.[0]?.Actions).toEqual([both]);
  });

  test('a forward to two groups has no single group, and keeps its stickiness', async () => {
    const action = split(made.blue, made.green, 30);
    const stickiness = { Enabled: true, DurationSeconds: 60 };
    await elb.send(
      new ModifyRuleCommand({
        RuleArn: made.rule,
        Actions: [{ ...action, ForwardConfig: { ...action.ForwardConfig, TargetGroupStickinessConfig: stickiness } }],
      }),
    );
    const { Rules } = await elb.send(new DescribeRulesCommand({ RuleArns: [made.rule] }));
    expect(Rules?.[0]?.Actions?.[0]?.TargetGroupArn).toBeUndefined();
    expect(Rules?.[0]?.Actions?.[0]?.ForwardConfig).toEqual({
      TargetGroups: [
        { TargetGroupArn: made.blue, Weight: 30 },
        { TargetGroupArn: made.green, Weight: 70 },
      ],
      TargetGroupStickinessConfig: stickiness,
    });
  });

  test('the default rule follows the default actions of its listener', async () => {
    await elb.send(
      new ModifyListenerCommand({ ListenerArn: made.listener, DefaultActions: [split(made.blue, made.green, 60)] }),
    );
    const { Listeners } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: made.loadBalancer }));
    const { Rules } = await elb.send(new DescribeRulesCommand({ ListenerArn: made.listener }));
    const last = Rules?.at(-1);
    expect(last).toMatchObject({ IsDefault: true, Priority: 'default' });
    expect(last?.Actions).toEqual(Listeners?.[0]?.DefaultActions);
    expect(last?.Actions?.[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight)).toEqual([60, 40]);
  });

  test('rules come in the order of their priorities', async () => {
    for (const Priority of [30, 2, 20]) {
      await elb.send(
        new CreateRuleCommand({
          ListenerArn: made.listener,
          Priority,
          Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: [`h${Priority}.example`] } }],
          Actions: [split(made.blue, made.green, 50)],
        }),
      );
    }
    const { Rules } = await elb.send(new DescribeRulesCommand({ ListenerArn: made.listener }));
    expect(Rules?.map(({ Priority }) => Priority)).toEqual(['2', '10', '20', '30', 'default']);
  });

  test('pages hold PageSize entries and the last has no marker', async () => {
    await aTargetGroup(elb, { Name: 'third', VpcId: made.vpc });
    const first = await elb.send(new DescribeTargetGroupsCommand({ PageSize: 2 }));
    const second = await elb.send(new DescribeTargetGroupsCommand({ PageSize: 2, Marker: first.NextMarker ?? '' }));
    expect(first.TargetGroups?.map(({ TargetGroupName }) => TargetGroupName)).toEqual(['blue', 'green']);
    expect(second.TargetGroups?.map(({ TargetGroupName }) => TargetGroupName)).toEqual(['third']);
    expect(second.NextMarker).toBeUndefined();
  });

  test('a group names each load balancer that uses it once, and none after the last rule let it go', async () => {
    const inUse = await groupsShown(made.green);
    await elb.send(
      new ModifyListenerCommand({ ListenerArn: made.listener, DefaultActions: [split(made.blue, made.green, 50)] }),
    );
    const twice = await groupsShown(made.green);
    await elb.send(new DeleteListenerCommand({ ListenerArn: made.listener }));
    const free = await groupsShown(made.green);
    expect(inUse?.LoadBalancerArns).toEqual([made.loadBalancer]);
    expect(twice?.LoadBalancerArns).toEqual([made.loadBalancer]);
    expect(free?.LoadBalancerArns).toEqual([]);
    await expect(elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: made.green }))).resolves.toBeDefined();
  });

  test('a group that a rule takes up later names its load balancer too', async () => {
    const third = await aTargetGroup(elb, { Name: 'third', VpcId: made.vpc });
    await elb.send(
      new ModifyRuleCommand({ RuleArn: made.rule, Actions: [{ Type: 'forward', TargetGroupArn: third }] }),
    );
    expect((await groupsShown(third))?.LoadBalancerArns).toEqual([made.loadBalancer]);
    expect((await groupsShown(made.blue))?.LoadBalancerArns).toEqual([]);
  });

  test('creating the same again gives what is there', async () => {
    const again = await elb.send(new CreateLoadBalancerCommand({ Name: 'web', Subnets: made.subnets.slice(0, 2) }));
    const group = await aTargetGroup(elb, { Name: 'blue', VpcId: made.vpc });
    const listener = await elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: made.loadBalancer,
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
      }),
    );
    expect(again.LoadBalancers?.[0]?.LoadBalancerArn).toBe(made.loadBalancer);
    expect(group).toBe(made.blue);
    expect(listener.Listeners?.[0]?.ListenerArn).toBe(made.listener);
  });

  test('attributes are kept', async () => {
    const delay = { Key: 'deregistration_delay.timeout_seconds', Value: '17' };
    await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: made.blue, Attributes: [delay] }));
    const { Attributes } = await elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: made.blue }));
    expect(Attributes).toContainEqual(delay);
  });
});

describe('tags', () => {
  const tagsOf = async (arn: string): Promise<Record<string, string>> => {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ ResourceArns: [arn] }));
    return Object.fromEntries((TagDescriptions?.[0]?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  };

  test.each<[name: string, pick: (made: Fixture) => string]>([
    ['a rule', ({ rule }) => rule],
    ['a listener', ({ listener }) => listener],
    ['a target group', ({ blue }) => blue],
    ['a load balancer', ({ loadBalancer }) => loadBalancer],
  ])('of %s are added, replaced and removed one by one', async (_name, pick) => {
    const arn = pick(made);
    const first = Array.from({ length: 12 }, (_, index) => ({ Key: `sluice:k${index}`, Value: `${index}` }));
    await elb.send(new AddTagsCommand({ ResourceArns: [arn], Tags: first }));
    await elb.send(new AddTagsCommand({ ResourceArns: [arn], Tags: [{ Key: 'sluice:k0', Value: 'new' }] }));
    await elb.send(new RemoveTagsCommand({ ResourceArns: [arn], TagKeys: ['sluice:k1'] }));
    const tags = await tagsOf(arn);
    expect(tags).toMatchObject({ 'sluice:k0': 'new', 'sluice:k11': '11' });
    expect(Object.keys(tags)).toHaveLength(11);
  });

  test('of a default rule are kept, and stay when its listener changes', async () => {
    const { Rules } = await elb.send(new DescribeRulesCommand({ ListenerArn: made.listener }));
    const arn = Rules?.at(-1)?.RuleArn ?? '';
    await elb.send(new AddTagsCommand({ ResourceArns: [arn], Tags: [{ Key: 'a', Value: 'b' }] }));
    await elb.send(
      new ModifyListenerCommand({ ListenerArn: made.listener, DefaultActions: [split(made.blue, made.green, 1)] }),
    );
    expect(await tagsOf(arn)).toEqual({ a: 'b' });
  });

  test('given at creation are there, and those of a deleted group are gone when its name comes back', async () => {
    const third = await aTargetGroup(elb, { Name: 'third', VpcId: made.vpc, Tags: [{ Key: 'color', Value: 'red' }] });
    expect(await tagsOf(third)).toEqual({ color: 'red' });
    await elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: third }));
    const fourth = await aTargetGroup(elb, { Name: 'third', VpcId: made.vpc });
    expect(await tagsOf(fourth)).toEqual({});
  });
});
