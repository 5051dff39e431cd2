import { beforeEach, describe, expect, test } from '@jest/globals';
import { CreateClusterCommand, DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Fault, World } from '../../../sandbox/cloud.ts';
import { aLoadBalancer, type Fixture, split } from '../elbv2/a-load-balancer.ts';
import { aCloud, asAction, failureOf } from './a-cloud.ts';

const cloud = aCloud('real');
let world: World;
let elb: ElasticLoadBalancingV2Client;
let made: Fixture;

beforeEach(async () => {
  world = await cloud().createWorld();
  made = await aLoadBalancer(world, new ElasticLoadBalancingV2Client(world.client()));
  elb = new ElasticLoadBalancingV2Client(asAction(world));
});

const shift = (percent: number) =>
  elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions: [split(made.blue, made.green, percent)] }));
const blueWeight = async (client = elb): Promise<number | undefined> => {
  const { Rules } = await client.send(new DescribeRulesCommand({ RuleArns: [made.rule] }));
  return Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups?.[0]?.Weight;
};
const MODIFY = 'elasticloadbalancing:ModifyRule';
const ofModify = () => world.calls().filter(({ operation, run }) => operation === MODIFY && run === 'action');

describe('a fault, as the SDK sees it', () => {
  test.each<[name: string, fault: Fault, error: string, attempts: number, status: number]>([
    ['access denied', { operation: MODIFY, kind: 'access-denied', times: Infinity }, 'AccessDenied', 1, 403],
    ['an expired token', { operation: MODIFY, kind: 'expired-token', times: Infinity }, 'ExpiredToken', 1, 403],
    ['throttling without end', { operation: MODIFY, kind: 'throttle', times: Infinity }, 'Throttling', 3, 400],
    ['server errors without end', { operation: MODIFY, kind: '5xx', times: Infinity }, 'InternalFailure', 3, 500],
    [
      'an error of choice',
      { operation: MODIFY, kind: 'error', code: 'RuleNotFound', message: 'One or more rules not found', status: 400 },
      'RuleNotFoundException',
      1,
      400,
    ],
  ])('%s', async (_name, fault, error, attempts, status) => {
    const armed = world.faults.add(fault);
    const failure = await failureOf(shift(50));
    expect(failure).toMatchObject({ name: error, attempts, status });
    expect(armed.hits()).toBe(attempts);
    expect(await blueWeight()).toBe(100);
  });

  test.each<[name: string, fault: Fault]>([
    ['throttling', { operation: MODIFY, kind: 'throttle' }],
    ['a server error', { operation: MODIFY, kind: '5xx' }],
    ['a reset connection', { operation: MODIFY, kind: 'reset' }],
  ])('%s once is healed by its retry, which is the same logical call', async (_name, fault) => {
    world.faults.add(fault);
    await shift(50);
    expect(await blueWeight()).toBe(50);
    const [first, retry, ...more] = ofModify();
    expect(more).toEqual([]);
    expect(retry).toMatchObject({ ordinal: 1, attempt: 2, logicalId: first?.logicalId, result: { kind: 'ok' } });
    expect(first).toMatchObject({ ordinal: 1, attempt: 1, fault: fault.kind });
  });

  test('JSON services get the codes of their own protocol', async () => {
    const ecs = new ECSClient({ ...asAction(world), maxAttempts: 1 });
    const names: string[] = [];
    for (const kind of ['throttle', 'access-denied', 'expired-token', '5xx'] as const) {
      world.faults.add({ operation: 'ecs:DescribeClusters', kind });
      names.push((await failureOf(ecs.send(new DescribeClustersCommand({})))).name);
    }
    expect(names).toEqual(['ThrottlingException', 'AccessDeniedException', 'ExpiredTokenException', 'ServerException']);
  });

  test('a connection that is reset after the call leaves the effect behind', async () => {
    world.faults.add({ operation: MODIFY, kind: 'reset', when: 'after' });
    elb = new ElasticLoadBalancingV2Client({ ...asAction(world), maxAttempts: 1 });
    const failure = await failureOf(shift(40));
    expect(failure.message).toMatch(/ECONNRESET|socket hang up/);
    expect(ofModify()[0]?.result).toEqual({ kind: 'dropped', why: 'reset', applied: 'applied' });
    expect(await blueWeight()).toBe(40);
  });

  test('a call that hangs never answers, and its caller can leave', async () => {
    world.faults.add({ operation: MODIFY, kind: 'hang' });
    const Actions = [split(made.blue, made.green, 30)];
    const sent = elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions }), {
      abortSignal: AbortSignal.timeout(300),
    });
    expect((await failureOf(sent)).name).toBe('AbortError');
    expect(await blueWeight()).toBe(100);
  });

  test('a delay is a delay and nothing else', async () => {
    world.faults.add({ operation: MODIFY, kind: 'delay', delay: 200 });
    const before = performance.now();
    await shift(20);
    expect(performance.now() - before).toBeGreaterThanOrEqual(195);
    expect(await blueWeight()).toBe(20);
  });

  test('a stale read says what the same read said before the last change, as often as told', async () => {
    const before = await blueWeight();
    await shift(70);
    world.faults.add({ operation: 'elasticloadbalancing:DescribeRules', kind: 'stale-read', times: 2 });
    const stale = [await blueWeight(), await blueWeight(), await blueWeight()];
    expect(before).toBe(100);
    expect(stale).toEqual([100, 100, 70]);
  });

  test('a stale read waits until there is something older to say', async () => {
    const armed = world.faults.add({ operation: 'elasticloadbalancing:DescribeRules', kind: 'stale-read' });
    const first = await blueWeight();
    const unspent = armed.hits();
    await shift(70);
    expect([first, unspent, await blueWeight(), await blueWeight()]).toEqual([100, 0, 100, 70]);
  });

  test('hits the logical call that was named and leaves the fixture alone', async () => {
    world.faults.add({ operation: MODIFY, ordinal: 2, kind: 'access-denied' });
    const fixture = new ElasticLoadBalancingV2Client(world.client());
    for (const percent of [90, 80]) {
      await fixture.send(
        new ModifyRuleCommand({ RuleArn: made.rule, Actions: [split(made.blue, made.green, percent)] }),
      );
    }
    await shift(70);
    expect((await failureOf(shift(60))).name).toBe('AccessDenied');
    await shift(50);
    expect(ofModify().map(({ ordinal, result }) => [ordinal, result.kind])).toEqual([
      [1, 'ok'],
      [2, 'error'],
      [3, 'ok'],
    ]);
  });

  test('of one run does not meet another', async () => {
    const other = new ElasticLoadBalancingV2Client(asAction(world, await world.run('second')));
    world.faults.add({ operation: 'elasticloadbalancing:*', run: 'second', kind: 'access-denied' });
    expect(await blueWeight()).toBe(100);
    expect((await failureOf(blueWeight(other))).name).toBe('AccessDenied');
  });
});

describe('the call log', () => {
  test('tells reads from writes, in the order of their arrival', async () => {
    await new ECSClient(asAction(world)).send(new CreateClusterCommand({ clusterName: 'c' }));
    await blueWeight();
    await shift(10);
    const own = world.calls().filter(({ run }) => run === 'action');
    expect(own.map(({ operation, mutating }) => [operation, mutating])).toEqual([
      ['ecs:CreateCluster', true],
      ['elasticloadbalancing:DescribeRules', false],
      [MODIFY, true],
    ]);
    expect(own.map(({ sequence }) => sequence)).toEqual(own.map(({ sequence }) => sequence).toSorted((a, b) => a - b));
  });

  test('is the same for two runs of the same calls', async () => {
    const play = async (): Promise<readonly unknown[]> => {
      const fresh = await cloud().createWorld();
      made = await aLoadBalancer(fresh, new ElasticLoadBalancingV2Client(fresh.client()));
      elb = new ElasticLoadBalancingV2Client(asAction(fresh));
      await blueWeight();
      await shift(10);
      await blueWeight();
      return fresh
        .calls()
        .map(({ run, operation, ordinal, attempt, result }) => [run, operation, ordinal, attempt, result]);
    };
    expect(await play()).toEqual(await play());
  });
});
