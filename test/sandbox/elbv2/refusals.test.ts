import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Action,
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyListenerCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { aCloud, failureOf } from '../front/a-cloud.ts';
import { aLoadBalancer, type Fixture, split } from './a-load-balancer.ts';

const cloud = aCloud('real');
let elb: ElasticLoadBalancingV2Client;
let made: Fixture;
let other: string;
let defaultRule: string;

beforeAll(async () => {
  const world = await cloud().createWorld();
  elb = new ElasticLoadBalancingV2Client(world.client());
  made = await aLoadBalancer(world, elb);
  const second = await elb.send(
    new CreateLoadBalancerCommand({ Name: 'other', Subnets: [...made.subnets.slice(0, 2)] }),
  );
  other = second.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const rules = await elb.send(new DescribeRulesCommand({ ListenerArn: made.listener }));
  defaultRule = rules.Rules?.at(-1)?.RuleArn ?? '';
}, 60_000);

const ghost = (): string => made.blue.replace(/[0-9a-f]{16}$/, '0000000000000000');
const weighing = (weight: number): Action => ({
  Type: 'forward',
  ForwardConfig: {
    TargetGroups: [
      { TargetGroupArn: made.blue, Weight: 1 },
      { TargetGroupArn: made.green, Weight: weight },
    ],
  },
});
const modifyRule = (...Actions: Action[]) => elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions }));
const group = { Name: 'third', Protocol: 'HTTP', Port: 80, TargetType: 'ip' } as const;

describe('what Elastic Load Balancing refuses', () => {
  test.each<[name: string, code: string, says: RegExp, call: () => Promise<unknown>]>([
    ['a weight of 1000', 'ValidationError', /between 0 and 999, inclusive/, () => modifyRule(weighing(1_000))],
    ['a weight below 0', 'ValidationError', /between 0 and 999, inclusive/, () => modifyRule(weighing(-5))],
    [
      'six target groups in one forward',
      'TooManyTargetGroups',
      /\[5\]/,
      () =>
        modifyRule({
          Type: 'forward',
          ForwardConfig: { TargetGroups: Array.from({ length: 6 }, () => ({ TargetGroupArn: made.blue, Weight: 1 })) },
        }),
    ],
    [
      'a forward to a group that does not exist',
      'TargetGroupNotFound',
      /One or more target groups not found/,
      () => modifyRule({ Type: 'forward', TargetGroupArn: ghost() }),
    ],
    [
      'a default action to a group that does not exist',
      'TargetGroupNotFound',
      /One or more target groups not found/,
      () =>
        elb.send(
          new ModifyListenerCommand({
            ListenerArn: made.listener,
            DefaultActions: [{ Type: 'forward', TargetGroupArn: ghost() }],
          }),
        ),
    ],
    [
      'a forward without any group',
      'ValidationError',
      /target group must be specified/,
      () => modifyRule({ Type: 'forward' }),
    ],
    [
      'one group alone and others in ForwardConfig',
      'ValidationError',
      /same single target group/,
      () => modifyRule({ ...split(made.blue, made.green, 50), TargetGroupArn: made.blue }),
    ],
    [
      'stickiness without a duration',
      'ValidationError',
      /between 1 and 604800/,
      () =>
        modifyRule({
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [{ TargetGroupArn: made.blue }],
            TargetGroupStickinessConfig: { Enabled: true },
          },
        }),
    ],
    [
      'a group that another load balancer uses',
      'TargetGroupAssociationLimit',
      /more than one load balancer/,
      () =>
        elb.send(
          new CreateListenerCommand({
            LoadBalancerArn: other,
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'forward', TargetGroupArn: made.blue }],
          }),
        ),
    ],
    [
      'a second listener on a port',
      'DuplicateListener',
      /already exists on this port/,
      () =>
        elb.send(
          new CreateListenerCommand({
            LoadBalancerArn: made.loadBalancer,
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [split(made.blue, made.green, 50)],
          }),
        ),
    ],
    [
      'an HTTPS listener without a certificate',
      'ValidationError',
      /certificate must be specified/,
      () =>
        elb.send(
          new CreateListenerCommand({
            LoadBalancerArn: made.loadBalancer,
            Port: 443,
            Protocol: 'HTTPS',
            DefaultActions: [split(made.blue, made.green, 50)],
          }),
        ),
    ],
    [
      'a taken priority',
      'PriorityInUse',
      /'10' is currently in use/,
      () =>
        elb.send(
          new CreateRuleCommand({
            ListenerArn: made.listener,
            Priority: 10,
            Conditions: [{ Field: 'path-pattern', Values: ['/a'] }],
            Actions: [split(made.blue, made.green, 50)],
          }),
        ),
    ],
    [
      'a condition that nobody plays',
      'ValidationError',
      /does not play conditions on source-ip/,
      () =>
        elb.send(
          new CreateRuleCommand({
            ListenerArn: made.listener,
            Priority: 11,
            Conditions: [{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/8'] } }],
            Actions: [split(made.blue, made.green, 50)],
          }),
        ),
    ],
    [
      'a change of the default rule',
      'OperationNotPermitted',
      /cannot be modified/,
      () => elb.send(new ModifyRuleCommand({ RuleArn: defaultRule, Actions: [weighing(1)] })),
    ],
    [
      'deleting the default rule',
      'OperationNotPermitted',
      /cannot be deleted/,
      () => elb.send(new DeleteRuleCommand({ RuleArn: defaultRule })),
    ],
    [
      'a rule that does not exist',
      'RuleNotFound',
      /One or more rules not found/,
      () => elb.send(new ModifyRuleCommand({ RuleArn: `${made.rule}0`, Actions: [weighing(1)] })),
    ],
    [
      'a listener that does not exist',
      'ListenerNotFound',
      /One or more listeners not found/,
      () => elb.send(new DescribeListenersCommand({ ListenerArns: [`${made.listener}0`] })),
    ],
    [
      'a load balancer name that does not exist',
      'LoadBalancerNotFound',
      /Load balancers '\[ghost\]' not found/,
      () => elb.send(new DescribeLoadBalancersCommand({ Names: ['ghost'] })),
    ],
    [
      'a group name that does not exist',
      'TargetGroupNotFound',
      /Target groups '\[ghost\]' not found/,
      () => elb.send(new DescribeTargetGroupsCommand({ Names: ['ghost'] })),
    ],
    [
      'one subnet alone',
      'ValidationError',
      /two subnets in two different Availability Zones/,
      () => elb.send(new CreateLoadBalancerCommand({ Name: 'one', Subnets: made.subnets.slice(0, 1) })),
    ],
    [
      'a load balancer of a known name with other subnets',
      'DuplicateLoadBalancerName',
      /with different settings/,
      () => elb.send(new CreateLoadBalancerCommand({ Name: 'web', Subnets: made.subnets.slice(1, 3) })),
    ],
    [
      'a network load balancer',
      'ValidationError',
      /plays application load balancers/,
      () => elb.send(new CreateLoadBalancerCommand({ Name: 'n', Type: 'network', Subnets: made.subnets.slice(0, 2) })),
    ],
    [
      'a group name of 33 characters',
      'ValidationError',
      /longer than '32'/,
      () =>
        elb.send(
          new CreateTargetGroupCommand({ ...group, Name: 'production-wesign-charts-green-tg', VpcId: made.vpc }),
        ),
    ],
    [
      'a group of a known name with another port',
      'DuplicateTargetGroupName',
      /with different settings/,
      () => elb.send(new CreateTargetGroupCommand({ ...group, Name: 'blue', Port: 81, VpcId: made.vpc })),
    ],
    [
      'health checks every second',
      'ValidationError',
      /'1' at 'healthCheckIntervalSeconds'.*greater than or equal to 5/,
      () => elb.send(new CreateTargetGroupCommand({ ...group, VpcId: made.vpc, HealthCheckIntervalSeconds: 1 })),
    ],
    [
      'a health check as long as its interval',
      'ValidationError',
      /must be smaller than the interval '10'/,
      () => elb.send(new ModifyTargetGroupCommand({ TargetGroupArn: made.blue, HealthCheckTimeoutSeconds: 10 })),
    ],
    [
      'health checks on another port',
      'ValidationError',
      /on the traffic port, not on 8080/,
      () => elb.send(new ModifyTargetGroupCommand({ TargetGroupArn: made.blue, HealthCheckPort: '8080' })),
    ],
    [
      'a deregistration delay of two hours',
      'ValidationError',
      /between '0-3600' inclusive/,
      () =>
        elb.send(
          new ModifyTargetGroupAttributesCommand({
            TargetGroupArn: made.blue,
            Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '7200' }],
          }),
        ),
    ],
    [
      'deleting a group in use',
      'ResourceInUse',
      /currently in use by a listener or a rule/,
      () => elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: made.green })),
    ],
    [
      'the health of a group that does not exist',
      'TargetGroupNotFound',
      /One or more target groups not found/,
      () => elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: ghost() })),
    ],
    [
      'a target that is no address',
      'ValidationError',
      /'i-0123' is not a valid IPv4 address/,
      () => elb.send(new RegisterTargetsCommand({ TargetGroupArn: made.blue, Targets: [{ Id: 'i-0123' }] })),
    ],
    [
      'JSON as a tag value',
      'ValidationError',
      /tags\.1\.member\.value.*regular expression pattern/,
      () => elb.send(new AddTagsCommand({ ResourceArns: [made.rule], Tags: [{ Key: 'a', Value: '{"a":1}' }] })),
    ],
    [
      'a tag value of 257 characters',
      'ValidationError',
      /length less than or equal to 256/,
      () => elb.send(new AddTagsCommand({ ResourceArns: [made.rule], Tags: [{ Key: 'a', Value: 'x'.repeat(257) }] })),
    ],
    [
      '51 tags',
      'TooManyTags',
      /\[50\]/,
      () =>
        elb.send(
          new AddTagsCommand({
            ResourceArns: [made.rule],
            Tags: Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: 'v' })),
          }),
        ),
    ],
    [
      'tags of a rule that does not exist',
      'RuleNotFound',
      /One or more rules not found/,
      () => elb.send(new DescribeTagsCommand({ ResourceArns: [`${made.rule}0`] })),
    ],
  ])('%s', async (_name, code, says, call) => {
    const failure = await failureOf(call());
    // The SDK's classes add "Exception" to most of the codes.
    expect(failure).toMatchObject({ message: expect.stringMatching(says), attempts: 1, status: 400 });
    expect(failure.name.replace(/Exception$/, '')).toBe(code);
  });

  test('nothing of that changed the rule', async () => {
    const { Rules } = await elb.send(new DescribeRulesCommand({ RuleArns: [made.rule] }));
    expect(Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight)).toEqual([100, 0]);
  });
});
