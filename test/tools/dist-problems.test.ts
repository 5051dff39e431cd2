import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { distProblems } from '../../tools/dist-problems.ts';

let root: string;
let built: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-dist-root-'));
  built = mkdtempSync(join(tmpdir(), 'sluice-dist-built-'));
  write(root, { 'dist/index.js': 'a', 'actions/x/dist/main.mjs': 'b', 'src/a.ts': 'not built' });
  write(built, { 'dist/index.js': 'a', 'actions/x/dist/main.mjs': 'b' });
  execFileSync('git', ['init', '-q'], { cwd: root });
  execFileSync('git', ['add', '.'], { cwd: root });
});

afterEach(() => {
  for (const folder of [root, built]) rmSync(folder, { recursive: true, force: true });
});

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

describe('the comparison of the committed dist with a fresh one', () => {
  test('the same bytes are no problem', () => {
    expect(distProblems(root, built)).toEqual([]);
  });

  test('a file that the sources no longer give like that', () => {
    write(built, { 'dist/index.js': 'A' });
    expect(distProblems(root, built)).toEqual(['dist/index.js differs from what the sources give']);
  });

  test('a chunk that lies there and was never added', () => {
    write(root, { 'dist/1.index.js': 'c' });
    write(built, { 'dist/1.index.js': 'c' });
    expect(distProblems(root, built)).toEqual(['dist/1.index.js is not committed']);
  });

  test('a chunk of yesterday', () => {
    rmSync(join(built, 'actions'), { recursive: true });
    expect(distProblems(root, built)).toEqual(['actions/x/dist/main.mjs is committed, and no longer built']);
  });

  test('a committed file that was deleted here', () => {
    rmSync(join(root, 'dist', 'index.js'));
    expect(distProblems(root, built)).toEqual(['dist/index.js differs from what the sources give']);
  });
});
