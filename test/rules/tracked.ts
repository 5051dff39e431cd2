import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const NOT_OURS = /^(\.git|node_modules|build|coverage|\.cache|out)$/;

/** What a clone would hold, and what is about to be added; without what is built. */
export const sourceFiles = (): string[] =>
  listed(['--cached', '--others', '--exclude-standard']).filter((path) => !/(^|\/)dist\//.test(path));

/** What a clone holds now, dist included. */
export const committedFiles = (): Set<string> => new Set(listed(['--cached']));

/** By git; an unpacked archive, or a machine without git, has what lies in the folder. */
function listed(flags: readonly string[]): string[] {
  const git = spawnSync('git', ['-c', `safe.directory=${ROOT}`, 'ls-files', '-z', ...flags], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const paths = git.status === 0 ? git.stdout.split('\0') : filesUnder(ROOT);
  return paths.filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : filesUnder(path);
    return [relative(ROOT, path)];
  });
