import { describe, expect, test } from '@jest/globals';
import { standing } from '../../../src/domain/tags/forward.ts';
import { makeTags } from '../../../src/domain/tags/make.ts';
import { PLAIN_FLAVOR } from '../../../src/domain/tags/rule.ts';
import { parseTagRules } from '../../../src/domain/tags/parse.ts';
import { EVENTS, tools } from './events.ts';

const RULES = ['{{version}}', '{{major}}.{{minor}}', '{{major}}'].map((pattern) => `type=semver,pattern=${pattern}`);

/** Tags that stand against a release, of those that are in the registry. */
function standingAt(version: string, inRegistry: readonly string[], more: readonly string[] = []): readonly string[] {
  const rules = parseTagRules([...RULES, ...more].join('\n'));
  if (!rules.ok) throw new Error('the rules are good');
  const made = makeTags(rules.value, PLAIN_FLAVOR, { ...EVENTS.main, ref: `refs/tags/${version}` }, tools);
  if (!made.ok) throw new Error('the tags are good');
  return standing(made.value.tags, inRegistry, tools.semver).map(({ name }) => name);
}

describe('floating tags move forward only', () => {
  test.each<[name: string, version: string, inRegistry: readonly string[], standing: readonly string[]]>([
    ['the first release moves all', 'v1.0.0', [], []],
    ['the newest moves all', 'v2.0.1', ['1.9.0', '2.0.0', '2.0', '2', 'latest'], []],
    ['a backport leaves latest', 'v1.9.1', ['1.9.0', '2.0.1'], ['latest']],
    ['a backport of a minor leaves the major too', 'v1.8.5', ['1.8.4', '1.9.0', '2.0.1'], ['1', 'latest']],
    ['an old patch leaves everything', 'v1.8.5', ['1.8.6', '2.0.0'], ['1.8', '1', 'latest']],
    ['candidates do not count', 'v1.8.5', ['1.8.6-rc.1', '2.0.0-beta'], []],
    ['a leading v is a version', 'v1.8.5', ['v1.8.6'], ['1.8', '1', 'latest']],
    ['numbers are compared as numbers', 'v1.10.0', ['1.9.0'], []],
    ['what is no version does not count', 'v1.0.0', ['sha-99999999', 'main', 'latest'], []],
  ])('%s', (_name, version, inRegistry, expected) => {
    expect(standingAt(version, inRegistry)).toEqual(expected);
  });

  test.each([
    ['a backport', 'v1.9.1', ['latest']],
    ['a candidate of what is released', 'v2.0.1-rc.1', ['latest']],
    ['the newest', 'v2.1.0', []],
  ])('also where the tag itself is the name: %s', (_name, version, expected) => {
    const rules = parseTagRules('type=ref,event=tag');
    const made =
      rules.ok && makeTags(rules.value, PLAIN_FLAVOR, { ...EVENTS.main, ref: `refs/tags/${version}` }, tools);
    const { tags } = made !== false && made.ok ? made.value : { tags: [] };
    expect(tags.map(({ name }) => name)).toEqual([version, 'latest']);
    expect(standing(tags, ['v2.0.1', 'v1.9.0'], tools.semver).map(({ name }) => name)).toEqual(expected);
  });

  test('also where latest is written by hand', () => {
    expect(standingAt('v1.0.0', ['2.0.0'], ['type=raw,value=latest'])).toEqual(['latest']);
  });
});
