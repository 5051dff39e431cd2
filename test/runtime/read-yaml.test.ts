import { describe, expect, test } from '@jest/globals';
import { describeProblem } from '../../src/domain/inputs.ts';
import { type YamlFile, readYaml } from '../../src/runtime/read-yaml.ts';

function read(text: string): YamlFile {
  const result = readYaml(text, 'policy.yml');
  if (!result.ok) throw new Error(result.problems.map(describeProblem).join('\n'));
  return result.value;
}

const problemsOf = (text: string): readonly string[] => {
  const result = readYaml(text, 'policy.yml');
  return result.ok ? [] : result.problems.map(({ input, problem }) => `${input} ${problem}`);
};

describe('a YAML file', () => {
  const file = `steps: [10%, 50%]
rules:
  - fail: health fails 4 in a row
  - warn: p95 > 800ms for 10m
    window: &w 30s
again: *w
`;

  test('gives its value', () => {
    expect(read(file).value).toEqual({
      steps: ['10%', '50%'],
      rules: [{ fail: 'health fails 4 in a row' }, { warn: 'p95 > 800ms for 10m', window: '30s' }],
      again: '30s',
    });
  });

  test.each<[string, (string | number)[], string]>([
    ['the document', [], 'policy.yml:1:1'],
    ['a key', ['rules'], 'policy.yml:2:1'],
    ['an entry of a list', ['rules', 1], 'policy.yml:4:5'],
    ['a key in an entry', ['rules', 1, 'window'], 'policy.yml:5:5'],
    ['an entry of a list in brackets', ['steps', 1], 'policy.yml:1:14'],
    ['a key that is not there: its parent', ['rules', 1, 'windw'], 'policy.yml:4:5'],
    ['an entry that is not there: the list', ['rules', 7], 'policy.yml:2:1'],
  ])('knows the place of %s', (_name, path, expected) => {
    expect(read(file).where(path)).toBe(expected);
  });

  test.each([
    ['digits with a zero in front', 'id: 012345678901', '012345678901'],
    ['an exponent', 'id: 1e3', '1e3'],
    ['a quoted text', 'id: "a \\"b\\""', 'a "b"'],
    ['an alias', 'x: &a 007\nid: *a', '007'],
  ])('keeps %s as it is written', (_name, text, expected) => {
    expect(read(text).textAt(['id'])).toBe(expected);
  });

  test.each([
    ['JSON', '{"a":{"b":[1,true,null]}}', { a: { b: [1, true, null] } }],
    ['yes and no, which are text in YAML 1.2', 'a: yes\nb: no', { a: 'yes', b: 'no' }],
    ['nothing', '', null],
    [
      'a key that is a name of the language',
      '__proto__: 1\nconstructor: 2',
      JSON.parse('{"__proto__":1,"constructor":2}'),
    ],
    ['a tag of the core schema', 'a: !!str 1', { a: '1' }],
  ])('is read from %s', (_name, text, expected) => {
    expect(read(text).value).toEqual(expected);
  });
});

describe('what cannot be used is a problem with line and column', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'
      .split('')
      .map(
        (name, index) =>
          `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefg'[index] ?? ''}`).join(',')}]`,
      ),
  ].join('\n');

  test.each<[string, string, readonly RegExp[]]>([
    ['a duplicate key', 'a: 1\nb: 2\na: 3', [/^policy.yml:3:1 .*Map keys must be unique/]],
    ['every error there is', 'a: 1\na: 2\nb: [1,\n', [/:2:1 .*unique/, /:4:1 /]],
    ['an unknown tag', 'a: 1\nb: !secret x', [/^policy.yml:2:4 .*Unresolved tag/]],
    [
      'a tag that only some parsers know',
      'a: !!binary aGk=',
      [/^policy.yml:1:13 has the tag tag:yaml.org,2002:binary/],
    ],
    ['an old version', '%YAML 1.1\n---\na: yes', [/is YAML 1.1; only 1.2 is read/]],
    ['several documents', 'a: 1\n---\nb: 2', [/^policy.yml:2:1 .*multiple documents/]],
    ['a key that is a list', '? [a]\n: 1', [/^policy.yml:1:3 has a key that is not a plain name/]],
    ['an alias without an anchor', 'a: *nowhere', [/^policy.yml:1:4 .*nowhere/]],
    ['a list that contains itself', 'a: &a [*a]', [/^policy.yml:1:8 contains itself/]],
    ['an alias bomb', bomb, [/^policy.yml:1:1 grows too large/]],
    [
      'more aliases than anybody writes',
      `a: &a 1\nb: [${Array.from({ length: 101 }, () => '*a').join(', ')}]`,
      [/is one alias more than the 100/],
    ],
    ['61 levels', `${'['.repeat(62)}${']'.repeat(62)}`, [/nested deeper than 60 levels/]],
    ['a hundred thousand open brackets', '['.repeat(100_000), [/nested too deep|policy.yml/]],
    ['a tab as indentation', 'a:\n\tb: 1', [/^policy.yml:2:1 /]],
    ['a text beyond the limit', 'x'.repeat(1_048_577), [/is longer than 1048576 characters/]],
  ])('%s', (_name, text, expected) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThanOrEqual(expected.length);
    expected.forEach((pattern, index) => expect(problems[index]).toMatch(pattern));
  });
});
