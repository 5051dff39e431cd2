import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type DescribeServicesCommandOutput,
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, type Credentials, STSClient } from '@aws-sdk/client-sts';
import type { World } from '../../../sandbox/cloud.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { split } from '../elbv2/a-load-balancer.ts';
import { aCloud, asAction, failureOf } from './a-cloud.ts';

const cloud = aCloud('lock-step');
const START = Date.UTC(2027, 0, 1);

let world: World;
let ecs: ECSClient;
let made: Stack;
beforeAll(async () => {
  world = await cloud().createWorld({ start: START });
  ecs = new ECSClient(world.client());
  const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.4.0' });
  made = await stack(world, { stage: 'staging', desired: 2, image: reference, drainSeconds: 20 });
}, 60_000);

type Service = NonNullable<DescribeServicesCommandOutput['services']>[number];
const described = async (): Promise<Service> => {
  const services = [made.services['service']?.name ?? ''];
  const output = await ecs.send(new DescribeServicesCommand({ cluster: made.cluster, services }));
  return output.services?.[0] as Service;
};

const deploy = async (image: string): Promise<Service> => {
  const { taskDefinition = {} } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: made.family }));
  const { family, containerDefinitions = [], requiresCompatibilities, networkMode, cpu, memory } = taskDefinition;
  const registered = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      requiresCompatibilities,
      networkMode,
      cpu,
      memory,
      containerDefinitions: containerDefinitions.map((container) => ({ ...container, image })),
    }),
  );
  const updated = await ecs.send(
    new UpdateServiceCommand({
      cluster: made.cluster,
      service: made.services['service']?.name ?? '',
      taskDefinition: registered.taskDefinition?.taskDefinitionArn,
    }),
  );
  return updated.service as Service;
};

/** Looks every second of sandbox time until `seen`, and gives everything that was seen. */
const watch = async (seen: (service: Service) => boolean): Promise<Service[]> => {
  const all: Service[] = [];
  for (let looks = 0; looks < 300; looks++) {
    const service = await described();
    all.push(service);
    if (seen(service)) return all;
    await world.advance(1_000);
  }
  throw new Error(`not seen: ${JSON.stringify(all.at(-1)?.deployments)}`);
};

describe('lock-step time', () => {
  test('stands still between calls', async () => {
    const before = world.now();
    await new Promise((wait) => setTimeout(wait, 50));
    expect(world.now()).toBe(before);
  });

  test.each<[name: string, headers: (at: number) => Record<string, string>, precision: number]>([
    ['x-amz-date', (at) => ({ 'x-amz-date': new Date(at).toISOString().replace(/[-:]|\.\d+/g, '') }), 1_000],
    ['x-sluice-now', (at) => ({ 'x-sluice-now': String(at) }), 1],
  ])('moves to the %s of a request, never back, and is answered as Date', async (_name, headers, precision) => {
    const own = await cloud().createWorld({ start: START });
    const { AWS_ACCESS_KEY_ID } = own.env;
    const authorization = `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/20270101/us-west-2/sts/aws4_request, Signature=0`;
    const call = async (at: number): Promise<string | null> => {
      const form = { 'content-type': 'application/x-www-form-urlencoded', authorization };
      const body = 'Action=GetCallerIdentity&Version=2011-06-15';
      const answer = await fetch(cloud().url, { method: 'POST', headers: { ...form, ...headers(at) }, body });
      return answer.headers.get('date');
    };
    const later = START + 90_061_250;
    const date = await call(later);
    const afterwards = world.now();
    expect(Math.abs(own.now() - later)).toBeLessThan(precision);
    expect(Date.parse(date ?? '')).toBe(Math.floor(later / 1_000) * 1_000);
    await call(START + 1_000);
    expect(own.now()).toBeGreaterThan(START + 90_000_000);
    expect(world.now()).toBe(afterwards);
  });

  test('half an hour of looking every ten seconds waits for none of it', async () => {
    let now = world.now();
    const client = new ECSClient(asAction(world));
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-sluice-now'] = String(now);
        return next(args);
      },
      { step: 'build' },
    );
    const began = performance.now();
    const until = now + 30 * 60_000;
    const services = [made.services['service']?.name ?? ''];
    for (; now <= until; now += 10_000) {
      await client.send(new DescribeServicesCommand({ cluster: made.cluster, services }));
    }
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(world.now()).toBe(until);
    expect((await described()).runningCount).toBe(2);
  });
});

describe('keys of a session', () => {
  const RoleArn = (): string => `arn:aws:iam::${world.account}:role/deploy`;
  const keysOf = (credentials: Credentials | undefined) => ({
    accessKeyId: credentials?.AccessKeyId ?? '',
    secretAccessKey: credentials?.SecretAccessKey ?? '',
    sessionToken: credentials?.SessionToken ?? '',
  });

  test('end when their time has passed, and not before', async () => {
    const sts = new STSClient(asAction(world));
    const input = { RoleArn: RoleArn(), RoleSessionName: 'gate', DurationSeconds: 900 };
    const { Credentials: given } = await sts.send(new AssumeRoleCommand(input));
    const session = new ECSClient({ ...world.client(), credentials: keysOf(given) });
    const look = () => session.send(new DescribeServicesCommand({ cluster: made.cluster, services: ['x'] }));
    await world.advance(899_000);
    await expect(look()).resolves.toBeDefined();
    await world.advance(2_000);
    expect(await failureOf(look())).toMatchObject({ name: 'ExpiredTokenException' });
  });

  test('cannot be bought with an identity token of ten minutes ago', async () => {
    const url = `${world.env['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=sts.amazonaws.com`;
    const authorization = `Bearer ${world.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}`;
    const { value } = (await (await fetch(url, { headers: { authorization } })).json()) as { value: string };
    await world.advance(600_000);
    const input = { RoleArn: RoleArn(), RoleSessionName: 'sluice', WebIdentityToken: value };
    const sts = new STSClient({ region: world.region, endpoint: cloud().url });
    const failure = await failureOf(sts.send(new AssumeRoleWithWebIdentityCommand(input)));
    expect(failure).toMatchObject({ name: 'ExpiredTokenException', message: expect.stringContaining('Token expired') });
  });
});

describe('a rollout through the API', () => {
  test('can be shown as it was before the update, by a fault', async () => {
    const name = made.services['service']?.name ?? '';
    const look = async () => {
      const client = new ECSClient(asAction(world));
      const output = await client.send(new DescribeServicesCommand({ cluster: made.cluster, services: [name] }));
      return output.services?.[0]?.taskDefinition;
    };
    const before = (await described()).taskDefinition;
    const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.4.9' });
    await deploy(reference);
    const armed = world.faults.add({ operation: 'ecs:DescribeServices', kind: 'stale-read', times: 2 });
    const seen = [await look(), await look(), await look()];
    expect(seen).toEqual([before, before, expect.not.stringMatching(`^${before}$`)]);
    expect(armed.hits()).toBe(2);
    await watch(({ deployments = [] }) => deployments.length === 1 && deployments[0]?.rolloutState === 'COMPLETED');
  });

  test('starts the new tasks beside the old ones, drains those, and ends SUCCESSFUL', async () => {
    const { reference, digest } = await world.publishImage({ repository: 'wesign/charts', tag: '1.5.0' });
    const updated = await deploy(reference);
    const primary = updated.deployments?.find(({ status }) => status === 'PRIMARY');
    const group = made.services['service']?.targetGroupArn ?? '';
    const elb = new ElasticLoadBalancingV2Client(world.client());
    const states = new Set<string | undefined>();
    const looks = await watch((service) => {
      const [first, ...others] = service.deployments ?? [];
      return first?.rolloutState === 'COMPLETED' && others.length === 0;
    });
    const { TargetHealthDescriptions = [] } = await elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: group }),
    );
    TargetHealthDescriptions.forEach(({ TargetHealth }) => states.add(TargetHealth?.State));
    const both = looks.find(({ deployments = [] }) => deployments.length === 2);
    const final = looks.at(-1);
    const { serviceDeployments = [] } = await ecs.send(
      new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [updated.currentServiceDeployment ?? ''] }),
    );
    expect(both?.deployments?.map(({ status }) => status)).toEqual(['PRIMARY', 'ACTIVE']);
    expect(final?.deployments?.[0]?.id).toBe(primary?.id);
    expect(final).toMatchObject({ runningCount: 2, desiredCount: 2 });
    expect(final?.events?.[0]?.message).toMatch(/has reached a steady state/);
    expect(serviceDeployments[0]?.status).toBe('SUCCESSFUL');
    expect(states).toContain('healthy');
    expect(await (await fetch(`${made.url}/health`)).json()).toMatchObject({ status: 'healthy' });
    const version = await fetch(made.url);
    expect([...version.headers.values()].join() + (await version.text())).toMatch(new RegExp(`1\\.5\\.0|${digest}`));
  });

  test('shows the targets of the old tasks as draining for the delay of their group', async () => {
    const group = made.services['service']?.targetGroupArn ?? '';
    const elb = new ElasticLoadBalancingV2Client(world.client());
    const states = async () => {
      const { TargetHealthDescriptions = [] } = await elb.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: group }),
      );
      return TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State).toSorted();
    };
    const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.5.1' });
    await deploy(reference);
    await watch(({ deployments = [] }) => deployments[0]?.runningCount === 2);
    const seen: string[] = [];
    for (let looks = 0; looks < 60; looks++) {
      seen.push((await states()).join(' '));
      await world.advance(1_000);
    }
    expect(seen).toContain('draining draining healthy healthy');
    expect(seen.filter((line) => line.includes('draining')).length).toBeGreaterThanOrEqual(19);
    expect(seen.at(-1)).toBe('healthy healthy');
  });

  test('of an image that was never published is rolled back, and its tasks say why', async () => {
    const ghost = `${world.account}.dkr.ecr.us-west-2.amazonaws.com/wesign/charts:9.9.9`;
    const before = (await described()).taskDefinition;
    const updated = await deploy(ghost);
    const arn = updated.currentServiceDeployment ?? '';
    const [last] = (
      await watch(({ taskDefinition, deployments = [] }) => taskDefinition === before && deployments.length === 1)
    ).slice(-1);
    await world.advance(5_000);
    const { serviceDeployments = [] } = await ecs.send(
      new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }),
    );
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({
        cluster: made.cluster,
        serviceName: made.services['service']?.name,
        desiredStatus: 'STOPPED',
      }),
    );
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster: made.cluster, tasks: taskArns }));
    const reasons = tasks
      .map(({ stoppedReason }) => stoppedReason ?? '')
      .filter((reason) => reason.startsWith('CannotPull'));
    expect(last?.runningCount).toBe(2);
    expect(serviceDeployments[0]?.status).toBe('ROLLBACK_SUCCESSFUL');
    expect(reasons[0]).toBe(
      `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${ghost}: ${ghost}: not found`,
    );
  });
});

describe('two colors', () => {
  test('each have their own tasks, and the weights decide who is met', async () => {
    const colored = await cloud().createWorld();
    const { pinned } = await colored.publishImage({ repository: 'wesign/charts', tag: '1.4.0' });
    const production = await stack(colored, { stage: 'production', colors: true, desired: 2, image: pinned });
    const client = new ElasticLoadBalancingV2Client(colored.client());
    const { blue, green } = production.services;
    const fixtureEcs = new ECSClient(colored.client());
    await fixtureEcs.send(
      new UpdateServiceCommand({ cluster: production.cluster, service: green?.name, desiredCount: 2 }),
    );
    await colored.advance(60_000);
    await client.send(
      new ModifyRuleCommand({
        RuleArn: production.ruleArn,
        Actions: [split(blue?.targetGroupArn ?? '', green?.targetGroupArn ?? '', 25)],
      }),
    );
    for (let sent = 0; sent < 80; sent++) await (await fetch(production.url)).text();
    const [onBlue, onGreen] = [blue, green].map(
      (color) => colored.targetGroupCounts(color?.targetGroupArn ?? '').requests,
    );
    expect((onBlue ?? 0) + (onGreen ?? 0)).toBe(80);
    expect(onGreen).toBeGreaterThan(45);
    expect(onBlue).toBeGreaterThan(5);
  });

  test('have metrics of their own, with null where nothing was served', async () => {
    const url = `${world.env['SLUICE_SANDBOX_URL']}/metrics`;
    const read = async (query: string) => {
      const answer = await fetch(`${url}?${query}`);
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    await world.advance(60_000);
    const none = await read('target-group=staging-wesign-charts-tg&window=30s');
    for (let sent = 0; sent < 10; sent++) await (await fetch(made.url)).text();
    const some = await read('target-group=staging-wesign-charts-tg&window=30s');
    expect(none.body).toEqual({ requests: 0, errors: 0, errorRate: null, p50: null, p95: null, p99: null, mean: null });
    expect(some.body).toMatchObject({ requests: 10, errors: 0, errorRate: 0 });
    expect(some.body['p95']).toBeGreaterThan(0);
    expect((await read('target-group=nobody&window=30s')).status).toBe(404);
    expect((await read('target-group=staging-wesign-charts-tg')).status).toBe(400);
  });
});
