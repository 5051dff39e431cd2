import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from '../../../sandbox/cloud.ts';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { cloudWatchAccess } from '../../../src/adapters/metrics/cloudwatch-access.ts';
import { type CloudWatchAccess, cloudWatchMetric } from '../../../src/adapters/metrics/cloudwatch.ts';
import { allSeries } from '../../../src/domain/analysis/sample.ts';
import { type Duration, after, before, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import type { CloudWatchQuery } from '../../../src/domain/policy/policy.ts';
import { measureAll } from '../../../src/engine/shift/measure.ts';
import type { Meter } from '../../../src/ports/meter.ts';
import type { MetricProvider } from '../../../src/ports/metric-provider.ts';
import { metricProviderContract } from '../../contract/metric-provider.ts';
import { policyOf } from '../../domain/policy/policies.ts';
import { aLoadBalancer, type Fixture, split } from '../../sandbox/elbv2/a-load-balancer.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';

const signal = new AbortController().signal;
const cloud = aCloud('lock-step');
let world: World;
let made: Fixture;
let server: Server;
let access: CloudWatchAccess;
/** Status of the next answers, 0 for none at all, then 200. */
const statuses: number[] = [];

beforeAll(async () => {
  world = await cloud().createWorld({ start: Date.UTC(2026, 10, 20, 12) });
  const elb = new ElasticLoadBalancingV2Client(world.client());
  made = await aLoadBalancer(world, elb);
  server = createServer((request, response) => {
    const status = request.url === '/judged' ? (statuses.shift() ?? 200) : 200;
    if (status === 0) return void request.socket.destroy();
    response.statusCode = status;
    response.end('served');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const Targets = [{ Id: '127.0.0.1', Port: (server.address() as AddressInfo).port }];
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn: made.green, Targets }));
  await elb.send(new ModifyRuleCommand({ RuleArn: made.rule, Actions: [split(made.blue, made.green, 0)] }));
  await world.advance(60_000);
  const { credentials, endpoint } = world.client();
  const config = clientConfig(world.region, 'test', async () => credentials);
  access = cloudWatchAccess({ ...config, endpoint } as typeof config);
}, 60_000);
afterAll(() => void server.close());

/** Requests through the load balancer at the present moment of the sandbox. */
async function served(count: number, bad: number, how = 503): Promise<void> {
  statuses.push(...Array.from({ length: bad }, () => how));
  for (let sent = 0; sent < count; sent++) await (await fetch(`${world.listenerUrl(made.listener)}/judged`)).text();
}

const LOAD_BALANCER: CloudWatchQuery = { kind: 'load-balancer' };
const providerOf = (
  query: CloudWatchQuery = LOAD_BALANCER,
  through: () => Promise<CloudWatchAccess> = async () => access,
  meter?: Meter,
) =>
  cloudWatchMetric(
    { from: 'cloudwatch', delay: seconds(30), query },
    {
      metric: 'error-rate',
      colorOf: (arm) => (arm === 'candidate' ? 'green' : 'blue'),
      targetGroupOf: (color) => color,
      environment: () => undefined,
      cloudWatch: through,
      ...(meter === undefined ? {} : { meterOf: () => meter }),
    },
  );
const now = () => instant(world.now());
/** To the beginning of a minute of its own. */
const nextMinute = (): Promise<void> => world.advance(60_000 - (world.now() % 60_000));

metricProviderContract('CloudWatch', async () => {
  await nextMinute();
  let through = async (): Promise<CloudWatchAccess> => access;
  const provider = providerOf(LOAD_BALANCER, () => through());
  const wholeMinute = (count: number, bad: number) => async (): Promise<void> => {
    await served(count, bad);
    await nextMinute();
  };
  return {
    // The suite looks back half a minute; a source of whole minutes is asked for the one in which that lies.
    provider: {
      ...provider,
      measure: (query, { to }, inner) => provider.measure(query, { from: before(to, minutes(1)), to }, inner),
    },
    now,
    busy: wholeMinute(40, 10),
    clean: wholeMinute(40, 0),
    silent: nextMinute,
    down: async () => {
      through = () => Promise.reject(new Failure({ what: 'Could not read metrics from CloudWatch' }));
    },
    close: async () => undefined,
  };
});

describe('what the load balancer measured', () => {
  const measure = (metric: string, length: Duration, above?: number) =>
    providerOf().measure(
      { metric, arm: 'candidate', ...(above === undefined ? {} : { above }) },
      { from: before(now(), length), to: now() },
      signal,
    );

  test('is added up over the minutes of the window; a minute without an error is one', async () => {
    await nextMinute();
    await served(30, 6);
    await nextMinute();
    await served(10, 0);
    await nextMinute();
    expect(await measure('error-rate', minutes(2))).toEqual({ kind: 'value', value: 0.15, samples: 40 });
    expect(await measure('requests', minutes(2))).toEqual({ kind: 'value', value: 40 / 120, samples: 1 });
    expect(await measure('p95', minutes(2), 2_000)).toMatchObject({ kind: 'value', samples: 40, slower: 0 });
    expect(await measure('mean', minutes(2))).toMatchObject({ kind: 'value', samples: 40 });
  });

  test('of requests that a target took and never answered is an error by the own load balancer, or where that is asked for', async () => {
    await nextMinute();
    await served(40, 12, 0);
    await nextMinute();
    const { LoadBalancer: loadBalancer = '' } = await access.dimensions('green', signal);
    const own: Meter = { kind: 'load-balancer', region: world.region, loadBalancer, targetGroup: undefined };
    const window = { from: before(now(), minutes(1)), to: now() };
    const read = (provider: MetricProvider) => provider.measure({ metric: 'error-rate', arm: 'candidate' }, window, signal);
    expect(await read(providerOf())).toEqual({ kind: 'value', value: 0, samples: 40 });
    expect(await read(providerOf({ kind: 'load-balancer', unanswered: 'errors' }))).toEqual({ kind: 'value', value: 0.3, samples: 40 });
    expect(await read(providerOf(LOAD_BALANCER, undefined, own))).toEqual({ kind: 'value', value: 0.3, samples: 40 });
  }); // prettier-ignore

  test.each([
    { name: 'that are still being answered are none', points: { requests: 100, class2: 96, busy: 240 }, value: 0 },
    { name: 'to which no connection came about are counted once', points: { requests: 100, class2: 90, failed: 4, unreached: 6 }, value: 0.1 },
    { name: 'whose answers overlap the minute are none', points: { requests: 100, class2: 104 }, value: 0 },
  ])('of unanswered requests: those $name', async ({ points, value }) => {
    const counted: CloudWatchAccess = {
      dimensions: async () => ({}),
      data: async () => new Map(Object.entries(points).map(([id, sum]) => [id, new Map([[now(), sum]])])),
    };
    const provider = providerOf({ kind: 'load-balancer', unanswered: 'errors' }, async () => counted);
    const window = { from: before(now(), minutes(1)), to: now() };
    expect(await provider.measure({ metric: 'error-rate', arm: 'candidate' }, window, signal)).toEqual({ kind: 'value', value, samples: 100 });
  }); // prettier-ignore

  test('of unanswered requests leaves the newest minute out, and the policy knows that', async () => {
    expect(providerOf().periods).toEqual({ length: minutes(1), delay: seconds(30) });
    expect(providerOf({ kind: 'load-balancer', unanswered: 'errors' }).periods).toEqual({ length: minutes(1), delay: seconds(90) });
  }); // prettier-ignore

  test('of a color without requests is no data', async () => {
    const window = { from: before(now(), minutes(2)), to: now() };
    expect(await providerOf().measure({ metric: 'error-rate', arm: 'stable' }, window, signal)).toEqual({
      kind: 'no-data',
    });
  });

  test('can be put together by maths of the user', async () => {
    await nextMinute();
    await served(20, 5);
    await nextMinute();
    const dimensions = await access.dimensions('green', signal);
    const of = (metric: string) => ({ namespace: 'AWS/ApplicationELB', metric, dimensions, stat: 'Sum' });
    const metrics = { bad: of('HTTPCode_Target_5XX_Count'), all: of('RequestCount') };
    const window = { from: before(now(), minutes(1)), to: now() };
    const ask = (query: CloudWatchQuery) => providerOf(query).measure({ metric: 'own', arm: 'candidate' }, window, signal);
    expect(await ask({ kind: 'ratio', metrics, bad: 'FILL(bad, 0) * 2', total: 'all' })).toEqual({ kind: 'value', value: 0.5, samples: 20 });
    expect(await ask({ kind: 'value', metrics, value: '100 * bad / all', samples: 'all' })).toEqual({ kind: 'value', value: 25, samples: 20 });
    const wrong = await ask({ kind: 'value', metrics, value: 'bad / nothing', samples: undefined });
    expect(messageOf((wrong as { cause: unknown }).cause)).toContain('nothing, which is no id');
  }); // prettier-ignore

  test('is judged by whole minutes: the newest one, which is still filling, is left out', async () => {
    const policy = policyOf(['error-rate > 5% for 2m'], { metrics: { 'error-rate': { from: 'cloudwatch' } } });
    await nextMinute();
    const begin = now();
    await served(20, 0);
    const sampleAfter = async (length: Duration) => {
      await world.advance(length);
      const look = { providers: { 'error-rate': providerOf() }, at: now(), begin };
      return (await measureAll(allSeries(policy), look, signal))[0];
    };
    expect(await sampleAfter(seconds(75))).toMatchObject({ reading: { kind: 'not-yet' } });
    await served(20, 20);
    const first = { kind: 'value', value: 0, samples: 20 };
    expect(await sampleAfter(seconds(15))).toMatchObject({
      to: after(begin, minutes(1)),
      window: 60_000,
      reading: first,
    });
    const second = { kind: 'value', value: 1, samples: 20 };
    expect(await sampleAfter(seconds(60))).toMatchObject({ to: after(begin, minutes(2)), reading: second });
  });

  test('of a target group that there is not is out of reach, which is not no data', async () => {
    const read = await cloudWatchMetric(
      { from: 'cloudwatch', delay: seconds(30), query: LOAD_BALANCER },
      {
        metric: 'error-rate',
        colorOf: () => 'green',
        targetGroupOf: () => 'missing',
        environment: () => undefined,
        cloudWatch: async () => access,
      },
    ).measure({ metric: 'error-rate', arm: 'candidate' }, { from: before(now(), minutes(1)), to: now() }, signal);
    expect(read).toMatchObject({ kind: 'unreachable' });
  });
});
