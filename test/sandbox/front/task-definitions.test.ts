import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  DeleteTaskDefinitionsCommand,
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  TagResourceCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-ecs';
import type { World } from '../../../sandbox/cloud.ts';
import { aCloud, failureOf } from './a-cloud.ts';

const cloud = aCloud('lock-step');
let world: World;
let ecs: ECSClient;
beforeAll(async () => {
  world = await cloud().createWorld();
  ecs = new ECSClient(world.client());
});

const fargate: RegisterTaskDefinitionCommandInput = {
  family: 'charts',
  requiresCompatibilities: ['FARGATE'],
  networkMode: 'awsvpc',
  cpu: '256',
  memory: '512',
  containerDefinitions: [{ name: 'web', image: 'docker.io/library/nginx:1' }],
};
const register = (change: Partial<RegisterTaskDefinitionCommandInput>) =>
  ecs.send(new RegisterTaskDefinitionCommand({ ...fargate, ...change }));
const web = (change: object) => ({ containerDefinitions: [{ name: 'web', image: 'nginx', ...change }] });

describe('RegisterTaskDefinition refuses', () => {
  test.each<[name: string, change: object, says: string]>([
    [
      'a size that Fargate has not',
      { cpu: '3', memory: '7' },
      'No Fargate configuration exists for given values: 3 CPU, 7 memory',
    ],
    ['a size whose parts do not go together', { cpu: '512', memory: '512' }, 'No Fargate configuration exists'],
    ['no cpu on Fargate', { cpu: undefined }, "Fargate requires that 'cpu' be defined at the task level."],
    ['no memory on Fargate', { memory: undefined }, "Fargate requires that 'memory' be defined at the task level."],
    ['bridge networking on Fargate', { networkMode: 'bridge' }, 'Fargate only supports network mode'],
    ['an image with spaces', web({ image: 'x y z !!' }), 'Container.image contains invalid characters.'],
    ['an image in capitals', web({ image: 'ghcr.io/Acme/Shop:1' }), 'Container.image contains invalid characters.'],
    ['an image with half a digest', web({ image: 'nginx@sha256:abc' }), 'Container.image contains invalid characters.'],
    ['no image', web({ image: '' }), 'Container.image should not be null or empty.'],
    ['a container name with a space', web({ name: 'a b' }), 'Container.name contains invalid characters.'],
    ['a family with a slash', { family: 'a/b' }, 'Family contains invalid characters.'],
    ['no container', { containerDefinitions: [] }, 'Container list cannot be empty.'],
    ['only containers that may fail', web({ essential: false }), 'At least one container must be marked as essential.'],
    ['a number for cpu', { cpu: 256 }, 'NUMBER_VALUE can not be converted to a String'],
    [
      'a number as the value of a variable',
      web({ environment: [{ name: 'PORT', value: 8080 }] }),
      'NUMBER_VALUE can not be converted to a String',
    ],
    [
      'a text for a port',
      web({ portMappings: [{ containerPort: '80' }] }),
      'STRING_VALUE cannot be converted to Integer',
    ],
  ])('%s', async (_name, change, says) => {
    expect(await failureOf(register(change))).toMatchObject({
      message: expect.stringContaining(says),
      attempts: 1,
      status: 400,
    });
  });
});

describe('a task definition', () => {
  test.each([
    ['0.5 vCPU', '1 GB', '512', '1024'],
    ['.25 vcpu', '512', '256', '512'],
    ['16384', '32 GB', '16384', '32768'],
  ])('of %s and %s is kept in units', async (cpu, memory, units, mebibytes) => {
    const { taskDefinition } = await register({ family: 'sizes', cpu, memory });
    expect(taskDefinition).toMatchObject({ cpu: units, memory: mebibytes });
  });

  test('says its tags, who registered it and when, and what newer containers have', async () => {
    const { taskDefinition, tags } = await register({
      family: 'newer',
      enableFaultInjection: true,
      tags: [{ key: 'a', value: 'b' }],
      ...web({ restartPolicy: { enabled: true }, versionConsistency: 'disabled' }),
    });
    const read = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'newer', include: ['TAGS'] }));
    expect(tags).toEqual([{ key: 'a', value: 'b' }]);
    expect(read.tags).toEqual(tags);
    expect(taskDefinition?.registeredAt?.getTime()).toBe(world.now());
    expect(taskDefinition?.registeredBy).toBe(`arn:aws:sts::${world.account}:assumed-role/sandbox/fixture`);
    expect(read.taskDefinition).toMatchObject({
      enableFaultInjection: true,
      containerDefinitions: [{ restartPolicy: { enabled: true }, versionConsistency: 'disabled' }],
    });
  });

  test('is listed newest first and in pages when asked so', async () => {
    for (let count = 0; count < 11; count++) await register({ family: 'many' });
    const first = await ecs.send(
      new ListTaskDefinitionsCommand({ familyPrefix: 'many', sort: 'DESC', maxResults: 10 }),
    );
    const rest = await ecs.send(
      new ListTaskDefinitionsCommand({
        familyPrefix: 'many',
        sort: 'DESC',
        maxResults: 10,
        nextToken: first.nextToken,
      }),
    );
    const revisions = [...(first.taskDefinitionArns ?? []), ...(rest.taskDefinitionArns ?? [])].map((arn) =>
      Number(arn.split(':').at(-1)),
    );
    expect(revisions).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(rest.nextToken).toBeUndefined();
  });

  test('asked by its family is the newest ACTIVE one; an inactive one is still described, with its end', async () => {
    await register({ family: 'two' });
    await register({ family: 'two' });
    await world.advance(60_000);
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: 'two:2' }));
    const newest = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'two' }));
    const gone = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'two:2' }));
    expect(newest.taskDefinition?.revision).toBe(1);
    expect(gone.taskDefinition).toMatchObject({ status: 'INACTIVE', deregisteredAt: new Date(world.now()) });
  });

  test('is deleted only when it is inactive', async () => {
    await register({ family: 'three' });
    const early = await ecs.send(new DeleteTaskDefinitionsCommand({ taskDefinitions: ['three:1'] }));
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: 'three:1' }));
    const late = await ecs.send(new DeleteTaskDefinitionsCommand({ taskDefinitions: ['three:1'] }));
    expect(early.failures).toHaveLength(1);
    expect(late.taskDefinitions?.[0]?.status).toBe('DELETE_IN_PROGRESS');
  });

  test('takes tags later', async () => {
    const { taskDefinition } = await register({ family: 'tagged' });
    const resourceArn = taskDefinition?.taskDefinitionArn ?? '';
    await ecs.send(new TagResourceCommand({ resourceArn, tags: [{ key: 'sluice:release', value: '1' }] }));
    const { tags } = await ecs.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual([{ key: 'sluice:release', value: '1' }]);
  });

  test('that does not exist is a ClientException, asked for once', async () => {
    const failure = await failureOf(ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'ghost:1' })));
    expect(failure).toMatchObject({ name: 'ClientException', attempts: 1 });
  });
});
