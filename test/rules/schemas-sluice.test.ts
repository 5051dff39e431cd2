import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { readTargetHeaders } from '../../src/domain/checks/load.ts';
import { type InputField, type InputProblem, list, structure, text } from '../../src/domain/inputs.ts';
import { stageInputs } from '../../src/domain/stage-inputs.ts';
import { readConfig, unknownStageKeys } from '../../src/runtime/read-config.ts';
import { readInputs } from '../../src/runtime/read-inputs.ts';
import { INPUT_ONLY_KEYS, STAGE_KEYS } from '../../src/runtime/stage-keys.ts';
import { actionNames, readContract } from '../../tools/docs/action-contract.ts';
import { keysOf, sluiceSchema } from '../../tools/docs/schemas-sluice.ts';
import { VALUES, complaintsOf, mutantsOf, validatorOf } from './schemas.ts';
import { ROOT, sourceFiles } from './tracked.ts';

const contracts = await Promise.all(actionNames(ROOT).map((name) => readContract(ROOT, name)));
const validate = validatorOf(sluiceSchema(contracts));

/** Every key that an action reads from a stage, with the action. */
const fields = contracts.flatMap(({ name: action, spec }) =>
  Object.entries(spec)
    .filter(([, field]) => field.from === 'stage')
    .map(([key, field]) => ({ action, key, field })),
);

let workspace = '';
beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), 'sluice-schema-'));
});
afterAll(() => rmSync(workspace, { recursive: true }));

/** Judged by the action's own code after its single values were read. */
const JUDGED_LATER: Readonly<Record<string, (value: unknown) => boolean>> = {
  headers: (value) => readTargetHeaders(value).ok,
};

async function isTaken(
  key: string,
  field: InputField<unknown>,
  stage: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  writeFileSync(join(workspace, 'sluice.yml'), stringify({ stages: { staging: stage } }));
  const read = await readInputs(
    { ...stageInputs, [key]: { ...field, required: false } },
    { action: 'any', environment: { INPUT_STAGE: 'staging' }, workspace, mask: () => undefined },
  );
  return read.ok && (JUDGED_LATER[key] ?? (() => true))(stage[key]);
}

const VOLUME = {
  'role-arn': 'arn:aws:iam::123456789012:role/ecs-volumes',
  'size-gib': 20,
  snapshot: 'snap-1',
  type: 'gp3',
  iops: 3000,
  'throughput-mib': 200,
  encrypted: true,
  'kms-key': 'alias/{stage}',
  filesystem: 'xfs',
  'initialization-rate-mib': 200,
  tags: { team: 'shop', cost: 3 },
};

const ONE_OFF_TASK = {
  container: 'web',
  command: ['node', 'migrate.js'],
  environment: { TARGET: '{stage}', RETRIES: 3, DRY: false },
  timeout: '10m',
  subnets: ['subnet-1'],
  'security-groups': ['sg-1'],
  'assign-public-ip': true,
  'launch-type': 'FARGATE',
  'platform-version': '1.4.0',
  volumes: { data: { ...VOLUME, 'delete-on-termination': false } },
  'propagate-tags': 'task-definition',
  'enable-ecs-managed-tags': true,
  tags: { team: 'shop' },
  'on-unknown': 'run',
};

/** Of an entry of `service-group`: each of its places is changed in many ways. */
const SMALL_TASK = { command: ['node', 'migrate.js'], timeout: '10m' };

const SETTINGS = { volumes: { data: VOLUME }, 'propagate-tags': 'service', 'enable-ecs-managed-tags': false };

const NESTED: Readonly<Record<string, unknown>> = {
  'pre-deploy-task': ONE_OFF_TASK,
  'post-deploy-task': {
    ...SMALL_TASK,
    'capacity-providers': [{ provider: 'FARGATE_SPOT', weight: 1, base: 0 }],
  },
  'service-settings': SETTINGS,
  router: {
    alb: { listener: 'shop-alb', port: 443, rule: 10 },
    colors: { blue: 'shop-blue', green: 'shop-green' },
  },
  'after-promote': [['npm', 'run', 'purge', 3], { run: ['./clean.sh'], timeout: '10m', database: true }],
  'after-rollback': [['./flush.sh']],
  routes: [
    { alb: { listener: 'shop-alb', port: 443, rule: 10 }, colors: { blue: 'web-blue', green: 'web-green' } },
    {
      alb: { rule: 'arn:aws:elasticloadbalancing:us-west-2:1:listener-rule/app/a/b/c/d' },
      colors: { blue: 'b', green: 'g' },
    },
  ],
  services: { blue: 'shop-blue', green: 'shop-green' },
  'service-group': [
    { service: '{stage}-api', image: 'api', container: 'web', 'pre-deploy-task': SMALL_TASK },
    {
      service: 'web',
      'task-definition': 'deploy/web.yml',
      containers: { web: { image: 'web', environment: { LOG_LEVEL: 'info' } } },
      'task-role-arn': 'arn:aws:iam::123456789012:role/{stage}-web',
      'execution-role-arn': 'arn:aws:iam::123456789012:role/web',
      'service-settings': { 'propagate-tags': 'service' },
      'post-deploy-task': SMALL_TASK,
      'depends-on': ['{stage}-api'],
    },
  ],
  'candidate-headers': { 'X-Color': '{color}', 'X-Count': 3 },
  headers: { Authorization: 'Bearer ${TOKEN}', 'X-Route': 'green' },
  placeholders: { HOST: '{stage}.example.com', PORT: 443, DEBUG: false },
  containers: {
    web: {
      image: 'api',
      environment: { LOG_LEVEL: 'info', WORKERS: 3, DEBUG: false, OLD: null },
      secrets: { KEY: 'arn:aws:ssm:us-west-2:123456789012:parameter/key' },
      command: ['node', 'server.js', 3],
      'log-driver': 'awslogs',
      'log-options': { 'awslogs-group': '{stage}-web' },
      labels: { team: 'shop' },
      'environment-files': ['arn:aws:s3:::config/web.env'],
    },
    proxy: { command: null },
  },
  groups: [
    { name: 'all', approvers: ['user:alice'] },
    {
      name: '{stage}-security',
      approvers: ['team:acme/security', 'user:bob'],
      minimum: 2,
      when: { paths: ['infra/**'], labels: ['security'] },
    },
  ],
  windows: [
    { at: '02:00', tz: 'UTC', duration: '2h' },
    { weekday: ['Sun', 'monday'], nth: 2, at: '2:00', tz: 'America/New_York', duration: '2h' },
    { weekday: 'sun', nth: 'last', at: '02:00', tz: 'Europe/Berlin', duration: '90m' },
    { cron: '0 2 * * sun#2', tz: 'Europe/Berlin', duration: '1d' },
  ],
  freezes: [
    { from: '2026-12-20', to: '2027-01-02', tz: 'Europe/Berlin', reason: 'Christmas' },
    { from: '2026-12-20T18:00:00Z', to: '2026-12-21T18:00:00+01:00', reason: 'Audit', environments: ['production'] },
    { from: '2026-12-20T18:00', to: '2026-12-21T18:00', tz: 'UTC', reason: 'Move' },
  ],
};

const isInSchema = (key: string, value: unknown): boolean => validate({ stages: { staging: { [key]: value } } });

/** As the reader gets it: with the name of the stage in it. */
const inStage = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('{stage}', 'staging'));

describe('the schema of a stage', () => {
  test.each(Object.entries(NESTED))('takes %s with everything that it can hold', (key, value) => {
    expect(complaintsOf(validate, { stages: { staging: { [key]: value } } })).toEqual([]);
  });

  test('knows no structure that this test leaves out', () => {
    const nested = fields.filter(({ field }) => field.form === 'structure').map(({ key }) => key);
    expect(nested.filter((key) => NESTED[key] === undefined && key !== 'expect-status')).toEqual([]);
  });

  test.each(fields)('takes of $key whatever $action reads', async ({ key, field }) => {
    const taken: unknown[] = [];
    for (const value of VALUES) if (await isTaken(key, field, { [key]: value })) taken.push(value);
    expect(taken.length + (NESTED[key] === undefined ? 0 : 1)).toBeGreaterThan(0);
    expect(taken.filter((value) => !isInSchema(key, value))).toEqual([]);
  });

  test.each(fields.filter(({ key }) => NESTED[key] !== undefined))(
    'takes of $key whatever $action reads, with any one place of it changed',
    ({ key, field }) => {
      const read = JUDGED_LATER[key] ?? ((value: unknown) => field.read(value).ok);
      const taken = mutantsOf(NESTED[key]).filter(({ document }) => read(inStage(document)));
      expect(taken.length).toBeGreaterThan(5);
      expect(taken.filter(({ document }) => !isInSchema(key, document)).map(({ change }) => change)).toEqual([]);
    },
  );

  test.each([...new Set(fields.map(({ key }) => key))])('refuses something of %s', (key) => {
    const refused = VALUES.filter((value) => !isInSchema(key, value));
    expect(refused).toContain(null);
    expect(refused).toContain('');
  });

  test.each([
    ['a misspelt key', { clutser: 'a' }, '/stages/staging must NOT have additional properties'],
    ['a key that only a step can give', { images: '{}' }, '/stages/staging must NOT have additional properties'],
    ['a duration without its unit', { timeout: 5 }, '/stages/staging/timeout must be string'],
    [
      'a misspelt choice',
      { 'on-cancel': 'rolback' },
      '/stages/staging/on-cancel must be equal to one of the allowed values',
    ],
  ])('refuses %s', (_name, stage, complaint) => {
    expect(complaintsOf(validate, { stages: { staging: stage } })).toContain(complaint);
  });
});

describe('the schema of sluice.yml', () => {
  const known = keysOf(contracts);
  /** The outer shape; values of stages have their own test above. */
  const good = {
    services: { web: { repository: 'team/web', container: 'web' }, api: null },
    stages: { defaults: {}, staging: {}, production: null },
  };
  const problemsOf = (document: unknown): readonly InputProblem[] => {
    const config = readConfig(stringify(document), 'sluice.yml');
    if (!config.ok) return config.problems;
    return config.value.stages.flatMap((stage) => unknownStageKeys(config.value, stage, known));
  };
  const mutants = mutantsOf(good).map(({ change, document }) => ({
    change,
    reader: problemsOf(document),
    schema: complaintsOf(validate, document),
  }));

  test('takes what the reader takes and refuses what it refuses, with any one place changed', () => {
    expect(complaintsOf(validate, good)).toEqual([]);
    expect(mutants.filter(({ reader }) => reader.length === 0).length).toBeGreaterThan(30);
    expect(mutants.filter(({ reader, schema }) => (reader.length === 0) !== (schema.length === 0))).toEqual([]);
  });
});

const contract = (name: string, spec: Readonly<Record<string, InputField<unknown>>>) => ({ name, spec });

describe('the generator', () => {
  test('stops at a key that two actions describe differently, with both texts', () => {
    const a = contract('a', { cluster: text({ description: 'One thing.', from: 'stage' }) });
    const b = contract('b', { cluster: text({ description: 'Another.', from: 'stage' }) });
    expect(() => sluiceSchema([a, b])).toThrow(
      'cluster means different things in one stage:\n  a: One thing.\n  b: Another.',
    );
  });

  test('lets an input that no stage gives mean something else', () => {
    const a = contract('a', { timeout: text({ description: 'One thing.', from: 'stage' }) });
    const b = contract('b', { timeout: text({ description: 'Another.' }) });
    expect(sluiceSchema([a, b])).toHaveProperty(
      ['$defs', 'stage', 'properties', 'timeout', 'description'],
      expect.stringContaining('One thing. Read by a.'),
    );
  });

  test('stops at a structure without a shape', () => {
    const spec = { router: structure({ description: 'x', from: 'stage' }, 'y', (value) => ({ ok: true, value })) };
    expect(() => sluiceSchema([contract('a', spec)])).toThrow('router of a does not say its shape');
  });

  test('says the default of each action, and takes what either takes', () => {
    const of = (fallback: string) => ({ hosts: text({ description: 'Hosts.', from: 'stage', fallback }) });
    const lists = { hosts: list({ description: 'Hosts.', from: 'stage' }) };
    const { $defs } = sluiceSchema([contract('a', of('1')), contract('b', of('2')), contract('c', lists)]);
    expect($defs).toHaveProperty(['stage', 'properties', 'hosts'], {
      description: 'Hosts. Default: `1` (a), `2` (b). Read by a, b, c.',
      anyOf: [expect.objectContaining({ minLength: 1 }), expect.objectContaining({ items: expect.anything() })],
    });
  });

  test('lists every key once: those of stages, and those of steps alone', () => {
    const a = contract('a', { x: text({ description: 'x', from: 'stage' }), y: text({ description: 'y' }) });
    const b = contract('b', { x: text({ description: 'x' }), w: text({ description: 'w', from: 'stage' }) });
    expect(keysOf([a, b])).toEqual({ stage: ['w', 'x'], inputOnly: ['y'] });
    expect({ stage: STAGE_KEYS, inputOnly: INPUT_ONLY_KEYS }).toEqual(keysOf(contracts));
  });
});

describe('the examples', () => {
  const files = sourceFiles().filter((path) => /^examples\/[^/]+\/[^/.]+\.ya?ml$/.test(path));

  test.each(files)('%s names its schema and follows it', (path) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(source) ?? [];
    const own = validatorOf(JSON.parse(readFileSync(join(ROOT, dirname(path), schema), 'utf8')));
    expect(complaintsOf(own, parse(source))).toEqual([]);
  });

  test('are there, each kind of file among them', () => {
    expect(files).toEqual(
      expect.arrayContaining(
        ['checks', 'production-policy', 'sluice'].map((name) => `examples/wesign-charts/${name}.yml`),
      ),
    );
  });
});
