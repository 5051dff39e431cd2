import { describe, expect, test } from '@jest/globals';
import { type ContainerEdits, readContainerEdits, withEdits } from '../../../src/domain/ecs/container-edits.ts';
import { diffDefinitions } from '../../../src/domain/ecs/definition-diff.ts';
import { sameDefinition } from '../../../src/domain/ecs/task-definition.ts';

const BODY = {
  family: 'web',
  cpu: '256',
  containerDefinitions: [
    {
      name: 'web',
      image: 'r/web:1',
      command: ['old'],
      environment: [
        { name: 'KEEP', value: 'a' },
        { name: 'OLD', value: 'b' },
      ],
      secrets: [{ name: 'DB', valueFrom: 'arn:db' }],
      logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'g', tag: '' } },
      dockerLabels: { a: '1' },
    },
    { name: 'proxy', image: 'r/proxy:1' },
  ],
};
const edited = (edits: unknown) => {
  const read = readContainerEdits(edits) as { readonly value: ContainerEdits };
  const [web, proxy] = withEdits(BODY, read.value, 'web')['containerDefinitions'] as readonly Record<string, unknown>[];
  return { web, proxy };
};

describe('changes by container', () => {
  const rows = [
    {
      name: 'variables are set, replaced in their place, and taken away',
      edits: { environment: { KEEP: 'x=y, z', NEW: 8080, OLD: null } },
      web: {
        environment: [
          { name: 'KEEP', value: 'x=y, z' },
          { name: 'NEW', value: '8080' },
        ],
      },
    },
    {
      name: 'secrets are set and taken away',
      edits: { secrets: { DB: null, API: 'arn:aws:ssm:r:1:parameter/api' } },
      web: { secrets: [{ name: 'API', valueFrom: 'arn:aws:ssm:r:1:parameter/api' }] },
    },
    {
      name: 'a variable becomes a secret',
      edits: { secrets: { OLD: 'arn:old' } },
      web: {
        environment: [{ name: 'KEEP', value: 'a' }],
        secrets: [
          { name: 'DB', valueFrom: 'arn:db' },
          { name: 'OLD', valueFrom: 'arn:old' },
        ],
      },
    },
    {
      name: 'words of a command are not split',
      edits: { command: ['sh', '-c', 'echo "a b"'] },
      web: { command: ['sh', '-c', 'echo "a b"'] },
    },
    {
      name: 'options of the log are merged, whatever stands in them',
      edits: { 'log-options': { 'awslogs-datetime-format': '%Y=%m' } },
      web: {
        logConfiguration: {
          logDriver: 'awslogs',
          options: { 'awslogs-group': 'g', tag: '', 'awslogs-datetime-format': '%Y=%m' },
        },
      },
    },
    {
      name: 'files of variables take the place of those that are there',
      edits: { 'environment-files': ['arn:aws:s3:::config/web.env'] },
      web: { environmentFiles: [{ value: 'arn:aws:s3:::config/web.env', type: 's3' }] },
    },
    { name: 'labels are merged', edits: { labels: { b: 'x=1', a: null } }, web: { dockerLabels: { b: 'x=1' } } },
    { name: 'an image is set', edits: { image: 'r/web:2' }, web: { image: 'r/web:2' } },
  ];
  test.each(rows)('$name', ({ edits, web }) => {
    expect(edited({ web: edits })).toMatchObject({ web, proxy: { name: 'proxy', image: 'r/proxy:1' } });
  });

  test('a command is taken away, so that the one of the image runs', () => {
    expect(edited({ web: { command: null } }).web).not.toHaveProperty('command');
  });

  test('a container that is not there is named with the nearest one', () => {
    expect(() => edited({ wbe: { image: 'a:1' } })).toThrow(
      'Task definition web has no container wbe, which the input containers names: its containers are web, proxy. Nothing was changed. Did you mean web?',
    );
  });

  test('options without a driver need one', () => {
    expect(() => edited({ proxy: { 'log-options': { a: 'b' } } })).toThrow('it has no log driver');
    expect(edited({ proxy: { 'log-driver': 'awslogs' } }).proxy).toMatchObject({
      logConfiguration: { logDriver: 'awslogs' },
    });
  });

  const wrong = [
    {
      name: 'a key that is not known',
      edits: { web: { enviroment: {} } },
      told: 'web.enviroment: is not a key of this place',
    },
    { name: 'a command as one text', edits: { web: { command: 'node x' } }, told: 'web.command: is not a list' },
    {
      name: 'a file of variables that is elsewhere',
      edits: { web: { 'environment-files': ['web.env'] } },
      told: 'web.environment-files[0]: is no .env file of S3',
    },
    {
      name: 'variables as a list',
      edits: { web: { environment: ['A=b'] } },
      told: 'web.environment: is not a mapping',
    },
    {
      name: 'a name that is both',
      edits: { web: { environment: { A: 'x' }, secrets: { A: 'arn' } } },
      told: 'web.secrets.A: is set in environment too',
    },
  ];
  test.each(wrong)('are refused for $name', ({ edits, told }) => {
    expect(readContainerEdits(edits)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(told),
      given: 'hidden',
    });
  });

  test('are refused without repeating a value', () => {
    expect(
      JSON.stringify(readContainerEdits({ web: { environment: { A: ['hunter2'] }, nonsense: 'hunter2' } })),
    ).not.toContain('hunter2');
  });
});

describe('what a plan shows', () => {
  test('is each change by its path, with secret values hidden', () => {
    const edits = {
      web: {
        image: 'r/web:2',
        environment: { LOG: 'info', OLD: null, DB_PASSWORD: 'hunter2' },
        secrets: { API: 'arn:api' },
        command: ['new'],
      },
    };
    const read = readContainerEdits(edits) as { readonly value: ContainerEdits };
    expect(diffDefinitions(BODY, withEdits(BODY, read.value, 'web'))).toEqual([
      '- web.command: ["old"]',
      '+ web.command: ["new"]',
      '- web.environment.OLD: b',
      '- web.image: r/web:1',
      '+ web.image: r/web:2',
      '+ web.environment.DB_PASSWORD: ***',
      '+ web.environment.LOG: info',
      '+ web.secrets.API: arn:api',
    ]);
  });

  test('is a change of a secret value without the values', () => {
    const password = (value: string) => ({
      containerDefinitions: [{ name: 'web', environment: [{ name: 'PASSWORD', value }] }],
    });
    expect(diffDefinitions(password('a'), password('b'))).toEqual(['~ web.environment.PASSWORD: ***']);
  });
});

describe('two definitions are the same', () => {
  const written = {
    family: 'web',
    networkMode: 'awsvpc',
    cpu: '0.25 vCPU',
    memory: '1 GB',
    containerDefinitions: [
      {
        name: 'web',
        image: 'r/web:1',
        portMappings: [{ containerPort: 80 }],
        environment: [
          { name: 'B', value: '2' },
          { name: 'A', value: '1' },
        ],
        healthCheck: { command: ['CMD', 'true'] },
      },
    ],
  };
  const described = {
    ...written,
    taskDefinitionArn: 'arn',
    revision: 3,
    cpu: '256',
    memory: '1024',
    volumes: [],
    placementConstraints: [],
    containerDefinitions: [
      {
        name: 'web',
        image: 'r/web:1',
        cpu: 0,
        essential: true,
        portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }],
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        healthCheck: { command: ['CMD', 'true'], interval: 30, timeout: 5, retries: 3 },
        mountPoints: [],
        volumesFrom: [],
        systemControls: [],
      },
    ],
  };

  test('when one has only what ECS filled in', () => {
    expect(sameDefinition(written, described)).toBe(true);
    expect(diffDefinitions(described, written)).toEqual([]);
  });

  const others = [
    { name: 'another port', change: { portMappings: [{ containerPort: 81 }] } },
    {
      name: 'another value',
      change: {
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
        ],
      },
    },
    { name: 'a container that is not essential', change: { essential: false } },
    { name: 'another health check', change: { healthCheck: { command: ['CMD', 'true'], interval: 10 } } },
  ];
  test.each(others)('and not with $name', ({ change }) => {
    const container = { ...written.containerDefinitions[0], ...change };
    expect(sameDefinition({ ...written, containerDefinitions: [container] }, described)).toBe(false);
  });
});
