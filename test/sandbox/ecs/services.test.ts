import { describe, expect, test } from '@jest/globals';
import { BALANCER, SERVICE } from '../core/fake-cloud.ts';
import { FakeFront, SERVICE_INPUT } from './fake-front.ts';

const front = () =>
  new FakeFront(
    { revision: 1, image: 'good' },
    { revision: 2, image: 'good' },
    { revision: 4, image: 'good', status: 'INACTIVE' },
  );

describe('UpdateService', () => {
  const changes = [
    { name: 'another task definition', input: { taskDefinition: 'web:2' }, deployments: 2 },
    { name: 'the same task definition', input: { taskDefinition: 'web:1' }, deployments: 1 },
    { name: 'a forced deployment', input: { forceNewDeployment: true }, deployments: 2 },
    {
      name: 'a new network',
      input: { networkConfiguration: { awsvpcConfiguration: { subnets: ['a'] } } },
      deployments: 2,
    },
    { name: 'no load balancers', input: { loadBalancers: [] }, deployments: 2 },
    { name: 'another desired count', input: { desiredCount: 3 }, deployments: 1 },
    { name: 'other percentages', input: { deploymentConfiguration: { maximumPercent: 150 } }, deployments: 1 },
    { name: 'a grace period', input: { healthCheckGracePeriodSeconds: 60 }, deployments: 1 },
    { name: 'tag settings', input: { propagateTags: 'SERVICE' }, deployments: 1 },
  ];
  test.each(changes)('with $name shows $deployments deployment(s)', async ({ input, deployments }) => {
    const one = await front().running();
    const { service } = await one.call('UpdateService', { service: 'web', ...input });
    expect(service.deployments).toHaveLength(deployments);
  });

  test('changes only what is given', async () => {
    const configuration = { deploymentCircuitBreaker: { enable: true, rollback: true }, minimumHealthyPercent: 50 };
    const one = await front().running({ deploymentConfiguration: configuration, healthCheckGracePeriodSeconds: 30 });
    const { service } = await one.call('UpdateService', {
      service: SERVICE,
      deploymentConfiguration: { maximumPercent: 150 },
    });
    expect(service).toMatchObject({
      desiredCount: 2,
      healthCheckGracePeriodSeconds: 30,
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        minimumHealthyPercent: 50,
        maximumPercent: 150,
      },
    });
  });

  test.each([
    {
      name: 'a service that is not there',
      input: { service: 'api' },
      code: 'ServiceNotFoundException',
      message: 'Service not found.',
    },
    {
      name: 'an inactive task definition',
      input: { service: 'web', taskDefinition: 'web:4' },
      code: 'ClientException',
      message: 'TaskDefinition is inactive',
    },
    {
      name: 'an unknown task definition',
      input: { service: 'web', taskDefinition: 'web:99' },
      code: 'ClientException',
      message: 'TaskDefinition not found.',
    },
    {
      name: 'a negative count',
      input: { service: 'web', desiredCount: -1 },
      code: 'InvalidParameterException',
      message: 'desiredCount must not be negative.',
    },
  ])('refuses $name, and changes nothing', async ({ input, code, message }) => {
    const one = await front().running();
    const before = one.cloud.state;
    expect(await one.refused('UpdateService', input)).toMatchObject({ code, message });
    expect(one.cloud.state).toBe(before);
  });

  test('refuses a service that is deleted', async () => {
    const one = await front().running();
    await one.call('DeleteService', { service: 'web', force: true });
    expect((await one.refused('UpdateService', { service: 'web' })).code).toBe('ServiceNotActiveException');
  });

  test('refuses a target group that has lost its load balancer, when it deploys', async () => {
    const one = await front().running();
    one.cloud.send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [] });
    const refused = await one.refused('UpdateService', { service: 'web', taskDefinition: 'web:2' });
    expect(refused.message).toMatch(/does not have an associated load balancer/);
    expect((await one.call('UpdateService', { service: 'web', desiredCount: 1 })).service['desiredCount']).toBe(1);
  });
});

describe('DescribeServices', () => {
  test('shows services by name and by ARN, and misses by ARN', async () => {
    const one = await front().running();
    const answer = await one.call('DescribeServices', { services: ['web', SERVICE, 'api'] });
    expect(answer.services.map(({ runningCount }) => runningCount)).toEqual([2, 2]);
    expect(answer['failures']).toEqual([{ arn: SERVICE.replace(/web$/, 'api'), reason: 'MISSING' }]);
  });

  test('shows tags only when they are asked for', async () => {
    const one = await front().running({ tags: [{ key: 'sluice:run', value: '7' }] });
    const [without] = (await one.call('DescribeServices', { services: ['web'] })).services;
    const [included] = (await one.call('DescribeServices', { services: ['web'], include: ['TAGS'] })).services;
    expect(without).not.toHaveProperty('tags');
    expect(included).toMatchObject({ tags: [{ key: 'sluice:run', value: '7' }] });
  });

  test('shows events newest first, with dates in seconds', async () => {
    const one = await front().running();
    const [service] = (await one.call('DescribeServices', { services: ['web'] })).services;
    const [newest] = service?.['events'] as readonly { message: string; createdAt: number }[];
    expect(newest).toMatchObject({
      message: '(service web) has reached a steady state.',
      createdAt: one.cloud.now / 1_000,
    });
  });

  test('refuses more than ten services and none', async () => {
    const eleven = Array.from({ length: 11 }, (_, index) => `s${index}`);
    expect((await front().refused('DescribeServices', { services: eleven })).code).toBe('InvalidParameterException');
    expect((await front().refused('DescribeServices', { services: [] })).code).toBe('InvalidParameterException');
  });

  test('answers as before the last UpdateService while reads are stale', async () => {
    const one = await front().running();
    one.cloud.send({ kind: 'stale-reads-set', count: 2 });
    const updated = await one.call('UpdateService', { service: 'web', taskDefinition: 'web:2' });
    const look = async () => (await one.call('DescribeServices', { services: ['web'] })).services[0]?.deployments;
    const old = [expect.objectContaining({ rolloutState: 'COMPLETED', runningCount: 2 })];
    expect(await look()).toEqual(old);
    expect(await look()).toEqual(old);
    expect((await look())?.[0]?.id).toBe(updated.service.deployments[0]?.id);
  });
});

describe('DeleteService', () => {
  test('needs force while tasks are wanted', async () => {
    const one = await front().running();
    const refused = await one.refused('DeleteService', { service: 'web' });
    expect(refused.message).toBe('The service cannot be stopped while it is scaled above 0.');
    expect((await one.call('DeleteService', { service: 'web', force: true })).service['status']).toBe('DRAINING');
  });
});

test('ListServices pages through the services of one cluster', async () => {
  const one = front();
  for (const serviceName of ['a', 'b', 'c']) await one.call('CreateService', { ...SERVICE_INPUT, serviceName });
  const first = await one.call('ListServices', { maxResults: 2 });
  const second = await one.call('ListServices', { maxResults: 2, nextToken: first.nextToken });
  expect([...first.serviceArns, ...second.serviceArns].map((arn) => arn.at(-1))).toEqual(['a', 'b', 'c']);
  expect(second.nextToken).toBeUndefined();
  expect((await one.refused('ListServices', { nextToken: '!' })).message).toBe('Invalid token');
});

describe('clusters', () => {
  test('are created once and described with what runs in them', async () => {
    const one = await front().running();
    await one.call('CreateCluster', { clusterName: 'main' });
    const answer = await one.call('DescribeClusters', { clusters: ['main', 'gone'] });
    expect(answer['clusters']).toMatchObject([{ clusterName: 'main', runningTasksCount: 2, activeServicesCount: 1 }]);
    expect(answer['failures']).toEqual([{ arn: 'arn:aws:ecs:us-west-2:111111111111:cluster/gone', reason: 'MISSING' }]);
  });
});

describe('tags', () => {
  test('are set, replaced and removed on a service', async () => {
    const one = await front().running({ tags: [{ key: 'a', value: '1' }] });
    const tags = [
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
    ];
    await one.call('TagResource', { resourceArn: SERVICE, tags });
    expect(await one.call('ListTagsForResource', { resourceArn: SERVICE })).toEqual({ tags });
    await one.call('UntagResource', { resourceArn: SERVICE, tagKeys: ['a', 'unknown'] });
    expect(await one.call('ListTagsForResource', { resourceArn: SERVICE })).toEqual({
      tags: [{ key: 'b', value: '3' }],
    });
  });

  test('are refused on what is not there', async () => {
    const refused = await front().refused('TagResource', { resourceArn: SERVICE, tags: [] });
    expect(refused.code).toBe('ResourceNotFoundException');
  });
});

test('an operation that is not modelled says so', async () => {
  expect(await front().refused('CreateTaskSet')).toEqual({
    kind: 'error',
    code: 'UnsupportedFeatureException',
    message: 'The sandbox does not model ecs:CreateTaskSet',
    status: 400,
  });
});
