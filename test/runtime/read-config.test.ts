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
    ['services that are a list', 'services: [api]', ['sluice.yml:1:1 services: is not a mapping.']],
    ['broken YAML', 'stages: {', [expect.stringMatching(/^sluice\.yml:1:10: is not YAML/)]],
  ])('is refused when it is %s', (_name, text, expected) => {
    expect(problemsOf(readConfig(text, 'sluice.yml'))).toEqual(expected);
  });

  test('shows keys of stages that no action knows, with the nearest one', () => {
    const misspelt = valueOf(
      readConfig(
        'stages:\n  defaults: { regoin: us-west-2 }\n  staging: { cluster: a, environment: staging, zzz: 1 }\n',
        'sluice.yml',
      ),
    );
    expect(unknownStageKeys(misspelt, ['region', 'cluster']).map(describeProblem)).toEqual([
      'sluice.yml:2:15 stages.defaults.regoin: is not an input of any action. Did you mean region?',
      'sluice.yml:3:48 stages.staging.zzz: is not an input of any action.',
    ]);
  });
});
