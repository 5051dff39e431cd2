import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, sourceFiles } from './tracked.ts';
import { lockfileGaps, treeProblems } from './tree.ts';

const TEXT = /\.(ts|mjs|mts|js|json|ya?ml|md|py)$/;

describe('the tree', () => {
  test('no file named for nothing, no unfinished mark, no path of one machine, no test that runs alone', () => {
    const files = sourceFiles().filter((path) => TEXT.test(path) && path !== 'package-lock.json');
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((path) => treeProblems({ path, text: readFileSync(join(ROOT, path), 'utf8') }))).toEqual([]);
  });

  test('the lockfile holds the packages of every platform, so that npm ci works on each', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Parameters<typeof lockfileGaps>[0];
    };
    expect(lockfileGaps(packages)).toEqual([]);
  });
});

describe('the tree check finds what it forbids', () => {
  test.each([
    ['a file for everything', 'src/domain/utils.ts', '', 'src/domain/utils.ts is named for nothing'],
    ['a folder for everything', 'src/common/a.ts', '', 'src/common/a.ts is named for nothing'],
    ['an unfinished mark', 'src/a.ts', `a;\n// ${'TO'}DO: b`, 'src/a.ts:2 an unfinished mark'],
    ['a path of one machine', 'README.md', `see ${'/ho'}me/alice/x`, 'README.md:1 a path of one machine'],
    [
      'a test that runs alone',
      'test/a.test.ts',
      `test.${'only'}('a', () => {});`,
      'test/a.test.ts:1 a test that runs alone',
    ],
  ])('%s', (_, path, text, problem) => {
    expect(treeProblems({ path, text })).toEqual([problem]);
  });

  test.each([
    ['a word that holds another', 'src/domain/utility-cost.ts', 'const mastodon = 1;'],
    ['a path of the runner by variable', 'action.yml', '${HOME}/work/x and https://example.com/root/x'],
  ])('and lets pass: %s', (_, path, text) => {
    expect(treeProblems({ path, text })).toEqual([]);
  });

  test('a platform that the lockfile forgot', () => {
    const packages = {
      'node_modules/a': { optionalDependencies: { 'a-linux': '1', 'a-darwin': '1' } },
      'node_modules/a/node_modules/a-linux': {},
    };
    expect(lockfileGaps(packages)).toEqual(['a-darwin, wanted by node_modules/a']);
  });
});
