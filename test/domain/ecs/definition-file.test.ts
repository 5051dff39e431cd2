import { describe, expect, test } from '@jest/globals';
import { readDefinition } from '../../../src/domain/ecs/definition-file.ts';

const container = { name: 'web', image: 'r/web:1' };
const read = (given: Readonly<Record<string, unknown>>) =>
  readDefinition({ family: 'web', containerDefinitions: [container], ...given });

describe('a task definition that somebody wrote', () => {
  test('is passed through, with what is empty and meant', () => {
    const given = {
      family: 'web',
      containerDefinitions: [
        {
          ...container,
          environment: [{ name: 'EMPTY', value: '' }],
          logConfiguration: { logDriver: 'awslogs', options: { tag: '' } },
          command: [],
        },
      ],
      proxyConfiguration: { containerName: 'envoy', properties: [{ name: 'IgnoredUID', value: '' }] },
      volumes: [{ name: 'data', configuredAtLaunch: true }],
    };
    expect(readDefinition(given)).toEqual({ ok: true, value: { body: given, tags: {}, said: [] } });
  });

  const coerced = [
    {
      name: 'task sizes',
      given: { cpu: 256, memory: 512 },
      body: { cpu: '256', memory: '512' },
      said: ['cpu', 'memory'],
    },
    {
      name: 'values of the environment',
      given: { containerDefinitions: [{ ...container, environment: [{ name: 'PORT', value: 8080 }] }] },
      body: { containerDefinitions: [{ ...container, environment: [{ name: 'PORT', value: '8080' }] }] },
      said: ['containerDefinitions[0].environment[0].value'],
    },
    {
      name: 'ports',
      given: { containerDefinitions: [{ ...container, portMappings: [{ containerPort: '80' }] }] },
      body: { containerDefinitions: [{ ...container, portMappings: [{ containerPort: 80 }] }] },
      said: ['containerDefinitions[0].portMappings[0].containerPort'],
    },
    {
      name: 'flags',
      given: { containerDefinitions: [{ ...container, essential: 'false' }] },
      body: { containerDefinitions: [{ ...container, essential: false }] },
      said: ['containerDefinitions[0].essential'],
    },
  ];
  test.each(coerced)('has $name of the wrong type read safely, and says so', ({ given, body, said }) => {
    const result = read(given);
    expect(result).toMatchObject({ ok: true, value: { body } });
    expect(result).toMatchObject({
      value: { said: said.map((path) => expect.stringContaining(`${path} is taken as`)) },
    });
  });

  const wrong = [
    {
      name: 'two containers of one name',
      given: { containerDefinitions: [container, { ...container, name: 'proxy' }, container] },
      problem: {
        input: 'containerDefinitions[2].name',
        problem: 'is the name of another container too',
        accepted: 'a name of its own for each container',
      },
    },
    {
      name: 'a misspelt member',
      given: { containerDefinitons: [] },
      problem: { input: 'containerDefinitons', nearest: 'containerDefinitions' },
    },
    {
      name: 'a member in the wrong case',
      given: { containerDefinitions: [{ ...container, healthcheck: {} }] },
      problem: { input: 'containerDefinitions[0].healthcheck', nearest: 'healthCheck' },
    },
    {
      name: 'a member that ECS has nowhere here',
      given: { containerDefinitions: [{ ...container, replicas: 3 }] },
      problem: { input: 'containerDefinitions[0].replicas', accepted: expect.stringContaining('image') },
    },
    {
      name: 'text for a number',
      given: { ephemeralStorage: { sizeInGiB: 'big' } },
      problem: { input: 'ephemeralStorage.sizeInGiB' },
    },
    {
      name: 'a mapping for a list',
      given: { volumes: { name: 'x' } },
      problem: { input: 'volumes', problem: 'is not a list' },
    },
  ];
  test.each(wrong)('is refused for $name, by its path', ({ given, problem }) => {
    expect(read(given)).toMatchObject({ ok: false, problems: [problem] });
  });

  test('is refused for a wrong value without repeating it', () => {
    const secret = { containerDefinitions: [{ ...container, environment: [{ name: 'A', value: { s: 'hunter2' } }] }] };
    expect(JSON.stringify(read(secret))).not.toContain('hunter2');
  });

  test('may come from describe-task-definition: answer-only members go, tags stay', () => {
    const answer = {
      taskDefinition: {
        family: 'web',
        containerDefinitions: [container],
        taskDefinitionArn: 'arn',
        revision: 7,
        status: 'ACTIVE',
        compatibilities: ['EC2'],
        deleteRequestedAt: 1,
      },
      tags: [
        { key: 'team', value: 'web' },
        { key: 'aws:cloudformation:stack-name', value: 'x' },
      ],
    };
    expect(readDefinition(answer)).toEqual({
      ok: true,
      value: { body: { family: 'web', containerDefinitions: [container] }, tags: { team: 'web' }, said: [] },
    });
  });

  test('loses what a skeleton left empty, and null, and nothing else', () => {
    const result = read({ taskRoleArn: '', cpu: '', tags: [], pidMode: null, placementConstraints: [] });
    expect(result).toMatchObject({
      value: {
        body: { family: 'web', containerDefinitions: [container], placementConstraints: [] },
        said: ['taskRoleArn is empty and left out', 'cpu is empty and left out', 'tags is empty and left out'],
      },
    });
  });

  test.each([undefined, null, 'text', [], 7, {}])('%j is none', (given) => {
    expect(readDefinition(given)).toMatchObject({ ok: false });
  });
});
