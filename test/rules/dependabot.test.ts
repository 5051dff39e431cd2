import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ROOT, sourceFiles } from './tracked.ts';

/** What pins versions, and who reads it. Apps under examples are no part of what is published. */
const PINS = [
  [/^(?:.*\/)?go\.mod$/, 'gomod'],
  [/^(?:.*\/)?package-lock\.json$/, 'npm'],
  [/^(?:.*\/)?requirements\.txt$/, 'pip'],
  [/^\.github\/workflows\/[^/]+\.ya?ml$/, 'github-actions'],
] as const;

test('everything that pins versions is watched for newer ones', () => {
  const { updates } = parse(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8')) as {
    updates: readonly { readonly 'package-ecosystem': string; readonly directory: string }[];
  };
  const watched = new Set(updates.map((each) => `${each['package-ecosystem']} ${each.directory}`));
  const pinned = sourceFiles()
    .filter((path) => !path.startsWith('examples/'))
    .flatMap((path) =>
      PINS.filter(([name]) => name.test(path)).map(([, ecosystem]) => {
        const folder = ecosystem === 'github-actions' ? '.' : dirname(path);
        return `${ecosystem} /${folder === '.' ? '' : folder}`;
      }),
    );
  expect([...new Set(pinned)].sort()).toEqual([...watched].sort());
});
