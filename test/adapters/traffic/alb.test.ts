import { fakeProber } from '../../fakes/prober.ts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Action,
  AddTagsCommand,
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Cloud, type World, startCloud } from '../../../sandbox/cloud.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { type AlbPlace, findAlbPlace } from '../../../src/adapters/traffic/alb-place.ts';
import { albJournal } from '../../../src/adapters/traffic/alb-journal.ts';
import { albTargets } from '../../../src/adapters/traffic/alb-targets.ts';
import { openAlb } from '../../../src/adapters/traffic/open-alb.ts';
import { type AlbClients, albRouter } from '../../../src/adapters/traffic/alb.ts';
import { instant, seconds } from '../../../src/domain/duration.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { placesOfBlue } from './places.ts';
import { recordOf } from '../../domain/shift/records.ts';
import { trafficRouterContract } from '../../contract/traffic-router.ts';

const signal = new AbortController().signal;
const clock = fakeClock({ start: instant(Date.UTC(2026, 10, 20, 12)) });
let cloud: Cloud;
let world: World;
let stacked: Stack;
let place: AlbPlace;
let client: ElasticLoadBalancingV2Client;
let clients: AlbClients;
let fixture: ElasticLoadBalancingV2Client;

beforeAll(async () => {
  cloud = await startCloud({ clock: 'real' });
  world = await cloud.createWorld({ tasks: 'in-process' });
  const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.0.0' });
  stacked = await stack(world, { stage: 'production', colors: true, desired: 2, image: reference });
  fixture = new ElasticLoadBalancingV2Client(world.client());
  client = new ElasticLoadBalancingV2Client(sdkConfig());
  clients = { reads: client, writes: client };
  place = await findAlbPlace(client, targetOf({}), signal);
}, 60_000);
afterAll(async () => {
  await cloud?.stop();
});

const sdkConfig = () => ({
  ...clientConfig(world.region, 'test', async () => ({
    accessKeyId: world.env['AWS_ACCESS_KEY_ID'] as string,
    secretAccessKey: world.env['AWS_SECRET_ACCESS_KEY'] as string,
    sessionToken: world.env['AWS_SESSION_TOKEN'] as string,
  })),
  endpoint: world.env['AWS_ENDPOINT_URL'] as string,
});

const targetOf = (more: object) => ({
  listener: stacked.loadBalancerName,
  port: 80,
  rule: undefined,
  colors: { blue: 'production-wesign-charts-blue', green: 'production-wesign-charts-green' },
  ...more,
});

const actionsOf = async (): Promise<Action[]> => {
  const described = await fixture.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
  return described.Rules?.[0]?.Actions ?? [];
};
const setForward = async (
  groups: readonly { color: 'blue' | 'green'; weight: number }[],
  seconds = 0,
): Promise<void> => {
  const forward: Action = {
    Type: 'forward',
    ForwardConfig: {
      TargetGroups: groups.map(({ color, weight }) => ({
        TargetGroupArn: stacked.services[color]?.targetGroupArn,
        Weight: weight,
      })),
      TargetGroupStickinessConfig: seconds > 0 ? { Enabled: true, DurationSeconds: seconds } : { Enabled: false },
    },
  };
  await fixture.send(new ModifyRuleCommand({ RuleArn: stacked.ruleArn, Actions: [forward] }));
};
const modifications = (): number =>
  world.calls().filter(({ operation, run }) => operation.endsWith(':ModifyRule') && run === 'action').length;

trafficRouterContract('an ALB rule over the wire', async () => {
  await setForward([{ color: 'blue', weight: 1 }]);
  const before = modifications();
  return {
    router: albRouter(clients, place, clock),
    targets: albTargets(client, place),
    places: await placesOfBlue(world, stacked, 'blue'),
    setWeights: ({ blue, green }) => setForward([{ color: 'blue', weight: blue }, { color: 'green', weight: green }]),
    setStickiness: async (seconds) => {
      const [forward] = await actionsOf();
      const tuples = forward?.ForwardConfig?.TargetGroups ?? [];
      await setForward(tuples.map(({ TargetGroupArn, Weight }) => ({ color: TargetGroupArn === stacked.services['blue']?.targetGroupArn ? 'blue' : 'green', weight: Weight ?? 0 })), seconds);
    },
    writes: async () => modifications() - before,
    pass: (length) => clock.advance(seconds(length)),
    again: () => albRouter(clients, place, clock),
    close: async () => undefined,
  };
}); // prettier-ignore

const prober = fakeProber(() => ({ status: 200 }));

describe('the journal in tags of the rule', () => {
  test('is empty before the first shift, keeps the last record, and leaves tags of others alone', async () => {
    const journal = albJournal(clients, place);
    expect(await journal.read(signal)).toBeUndefined();
    await fixture.send(new AddTagsCommand({ ResourceArns: [stacked.ruleArn], Tags: [{ Key: 'team', Value: 'shop' }] }));
    await journal.write(recordOf({ percent: 10 }), signal);
    await journal.write(recordOf({ percent: 50, phase: 'shifting' }), signal);
    expect(await albJournal(clients, place).read(signal)).toEqual(recordOf({ percent: 50, phase: 'shifting' }));
    await journal.clear(signal);
    expect(await journal.read(signal)).toBeUndefined();
    const tags = await fixture.send(new DescribeTagsCommand({ ResourceArns: [stacked.ruleArn] }));
    expect(tags.TagDescriptions?.[0]?.Tags).toEqual([{ Key: 'team', Value: 'shop' }]);
  });
});

describe('the place is found', () => {
  test.each([
    { name: 'by the name of the load balancer and the port', more: () => ({}) },
    { name: 'without a port, when there is one listener', more: () => ({ port: undefined }) },
    { name: 'by the ARN of the load balancer', more: () => ({ listener: stacked.loadBalancerArn }) },
    { name: 'by the ARN of the listener', more: () => ({ listener: stacked.listenerArn, port: undefined }) },
    { name: 'by priority', more: () => ({ rule: '10' }) },
    { name: 'by the ARN of the rule alone', more: () => ({ listener: undefined, port: undefined, rule: stacked.ruleArn }) },
  ])('$name', async ({ more }) => {
    const found = await findAlbPlace(client, targetOf(more()), signal);
    expect(found).toMatchObject({ kind: 'rule', arn: stacked.ruleArn, name: expect.stringMatching(/^ALB rule production-wesign-charts-alb(-80)?\/10$/) });
  }); // prettier-ignore

  test.each([
    { name: 'no such load balancer', more: { listener: 'nobody' }, says: /Could not find load balancer nobody.*Correct router\.alb\.listener/s },
    { name: 'no listener on the port', more: { port: 444 }, says: /none listens on port 444. Listeners are on 80/ },
    { name: 'no such rule', more: { rule: '99' }, says: /there is no rule 99; there are 10, default/ },
    { name: 'no such target group', more: { colors: { blue: 'nobody', green: 'production-wesign-charts-green' } }, says: /Could not find target group nobody of color blue.*Correct router\.colors\.blue/s },
    { name: 'one target group for both colors', more: { colors: { blue: 'production-wesign-charts-blue', green: 'production-wesign-charts-blue' } }, says: /Blue and green have the same target group/ },
    { name: 'a rule that forwards to neither color', more: { rule: 'default' }, says: /cannot carry a shift/ },
  ])('or refused with what is there: $name', async ({ more, says }) => {
    const opened = findAlbPlace(client, targetOf(more), signal).then((found) => albRouter(clients, found, clock).observe(signal));
    await expect(opened).rejects.toThrow(says);
  }); // prettier-ignore

  test('among rules that also send single colors somewhere, by having both', async () => {
    await setForward([{ color: 'blue', weight: 1 }, { color: 'green', weight: 0 }]); // prettier-ignore
    const header = { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-color', Values: ['green'] } };
    const made = await fixture.send(
      new CreateRuleCommand({ ListenerArn: stacked.listenerArn, Priority: 5, Conditions: [header], Actions: [{ Type: 'forward', TargetGroupArn: stacked.services['green']?.targetGroupArn }] }),
    ); // prettier-ignore
    expect(await findAlbPlace(client, targetOf({}), signal)).toMatchObject({ arn: stacked.ruleArn });
    await setForward([{ color: 'blue', weight: 1 }]);
    await expect(findAlbPlace(client, targetOf({}), signal)).rejects.toThrow(
      /several rules forward to .*: 5, 10\. Nothing was touched\. Set router\.alb\.rule/,
    );
    await fixture.send(new DeleteRuleCommand({ RuleArn: made.Rules?.[0]?.RuleArn }));
  });
});

describe('the default action of a listener', () => {
  test('carries a shift as a rule does, with its record on the listener', async () => {
    const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.0.0' });
    const other = await stack(world, {
      stage: 'staging',
      colors: true,
      desired: 1,
      image: reference,
      route: 'default-action',
    });
    const target = {
      listener: other.loadBalancerName,
      port: 80,
      rule: undefined,
      colors: { blue: 'staging-wesign-charts-blue', green: 'staging-wesign-charts-green' },
    };
    const found = await findAlbPlace(client, target, signal);
    expect(found).toMatchObject({
      kind: 'default-action',
      arn: other.listenerArn,
      name: 'ALB rule staging-wesign-charts-alb-80/default',
    });
    const router = albRouter(clients, found, clock);
    await router.apply(splitGiving('green', 10), signal);
    expect(await router.observe(signal)).toEqual(splitGiving('green', 10));
    await router.restore('blue', signal);
    expect(await router.observe(signal)).toEqual(splitGiving('blue', 100));
    await albJournal(clients, found).write(recordOf(), signal);
    expect(await albJournal(clients, found).read(signal)).toEqual(recordOf());
  }, 30_000);
});

describe('an error', () => {
  test('of a write names the weights, the rule, the IAM action and what was true before', async () => {
    await setForward([{ color: 'blue', weight: 90 }, { color: 'green', weight: 10 }]); // prettier-ignore
    const denied = world.faults.add({ operation: 'elasticloadbalancing:ModifyRule', kind: 'access-denied', times: 1 });
    await expect(albRouter(clients, place, clock).apply(splitGiving('green', 50), signal)).rejects.toThrow(
      /^Could not set blue 50 \/ green 50 on ALB rule production-wesign-charts-alb-80\/10: access denied for elasticloadbalancing:ModifyRule\. Traffic was blue 90 \/ green 10 before\. Grant /,
    );
    denied.remove();
  });
});

describe('a listener that a CloudFormation stack made', () => {
  test('is named with its stack at the start, with the statement that keeps updates away', async () => {
    const { subnets, vpc } = await world.network();
    const group = (name: string) => ({
      Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
      Properties: { Name: name, Protocol: 'HTTP', Port: 80, VpcId: vpc, TargetType: 'ip' },
    });
    const forward = { Type: 'forward', TargetGroupArn: { Ref: 'Blue' } };
    const Resources = {
      Blue: group('stacked-blue'),
      Green: group('stacked-green'),
      Balancer: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Name: 'stacked', Subnets: subnets.slice(0, 2) } },
      WebListener: {
        Type: 'AWS::ElasticLoadBalancingV2::Listener',
        Properties: { LoadBalancerArn: { Ref: 'Balancer' }, Port: 80, Protocol: 'HTTP', DefaultActions: [forward] },
      },
    };
    const made = await cloudFormation({ Action: 'CreateStack', StackName: 'production-web', TemplateBody: JSON.stringify({ Resources }) });
    expect(made).toBe(200);
    const target = { listener: 'stacked', port: 80, rule: undefined, colors: { blue: 'stacked-blue', green: 'stacked-green' } };
    const opened = await openAlb(sdkConfig(), target, { clock, signal, prober });
    expect(opened.notices).toEqual([
      expect.stringMatching(/^ALB rule stacked-80\/default belongs to the CloudFormation stack production-web: an update of it would set the weights back.*"Effect":"Deny","Action":"Update:\*".*LogicalResourceId\/WebListener.*ignore_changes = \[action, tags, tags_all\].*ignore_tags \{ key_prefixes = \["sluice:"\] \}/),
    ]);
    const own = await openAlb(sdkConfig(), targetOf({}), { clock, signal, prober });
    expect(own.notices).toEqual([]);
  }, 30_000);
}); // prettier-ignore

/** No SDK client of CloudFormation is needed to make a stack: moto and the front ask for no signature. */
async function cloudFormation(fields: Record<string, string>): Promise<number> {
  const key = world.client().credentials.accessKeyId;
  const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-west-2/cloudformation/aws4_request, SignedHeaders=host, Signature=0`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(cloud.url, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
  return answer.status;
}
