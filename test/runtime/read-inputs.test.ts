import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  describeProblem,
  documentWithSecrets,
  duration,
  httpUrl,
  list,
  secret,
  structure,
  text,
} from '../../src/domain/inputs.ts';
import { stageInputs } from '../../src/domain/stage-inputs.ts';
import { readInputs } from '../../src/runtime/read-inputs.ts';

const description = 'Something.';
const spec = {
  ...stageInputs,
  cluster: text({ description, required: true, from: 'stage' }),
  timeout: duration({ description, fallback: '5m', from: 'stage' }),
  hosts: list({ description, from: 'stage' }),
  token: secret({ description, from: 'stage' }),
  access: documentWithSecrets({ description }, (value) =>
    typeof value === 'object' && value !== null && 'key' in value ? [String(value.key)] : undefined,
  ),
  only: text({ description }),
  page: httpUrl({ description }),
  address: { ...text({ description, from: 'stage' }), insteadOf: ['address-from'] },
  'address-from': { ...text({ description, from: 'stage' }), insteadOf: ['address'] },
  checks: structure({ description, from: 'stage' }, 'checks', (value) =>
    Array.isArray(value) ? { ok: true, value } : { ok: false, problem: 'is not a list of checks', accepted: 'a list' },
  ),
};

let workspace = '';
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'sluice-inputs-'));
});
afterEach(() => rm(workspace, { recursive: true }));

interface Given {
  readonly inputs: Readonly<Record<string, string>>;
  readonly file?: string;
}

async function read({ inputs, file }: Given) {
  if (file !== undefined) await writeFile(join(workspace, 'sluice.yml'), file);
  const masked: string[] = [];
  const environment = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const result = await readInputs(spec, {
    action: 'deploy',
    environment,
    workspace,
    mask: (value) => void masked.push(value),
  });
  return { result, masked, problems: result.ok ? [] : result.problems.map(describeProblem) };
}

async function values(given: Given): Promise<Readonly<Record<string, unknown>>> {
  const { result, problems } = await read(given);
  expect(problems).toEqual([]);
  return result.ok ? result.value.values : {};
}

describe('inputs', () => {
  test('that are YAML on several lines keep the indent of their block', async () => {
    const checks = '\n   \n    - url: /health\n      expect: 200\n    - url: /ready\n  ';
    expect(await values({ inputs: { cluster: 'web', checks } })).toMatchObject({
      checks: [{ url: '/health', expect: 200 }, { url: '/ready' }],
    });
  });

  test('that are text lose the blanks around them', async () => {
    expect(await values({ inputs: { cluster: ' web\n', timeout: ' 1m ' } })).toMatchObject({
      cluster: 'web',
      timeout: 60_000,
    });
  });

  test('that nobody gives are absent, and not a word of theirs', async () => {
    expect(await values({ inputs: { cluster: 'web' } })).toEqual({
      cluster: 'web',
      timeout: 300_000,
      'dry-run': false,
      config: undefined,
      stage: undefined,
      hosts: undefined,
      token: undefined,
      access: undefined,
      only: undefined,
      page: undefined,
      checks: undefined,
    });
  });

  test('mask their secret even when another input is wrong', async () => {
    const { masked, problems } = await read({ inputs: { token: ' hunter22 ', timeout: '5' } });
    expect(masked).toEqual(['hunter22']);
    expect(problems).toHaveLength(2);
  });

  const document = 'kind: Config\nkey: hunter22\n';
  const packed = Buffer.from(document).toString('base64');
  test.each([
    ['the secret parts of a document', document, ['hunter22']],
    ['those of a packed one, and the packed text', packed, [packed, 'hunter22']],
    ['all of a document that has none where they should be', 'kind: Config', ['kind: Config']],
    ['all of a text that is no document', 'key: [hunter22', ['key: [hunter22']],
  ])('mask %s', async (_name, access, expected) => {
    expect((await read({ inputs: { access } })).masked).toEqual(expected);
  });

  test('that a reader hides are refused without being repeated', async () => {
    const { problems } = await read({ inputs: { cluster: 'web', page: 'https://alice:hunter22@web.example' } });
    expect(problems).toEqual([
      'page: has credentials in it. Accepted: http://host or https://host, without credentials.',
    ]);
  });

  test.each<[string, Given, readonly (string | RegExp)[]]>([
    [
      'a required one under a misspelt name: once, not also as missing',
      { inputs: { clutser: 'web' } },
      ['clutser: is not an input of deploy. Did you mean cluster?'],
    ],
    [
      'a required one that is nowhere',
      { inputs: {} },
      [
        'cluster: is required. Accepted: text, as the input or by its key in a stage of sluice.yml and the input stage.',
      ],
    ],
    [
      'unknown names with nothing near',
      { inputs: { cluster: 'web', bananas: '' } },
      [/^bananas: is not an input of deploy\. Accepted: config, stage, dry-run, cluster/],
    ],
    [
      'unknown names with an underscore',
      { inputs: { cluster: 'web', dry_run: 'true' } },
      ['dry_run: is not an input of deploy. Did you mean dry-run?'],
    ],
    [
      'broken YAML, at its place in the text',
      { inputs: { cluster: 'web', checks: '- a\n- {' } },
      [/^checks:2:\d+: is not YAML that can be used/],
    ],
    [
      'YAML of another shape',
      { inputs: { cluster: 'web', checks: 'a: 1' } },
      ['checks: "a: 1" is not a list of checks. Accepted: a list.'],
    ],
  ])('are refused with %s', async (_name, given, expected) => {
    const { problems } = await read(given);
    expect(problems).toHaveLength(expected.length);
    expected.forEach((pattern, index) => expect(problems[index]).toMatch(pattern));
  });
});

describe('the stage', () => {
  const file = 'stages:\n  defaults:\n    timeout: 10m\n  staging:\n    cluster: staging-web\n    region: eu-west-1\n';

  test('may hold what other actions read', async () => {
    expect(await values({ inputs: { stage: 'staging' }, file })).toMatchObject({
      cluster: 'staging-web',
      timeout: 600_000,
    });
  });

  test('may give a secret, which is masked and never shown', async () => {
    const { masked, result } = await read({ inputs: { stage: 'staging' }, file: `${file}    token: hunter22\n` });
    expect(masked).toEqual(['hunter22']);
    expect(result.ok && result.value.resolved.find(({ name }) => name === 'token')).toEqual({
      name: 'token',
      shown: '***',
      origin: 'sluice.yml:7:5 stages.staging.token',
    });
  });

  test('does not speak where an input says the same thing in another way', async () => {
    const both = `${file}    address-from: stack\n`;
    const near = await values({ inputs: { stage: 'staging', address: 'https://shop' }, file: both });
    expect([near['address'], near['address-from']]).toEqual(['https://shop', undefined]);
    const far = await values({ inputs: { stage: 'staging', address: ' ' }, file: both });
    expect([far['address'], far['address-from']]).toEqual([undefined, 'stack']);
  });

  test('is not needed: the file is not even read without it', async () => {
    expect(await values({ inputs: { cluster: 'web' }, file: 'broken: {' })).toMatchObject({ timeout: 300_000 });
  });

  test.each<[string, Given, readonly (string | RegExp)[]]>([
    [
      'there is no file',
      { inputs: { stage: 'staging' } },
      [
        /^stage: "staging" needs a configuration file, and there is no sluice\.yml in the workspace \/\S+\. Accepted: a checkout/,
      ],
    ],
    [
      'the named file is missing',
      { inputs: { stage: 'staging', config: 'x/sluice.yml' } },
      [/^config: "x\/sluice\.yml" is not in the workspace \/\S+\./],
    ],
    [
      'the named file is a folder',
      { inputs: { cluster: 'web', config: '.' } },
      ['config: "." cannot be read: it is not a regular file.'],
    ],
    [
      'the named file is broken, although no stage is asked for',
      { inputs: { cluster: 'web', config: 'sluice.yml' }, file: 'stages: 1' },
      ['sluice.yml:1:1 stages: is not a mapping.'],
    ],
    [
      'its name is unknown: once, without a word on what it might have given',
      { inputs: { stage: 'stagging' }, file },
      ['stage: "stagging" is not a stage of sluice.yml. Accepted: staging. Did you mean staging?'],
    ],
    [
      'a required value is nowhere',
      { inputs: { stage: 'staging' }, file: 'stages:\n  staging:\n' },
      ['cluster: is required. Accepted: text, as the input or by its key in the stage.'],
    ],
    [
      'it holds what only an input can say: it would be overlooked',
      { inputs: { stage: 'staging' }, file: `${file}    only: in the file\n    images: "{}"\n` },
      [
        'sluice.yml:7:5 stages.staging.only: is not read from a stage. Accepted: only in the with: of the step.',
        'sluice.yml:8:5 stages.staging.images: is not read from a stage. Accepted: images in the with: of the step.',
      ],
    ],
    [
      'keys of it and of defaults are misspelt: all of them, with the problems of the values',
      {
        inputs: { stage: 'staging' },
        file: 'stages:\n  defaults:\n    regoin: x\n  staging:\n    cluster: [a]\n    zzz: 1\n',
      },
      [
        'sluice.yml:3:5 stages.defaults.regoin: is not an input of any action. Did you mean region?',
        'sluice.yml:6:5 stages.staging.zzz: is not an input of any action.',
        'sluice.yml:5:5 stages.staging.cluster: "["a"]" is a list. Accepted: text.',
      ],
    ],
    [
      'a required value stands under a misspelt key: once, not also as missing',
      { inputs: { stage: 'staging' }, file: 'stages:\n  staging:\n    clutser: web\n' },
      ['sluice.yml:3:5 stages.staging.clutser: is not an input of any action. Did you mean cluster?'],
    ],
    [
      'its name is unknown, and so is a key of defaults',
      { inputs: { stage: 'stagging' }, file: 'stages:\n  defaults: { regoin: x }\n  staging:\n' },
      [
        'stage: "stagging" is not a stage of sluice.yml. Accepted: staging. Did you mean staging?',
        'sluice.yml:2:15 stages.defaults.regoin: is not an input of any action. Did you mean region?',
      ],
    ],
    [
      'a value is wrong: at its place in the file',
      { inputs: { stage: 'staging' }, file: `${file}    timeout: 5\n` },
      ['sluice.yml:7:5 stages.staging.timeout: "5" is not a duration. Accepted: a number with a unit: 90s, 5m, 1h30m.'],
    ],
    [
      'a list stands for one value',
      { inputs: { stage: 'staging' }, file: 'stages:\n  staging:\n    cluster: [a, b]\n' },
      ['sluice.yml:3:5 stages.staging.cluster: "["a","b"]" is a list. Accepted: text.'],
    ],
    [
      'a map stands for one value',
      { inputs: { stage: 'staging' }, file: 'stages:\n  staging:\n    cluster: { a: b }\n' },
      ['sluice.yml:3:5 stages.staging.cluster: is not one value. Accepted: text.'],
    ],
  ])('is a problem when %s', async (_name, given, expected) => {
    const { problems } = await read(given);
    expect(problems).toHaveLength(expected.length);
    expected.forEach((pattern, index) => expect(problems[index]?.replaceAll('\\"', '"')).toMatch(pattern));
  });
});
