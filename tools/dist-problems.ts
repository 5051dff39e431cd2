import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** How the committed bundle differs from one just built: what is missing, what is stale, what nobody builds any more. */
export function distProblems(root: string, built: string): string[] {
  const fresh = new Set(filesUnder(built).map((path) => relative(built, path)));
  const committed = new Set(
    execFileSync('git', ['-c', `safe.directory=${root}`, 'ls-files', '-z', '--', 'dist', 'actions/*/dist/*'], {
      cwd: root,
      encoding: 'utf8',
    })
      .split('\0')
      .filter((path) => path !== ''),
  );
  const differs = (path: string): boolean =>
    !existsSync(join(root, path)) || !readFileSync(join(root, path)).equals(readFileSync(join(built, path)));
  return [
    ...[...fresh].filter((path) => !committed.has(path)).map((path) => `${path} is not committed`),
    ...[...committed].filter((path) => !fresh.has(path)).map((path) => `${path} is committed, and no longer built`),
    ...[...fresh]
      .filter((path) => committed.has(path) && differs(path))
      .map((path) => `${path} differs from what the sources give`),
  ];
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
