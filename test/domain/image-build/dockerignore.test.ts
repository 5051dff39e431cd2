import { expect, test } from '@jest/globals';
import { excludedBy } from '../../../src/domain/image-build/dockerignore.ts';

/** Rows of moby/patternmatcher's own tests among them. */
test.each<[name: string, lines: string, path: string, excluded: boolean]>([
  ['a folder', 'node_modules', 'node_modules/a/index.js', true],
  ['a folder, with slashes around it', '/dist/', 'dist/a', true],
  ['a path from the root only', 'node_modules', 'web/node_modules/a', false],
  ['a folder at any depth', '**/node_modules', 'web/node_modules/a', true],
  ['a folder at any depth, the root among them', '**/node_modules', 'node_modules/a', true],
  ['a star that ends at a slash', '*.md', 'docs/a.md', false],
  ['a star with what is below', 'do*', 'docs/a.md', true],
  ['two stars', 'docs/**/*.md', 'docs/a/b/c.md', true],
  ['a question mark', 'a?', 'ab', true],
  ['a class', '[a-c].txt', 'b.txt', true],
  ['a class turned round', '[^a-c].txt', 'b.txt', false],
  ['a dot that is a dot', 'a.txt', 'abtxt', false],
  ['what is escaped', 'a\\*', 'ab', false],
  ['a line that takes back', '*\n!dist', 'dist/a', false],
  ['a line that takes back and one behind it', '*\n!dist\ndist/*.map', 'dist/a.map', true],
  ['a comment', '#dist', 'dist', false],
  ['spaces and lines of Windows', '  dist  \r\n', 'dist/a', true],
  ['what cannot be read', '[b-a]', 'b', false],
  ['nothing', '', 'dist', false],
])('%s', (_name, lines, path, excluded) => {
  expect(excludedBy(lines)(path)).toBe(excluded);
});
