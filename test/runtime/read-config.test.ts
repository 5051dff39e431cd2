import { describe, expect, test } from '@jest/globals';
import { type Checked, describeProblem } from '../../src/domain/inputs.ts';
import { type SluiceConfig, readConfig, stageOf, unknownStageKeys } from '../../src/runtime/read-config.ts';

const file = `services:
  api: { repository: wesign/charts, container: wesign-charts }
stages:
  defaults:
    region: us-west-2
    cluster: "{stage}-charts"
    allowed-account-ids: [012345678901, "123456789012"]
    template: "{{stage}} and {stage}"
  staging:
    cluster: shared
  production:
    environment: production
    port: 0443
    dry: True
    router: { alb: { listener: "{stage}-web", port: 443 }, colors: ["{stage}-blue", "{stage}-green"] }
`;

function valueOf<T>(checked: Checked<T>): T {
  if (!checked.ok) throw new Error(checked.problems.map(describeProblem).join('\n'));
  return checked.value;
}

const problemsOf = (checked: Checked<unknown>): readonly string[] =>
  checked.ok ? [] : checked.problems.map(describeProblem);

const config: SluiceConfig = valueOf(readConfig(file, 'sluice.yml'));
const valuesOf = (stage: string) => valueOf(stageOf(config, stage)).values;

describe('a stage', () => {
  test('has the values of defaults where it has none of its own', () => {
    expect(valuesOf('staging').get('cluster')).toMatchObject({
      value: 'shared',
      where: 'sluice.yml:10:5 stages.staging.cluster',
    });
    expect(valuesOf('staging').get('region')).toMatchObject({
      value: 'us-west-2',
      where: 'sluice.yml:5:5 stages.defaults.region',
    });
    expect(valuesOf('staging').has('port')).toBe(false);
  });

  test('expands its name in strings at any depth, and leaves templates in double braces alone', () => {
    const production = valuesOf('production');
    expect(production.get('cluster')?.value).toBe('production-charts');
    expect(production.get('router')?.value).toEqual({
      alb: { listener: 'production-web', port: 443 },
      colors: ['production-blue', 'production-green'],
    });
    expect(production.get('template')?.value).toBe('{{stage}} and production');
  });

  test.each([
    ['a number', 'production', 'port', '0443'],
    ['a flag in another spelling', 'production', 'dry', 'true'],
    ['a pattern', 'production', 'cluster', 'production-charts'],
    ['a list of numbers and texts', 'staging', 'allowed-account-ids', ['012345678901', '123456789012']],
    ['a map, which has no text', 'production', 'router', undefined],
  ])('gives %s as text as it is written', (_name, stage, key, expected) => {
    expect(valuesOf(stage).get(key)?.text).toEqual(expected);
  });

  test('may be empty: then it has the defaults alone', () => {
    const bare = valueOf(readConfig('stages:\n  defaults: { region: eu-west-1 }\n  staging:\n', 'sluice.yml'));
    expect([...valueOf(stageOf(bare, 'staging')).values.keys()]).toEqual(['region']);
  });

  test('of an unknown name is a problem with the known ones and the nearest', () => {
    expect(problemsOf(stageOf(config, 'prodution'))).toEqual([
      'stage: "prodution" is not a stage of sluice.yml. Accepted: staging, production. Did you mean production?',
    ]);
  });

  test.each([['defaults'], ['constructor'], ['__proto__']])('cannot be called %s', (name) => {
    expect(problemsOf(stageOf(config, name))).toHaveLength(1);
  });

  test('with lists that have an entry without a value has a problem, because an entry is never overlooked', () => {
    const gaps = valueOf(
      readConfig('stages:\n  staging:\n    paths:\n      - /a\n      -\n    hosts: [""]\n', 'sluice.yml'),
    );
    expect(problemsOf(stageOf(gaps, 'staging'))).toEqual([
      'sluice.yml:3:5 stages.staging.paths: has an entry without a value; give one or remove the entry.',
      'sluice.yml:6:5 stages.staging.hosts: has an entry without a value; give one or remove the entry.',
    ]);
  });

  test('with keys that have no value has a problem for each, with its place', () => {
    const empty = valueOf(readConfig('stages:\n  staging:\n    cluster:\n    region: ""\n', 'sluice.yml'));
    expect(problemsOf(stageOf(empty, 'staging'))).toEqual([
      'sluice.yml:3:5 stages.staging.cluster: has no value; give one or remove the key.',
      'sluice.yml:4:5 stages.staging.region: has no value; give one or remove the key.',
    ]);
  });
});

describe('the file', () => {
  test('gives services and the names of stages', () => {
    expect(config.stages).toEqual(['staging', 'production']);
    expect(config.services).toEqual({ api: { repository: 'wesign/charts', container: 'wesign-charts' } });
  });

  test.each([
    ['a list', '- a', ['sluice.yml: is not a mapping. Accepted: services and stages.']],
    [
      'a misspelt section',
      'stage: {}',
      ['sluice.yml:1:1 stage: is not known here. Accepted: services, stages. Did you mean stages?'],
    ],
    ['a stage that is text', 'stages:\n  staging: web', ['sluice.yml:2:3 stages.staging: is not a mapping.']],
    [
      'a service with a misspelt key',
      'services:\n  api: { repositry: team/api }',
      [
        'sluice.yml:2:10 services.api.repositry: is not known here. Accepted: repository, container. Did you mean repository?',
      ],
    ],
    [
      'a service whose repository is a list',
      'services:\n  api: { repository: [team/api] }',
      ['sluice.yml:2:10 services.api.repository: is not text.'],
    ],
    ['services that are a list', 'services: [api]', ['sluice.yml:1:1 services: is not a mapping.']],
    ['broken YAML', 'stages: {', [expect.stringMatching(/^sluice\.yml:1:10: is not YAML/)]],
  ])('is refused when it is %s', (_name, text, expected) => {
    expect(problemsOf(readConfig(text, 'sluice.yml'))).toEqual(expected);
  });

  describe('with keys in a stage that no action reads there', () => {
    const odd = valueOf(
      readConfig(
        `stages:
  defaults: { regoin: us-west-2 }
  staging: { cluster: a, zzz: 1, steps: "50,100" }
  production: { clutser: b }
`,
        'sluice.yml',
      ),
    );
    const known = { stage: ['region', 'cluster'], inputOnly: ['steps'] };
    const ofDefaults = 'sluice.yml:2:15 stages.defaults.regoin: is not an input of any action. Did you mean region?';

    test('names those of the stage and of defaults, with their place and the nearest', () => {
      expect(unknownStageKeys(odd, 'staging', known).map(describeProblem)).toEqual([
        ofDefaults,
        'sluice.yml:3:26 stages.staging.zzz: is not an input of any action.',
        'sluice.yml:3:34 stages.staging.steps: is not read from a stage. Accepted: steps in the with: of the step.',
      ]);
    });

    test('leaves other stages to the runs that read them', () => {
      expect(unknownStageKeys(odd, 'production', known).map(describeProblem)).toEqual([
        ofDefaults,
        'sluice.yml:4:17 stages.production.clutser: is not an input of any action. Did you mean cluster?',
      ]);
    });

    test.each([['nowhere'], ['defaults'], ['__proto__']])('names those of defaults once for a stage %s', (stage) => {
      expect(unknownStageKeys(odd, stage, known).map(describeProblem)).toEqual([ofDefaults]);
    });
  });
});
