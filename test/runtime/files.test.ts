import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LARGEST_FILE, readText, writeText } from '../../src/adapters/system/files.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  await mkdir(join(folder, 'directory'));
  await writeFile(join(folder, 'plain.yml'), 'a: ü\n');
  await writeFile(join(folder, 'marked.yml'), '\uFEFFa: 1\n');
  await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
  await writeFile(join(folder, 'large'), Buffer.alloc(LARGEST_FILE + 1));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file of the workspace', () => {
  test.each([
    ['is read as text', 'plain.yml', { kind: 'text', text: 'a: ü\n' }],
    ['is read without its byte order mark', 'marked.yml', { kind: 'text', text: 'a: 1\n' }],
    ['is missing', 'nowhere.yml', { kind: 'missing' }],
    ['is missing below another file', 'plain.yml/x', { kind: 'missing' }],
    ['is not readable when it is a folder', 'directory', { kind: 'unreadable', why: 'it is not a regular file' }],
    ['is not readable when it is not text', 'binary', { kind: 'unreadable', why: 'it is not UTF-8 text' }],
    [
      'is not readable when it is too large',
      'large',
      { kind: 'unreadable', why: expect.stringContaining('more than 10485760') },
    ],
  ])('%s', async (_name, path, expected) => {
    expect(await readText(folder, path)).toMatchObject(expected);
  });

  test('is written with the folders that are missing', async () => {
    await writeText(folder, 'out/deep/report.md', '# ü');
    expect(await readText(folder, 'out/deep/report.md')).toEqual({ kind: 'text', text: '# ü' });
  });
});

test('chance gives fractions below one and tokens that differ', () => {
  const random = systemRandom();
  const fraction = random.fraction();
  expect(fraction >= 0 && fraction < 1).toBe(true);
  expect(random.token()).toMatch(/^[0-9a-f]{32}$/);
  expect(random.token()).not.toBe(random.token());
});
