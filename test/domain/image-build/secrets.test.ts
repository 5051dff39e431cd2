import { describe, expect, test } from '@jest/globals';
import { buildArgProblems, readSecrets } from '../../../src/domain/image-build/secrets.ts';

const read = (values: string, environments: readonly string[] = [], files: readonly string[] = []) =>
  readSecrets({ values, environments, files });

describe('secrets of the build', () => {
  test.each<[name: string, values: string, expected: readonly (readonly [string, string])[]]>([
    [
      'one a line',
      'a=1\nb=two=2',
      [
        ['a', '1'],
        ['b', 'two=2'],
      ],
    ],
    [
      'several lines in quotes',
      '"key=line 1\nline 2"\nb=2',
      [
        ['key', 'line 1\nline 2'],
        ['b', '2'],
      ],
    ],
    ['a quoted value', 'json="{""a"": 1}"', [['json', '{"a": 1}']]],
    [
      'a quoted value of several lines',
      'pem="-----BEGIN\nx\n-----END"\nb=2',
      [
        ['pem', '-----BEGIN\nx\n-----END'],
        ['b', '2'],
      ],
    ],
    ['blank lines', '\n a=1 \n\n', [['a', '1']]],
  ])('are read: %s', (_name, values, expected) => {
    const secrets = read(values);
    expect(
      secrets.ok && secrets.value.map(({ id, from }) => [id, from.kind === 'value' ? from.value : from.kind]),
    ).toEqual(expected);
  });

  test('come from variables and files as well', () => {
    expect(read('', ['npm=NPM_TOKEN'], ['rc=.npmrc'])).toEqual({
      ok: true,
      value: [
        { id: 'npm', from: { kind: 'environment', name: 'NPM_TOKEN' } },
        { id: 'rc', from: { kind: 'file', path: '.npmrc' } },
      ],
    });
  });

  test.each<[name: string, problem: RegExp, given: Parameters<typeof read>]>([
    ['an empty value', /entry 1 \(npm\) is empty/, ['npm=']],
    ['a value without id', /entry 1 has no id/, ['hunter2']],
    ['an id twice', /has the id a twice/, ['a=1\na=2']],
    ['a quote that is not closed', /quote that is not closed/, ['"a=1\nb']],
    ['a variable that is none', /names no variable/, ['', ['npm=1-2']]],
    ['an empty path', /\(rc\) is empty/, ['', [], ['rc=']]],
  ])('are refused, and not repeated: %s', (_name, problem, given) => {
    const secrets = read(...given);
    const problems = secrets.ok ? [] : secrets.problems;
    expect(problems.map((each) => each.problem).join()).toMatch(problem);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test.each([
    'NPM_TOKEN=x',
    'db_password=x',
    'AWS_SECRET_ACCESS_KEY',
    'GITHUB_TOKEN',
    'GITHUB_PAT=x',
    'DB_PWD=x',
    'PASSPHRASE=x',
    'REPOSITORY=https://alice:hunter2@example.com/x',
    'AUTH=Basic dXNlcjpwYXNz',
    'JWT=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln',
  ])('%s is refused as a build argument', (argument) => {
    expect(buildArgProblems([argument])).toMatchObject([
      { input: 'build-args', problem: expect.stringContaining('looks like a secret') },
    ]);
  });

  const SIGNED = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln';
  test.each(['VITE_MAPS_API_KEY=AIzaSy', `NEXT_PUBLIC_ANON_KEY=${SIGNED}`, 'SECRET_KEY_BASE_DUMMY=1'])(
    '%s is taken when its name is said to be public, and only then',
    (argument) => {
      const name = argument.split('=', 1)[0] ?? '';
      expect(buildArgProblems([argument], [name])).toEqual([]);
      expect(buildArgProblems([argument], ['OTHER', name])).toMatchObject([
        { input: 'public-build-args', given: 'OTHER', problem: 'is no name in build-args' },
      ]);
      expect(buildArgProblems([argument, 'OTHER=1'], ['OTHER'])).toMatchObject([
        { input: 'build-args', accepted: expect.stringContaining('public-build-args') },
      ]);
    },
  );

  test.each([`VITE_TOKEN=ghp_${'a'.repeat(36)}`, 'VITE_DATABASE=postgres://app:hunter2@db/app'])(
    '%s is nothing that everybody may know, whatever its name is said to be',
    (argument) => {
      const name = argument.split('=', 1)[0] ?? '';
      expect(buildArgProblems([argument], [name])).toMatchObject([{ input: 'build-args' }]);
    },
  );

  test('build arguments that look like none are taken', () => {
    expect(
      buildArgProblems([
        'RUN_ID=1',
        'VERSION=2',
        'TOKENIZER=bpe',
        'GIT_SHA',
        'PWD=/src',
        'PATH_PREFIX=/x',
        'REGISTRY=https://example.com:8443/x@sha256',
        'AUTH=basic',
      ]),
    ).toEqual([]);
  });
});
