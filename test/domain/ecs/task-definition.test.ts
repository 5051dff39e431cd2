import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type TaskDefinitionBody,
  imagesOf,
  sameDefinition,
  toRegistrable,
  withImages,
} from '../../../src/domain/ecs/task-definition.ts';

/** Every member that DescribeTaskDefinition may answer (client-ecs 3.1162), with one that no SDK knows yet. */
const DESCRIBED: TaskDefinitionBody = {
  taskDefinitionArn: 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:7',
  revision: 7,
  status: 'ACTIVE',
  requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.ecr-auth' }],
  compatibilities: ['EC2', 'FARGATE'],
  registeredAt: 1_700_000_000,
  deregisteredAt: 1_700_000_001,
  deleteRequestedAt: 1_700_000_002,
  registeredBy: 'arn:aws:iam::111122223333:user/x',
  family: 'web',
  taskRoleArn: 'role',
  executionRoleArn: 'role',
  networkMode: 'awsvpc',
  containerDefinitions: [
    {
      name: 'web',
      image: 'r.example.com/web:1',
      environment: [{ name: 'EMPTY', value: '' }],
      restartPolicy: { enabled: false },
    },
    { name: 'proxy', image: 'r.example.com/proxy:1', essential: false },
  ],
  volumes: [],
  placementConstraints: [],
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  pidMode: 'task',
  ipcMode: 'none',
  proxyConfiguration: { type: 'APPMESH', containerName: 'proxy', properties: [{ name: 'IgnoredUID', value: '' }] },
  ephemeralStorage: { sizeInGiB: 21 },
  runtimePlatform: { cpuArchitecture: 'ARM64' },
  enableFaultInjection: false,
  someFieldOfNextYear: { kept: [] },
};

const ANSWER_ONLY = [
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'deleteRequestedAt',
  'registeredBy',
];

describe('a described task definition', () => {
  test('loses exactly the nine fields that only an answer has', () => {
    const { body } = toRegistrable(DESCRIBED, {});
    expect(Object.keys(DESCRIBED).filter((key) => !(key in body))).toEqual(ANSWER_ONLY);
  });

  test('keeps empty strings, false, empty lists and what nobody knows yet', () => {
    const { body } = toRegistrable(DESCRIBED, {});
    expect(body).toMatchObject({
      volumes: [],
      enableFaultInjection: false,
      someFieldOfNextYear: { kept: [] },
      proxyConfiguration: { properties: [{ name: 'IgnoredUID', value: '' }] },
      containerDefinitions: [{ environment: [{ name: 'EMPTY', value: '' }], restartPolicy: { enabled: false } }, {}],
    });
  });

  test('keeps its tags but those reserved for AWS in any case', () => {
    expect(
      toRegistrable(DESCRIBED, { team: 'web', 'aws:cloudformation:stack-name': 's', 'AWS:x': 'y', awsome: 'z' }).tags,
    ).toEqual({ team: 'web', awsome: 'z' });
  });

  test('loses inference accelerators with a warning', () => {
    const { body, warnings } = toRegistrable({ ...DESCRIBED, inferenceAccelerators: [{ deviceName: 'd' }] }, {});
    expect(body).not.toHaveProperty('inferenceAccelerators');
    expect(warnings).toEqual([
      'inferenceAccelerators is left out of the new revision: AWS ended Elastic Inference in 2023',
    ]);
  });

  test('is a fixed point: registering what was registered changes nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const once = toRegistrable(body, {}).body;
        expect(toRegistrable({ ...once, revision: 8, status: 'ACTIVE' }, {}).body).toEqual(once);
      }),
    );
  });
});

describe('images', () => {
  test('are set for the named containers alone', () => {
    const { body, changes } = withImages(DESCRIBED, { web: 'r.example.com/web:2' }, 'web');
    expect(changes).toEqual([{ container: 'web', from: 'r.example.com/web:1', to: 'r.example.com/web:2' }]);
    expect(imagesOf(body)).toEqual({ web: 'r.example.com/web:2', proxy: 'r.example.com/proxy:1' });
  });

  test('are set for several containers at once', () => {
    const { body } = withImages(DESCRIBED, { web: 'w:2', proxy: 'p:2' }, 'web');
    expect(imagesOf(body)).toEqual({ web: 'w:2', proxy: 'p:2' });
  });

  test('that are there already need no new revision', () => {
    const { body, changes } = withImages(DESCRIBED, { web: 'r.example.com/web:1' }, 'web');
    expect(changes).toEqual([]);
    expect(body).toBe(DESCRIBED);
  });

  test('without a container name go to the only container', () => {
    const only = { containerDefinitions: [{ name: 'web', image: 'a:1' }] };
    expect(withImages(only, 'a:2', 'web').changes).toEqual([{ container: 'web', from: 'a:1', to: 'a:2' }]);
  });

  test('without a container name are refused when there are several', () => {
    expect(() => withImages(DESCRIBED, 'a:2', 'web')).toThrow(
      'Could not tell which container of task definition web gets the image: it has 2: web, proxy. Nothing was changed. Set the input container to one of them, or name the image of each by containers.',
    );
  });

  test('for a container that is not there name the nearest one and the list', () => {
    expect(() => withImages(DESCRIBED, { prox: 'a:2' }, 'web')).toThrow(
      'Task definition web has no container prox: its containers are web, proxy. Nothing was changed. Did you mean proxy? Set the input container.',
    );
  });
});

describe('two revisions', () => {
  const rows = [
    {
      name: 'with other revision numbers are the same',
      other: { ...DESCRIBED, revision: 8, taskDefinitionArn: 'arn:other' },
      same: true,
    },
    {
      name: 'with keys in another order are the same',
      other: Object.fromEntries(Object.entries(DESCRIBED).reverse()),
      same: true,
    },
    {
      name: 'are the same when one answers an empty list for what the other never set',
      other: { ...DESCRIBED, systemControls: [] },
      same: true,
    },
    { name: 'with another image differ', other: withImages(DESCRIBED, { web: 'w:2' }, 'web').body, same: false },
    { name: 'with other memory differ', other: { ...DESCRIBED, memory: '1024' }, same: false },
    {
      name: 'differ by an empty environment value',
      other: { ...DESCRIBED, containerDefinitions: [{ name: 'web', image: 'r.example.com/web:1' }] },
      same: false,
    },
  ];
  test.each(rows)('$name', ({ other, same }) => {
    expect(sameDefinition(DESCRIBED, other)).toBe(same);
  });
});
