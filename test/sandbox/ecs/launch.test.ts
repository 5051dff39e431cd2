import { describe, expect, test } from '@jest/globals';
import { FakeFront } from './fake-front.ts';

const front = () =>
  new FakeFront({ revision: 1, image: 'good' }, { revision: 2, image: 'good', volume: 'data' }).running();
const ROLE = 'arn:aws:iam::111111111111:role/ecs-volumes';
const volume = (more: object = {}, name = 'data') => [
  { name, managedEBSVolume: { roleArn: ROLE, sizeInGiB: 20, ...more } },
];

describe('volumes that are configured at launch', () => {
  test('stay until they are changed, and begin a deployment', async () => {
    const one = await front();
    const volumeConfigurations = volume();
    const updated = await one.call('UpdateService', { service: 'web', taskDefinition: 'web:2', volumeConfigurations });
    expect(updated.service.deployments[0]).toMatchObject({ volumeConfigurations });
    one.cloud.settle();
    const larger = await one.call('UpdateService', { service: 'web', volumeConfigurations: volume({ sizeInGiB: 30 }) });
    expect(larger.service.deployments).toHaveLength(2);
    // The definition of before does not wait for them.
    expect(await one.refused('UpdateService', { service: 'web', taskDefinition: 'web:1' })).toMatchObject({
      message: 'Volume configuration provided but no matching configuredAtLaunch volume found in task definition.',
    });
  });

  test.each([
    { name: 'of another name', given: volume({}, 'logs'), message: /no matching configuredAtLaunch volume/ },
    { name: 'without a role', given: volume({ roleArn: undefined }), message: /roleArn is required/ },
    { name: 'without a size', given: volume({ sizeInGiB: undefined }), message: /sizeInGiB or snapshotId/ },
    { name: 'of a type that is none', given: volume({ volumeType: 'gp9' }), message: /Invalid volumeType/ },
    { name: 'of io2 without IOPS', given: volume({ volumeType: 'io2' }), message: /iops is required/ },
    { name: 'with throughput of a disk', given: volume({ volumeType: 'st1', throughput: 200 }), message: /throughput/ },
    { name: 'of a filesystem that is none', given: volume({ filesystemType: 'zfs' }), message: /filesystemType/ },
  ])('are refused $name, for services and tasks', async ({ given: volumeConfigurations, message }) => {
    const one = await front();
    const asked = { taskDefinition: 'web:2', volumeConfigurations };
    for (const [call, input] of [
      ['UpdateService', { service: 'web', ...asked }],
      ['RunTask', asked],
    ] as const)
      expect(await one.refused(call, input)).toMatchObject({
        code: 'InvalidParameterException',
        message: expect.stringMatching(message),
      });
  });
});

describe('RunTask', () => {
  const task = { taskDefinition: 'web:1' };
  test.each([
    { name: 'tags of a service', input: { propagateTags: 'SERVICE' }, code: 'InvalidParameterException' },
    {
      name: 'a launch type beside providers',
      input: { launchType: 'FARGATE', capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT' }] },
      code: 'InvalidParameterException',
    },
    {
      name: 'providers that all weigh nothing',
      input: {
        capacityProviderStrategy: ['FARGATE', 'FARGATE_SPOT'].map((capacityProvider) => ({ capacityProvider })),
      },
      code: 'InvalidParameterException',
    },
    { name: 'a platform that is none', input: { platformVersion: '9.9.9' }, code: 'PlatformUnknownException' },
    { name: 'what is not played', input: { launchType: 'EC2' }, code: 'UnsupportedFeatureException' },
  ])('refuses $name', async ({ input, code }) => {
    expect((await (await front()).refused('RunTask', { ...task, ...input })).code).toBe(code);
  });

  test('shows the provider in place of a launch type', async () => {
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
    const { tasks } = await (await front()).call('RunTask', { ...task, capacityProviderStrategy });
    expect(tasks[0]).toMatchObject({ capacityProviderName: 'FARGATE_SPOT' });
    expect(tasks[0]).not.toHaveProperty('launchType');
  });

  test('takes one token for one request alone', async () => {
    const one = await front();
    const asked = { ...task, clientToken: 't', tags: [{ key: 'a', value: 'b' }] };
    const { tasks } = await one.call('RunTask', asked);
    expect((await one.call('RunTask', asked)).tasks[0]?.taskArn).toBe(tasks[0]?.taskArn);
    expect((await one.refused('RunTask', { ...asked, tags: [] })).code).toBe('ConflictException');
  });
});
