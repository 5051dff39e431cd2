import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateRuleCommand,
  DeleteLoadBalancerCommand,
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from '../../../sandbox/cloud.ts';
import { aCloud } from '../front/a-cloud.ts';
import { aLoadBalancer, aTargetGroup, type Fixture, split } from './a-load-balancer.ts';

const cloud = aCloud('lock-step');
let world: World;
let elb: ElasticLoadBalancingV2Client;
let made: Fixture;
let servers: Server[];

const aServer = async (says: string): Promise<Server> => {
  const server = createServer((_request, response) => void response.end(says));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};
const targetOf = (server: Server | undefined) => ({ Id: '127.0.0.1', Port: (server?.address() as AddressInfo).port });
const healthOf = async (group: string) => {
  const { TargetHealthDescriptions } = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: group }));
  return TargetHealthDescriptions?.map(({ TargetHealth }) => [TargetHealth?.State, TargetHealth?.Reason]);
};

beforeAll(async () => {
  world = await cloud().createWorld();
  elb = new ElasticLoadBalancingV2Client(world.client());
  made = await aLoadBalancer(world, elb);
  servers = [await aServer('blue'), await aServer('green')];
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn: made.blue, Targets: [targetOf(servers[0])] }));
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn: made.green, Targets: [targetOf(servers[1])] }));
}, 60_000);
afterAll(() => servers.forEach((server) => server.close()));

const answers = async (count: number): Promise<Record<string, number>> => {
  const seen: Record<string, number> = { blue: 0, green: 0 };
  for (let sent = 0; sent < count; sent++) {
    const text = await (await fetch(`${world.listenerUrl(made.listener)}/`)).text();
    seen[text] = (seen[text] ?? 0) + 1;
  }
  return seen;
};

describe('the data plane', () => {
  test('targets are checked for real before they are healthy', async () => {
    const before = await healthOf(made.blue);
    await world.advance(60_000);
    expect(before?.[0]?.[0]).toBe('initial');
    expect(await healthOf(made.blue)).toEqual([['healthy', undefined]]);
    expect(await healthOf(made.green)).toEqual([['healthy', undefined]]);
  });

  test.each<[percent: number, low: number, high: number]>([
    [100, 60, 60],
    [50, 15, 45],
    [0, 0, 0],
  ])('a weight of %i sends that share to blue', async (percent, low, high) => {
    await elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions: [split(made.blue, made.green, percent)] }));
    const seen = await answers(60);
    expect(seen['blue']).toBeGreaterThanOrEqual(low);
    expect(seen['blue']).toBeLessThanOrEqual(high);
  });

  test('a redirect is kept by the API and answered 501 by the load balancer', async () => {
    await elb.send(
      new CreateRuleCommand({
        ListenerArn: made.listener,
        Priority: 1,
        Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/old'] } }],
        Actions: [{ Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301', Path: '/new' } }],
      }),
    );
    const answer = await fetch(`${world.listenerUrl(made.listener)}/old`);
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('does not play redirect');
  });

  test('a group that no rule names is unused', async () => {
    const third = await aTargetGroup(elb, { Name: 'third', VpcId: made.vpc });
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn: third, Targets: [targetOf(servers[0])] }));
    expect(await healthOf(third)).toEqual([['unused', 'Target.NotInUse']]);
  });

  test('a target that is deregistered drains for the delay of its group, and then is not registered', async () => {
    const delay = { Key: 'deregistration_delay.timeout_seconds', Value: '30' };
    await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: made.blue, Attributes: [delay] }));
    await elb.send(new DeregisterTargetsCommand({ TargetGroupArn: made.blue, Targets: [targetOf(servers[0])] }));
    const draining = await healthOf(made.blue);
    await world.advance(29_000);
    const still = await healthOf(made.blue);
    await world.advance(2_000);
    expect(draining).toEqual([['draining', 'Target.DeregistrationInProgress']]);
    expect(still).toEqual(draining);
    expect(await healthOf(made.blue)).toEqual([]);
  });

  test('the socket of a deleted load balancer is closed', async () => {
    const url = world.listenerUrl(made.listener);
    await elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: made.loadBalancer }));
    await expect(fetch(`${url}/`)).rejects.toThrow('fetch failed');
    expect(world.listenerUrl(made.listener)).toBeUndefined();
  });
});
