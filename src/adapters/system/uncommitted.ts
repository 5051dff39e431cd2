import { createHash } from 'node:crypto';
import { lstat, readFile, readdir, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Programs } from '../../ports/programs.ts';

/** Of a context: what is in it that its commit has not, or has otherwise. */
export type Uncommitted =
  | { readonly kind: 'none' }
  /** Paths from the context; `sha256` is another for another content. */
  | { readonly kind: 'some'; readonly paths: readonly string[]; readonly sha256: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface Context {
  readonly workspace: string;
  readonly context: string;
  /** The Dockerfile, which need not be in the context; from the workspace. */
  readonly file: string;
  /** Of paths from the context; `whole`: what is below one that is left out is left out, too. */
  readonly excluded: ((path: string) => boolean) & { readonly whole: boolean };
}

/** What is above this many bytes is known by size and time: to read it may take longer than the build. */
const READ_AT_MOST = 64 * 1024 * 1024;

/** Files that git finds changed, new or ignored, where the context takes them in. Without a repository there are none. */
export async function uncommitted(
  programs: Programs,
  { workspace, context, file, excluded }: Context,
  signal: AbortSignal,
): Promise<Uncommitted> {
  const root = await realOf(resolve(workspace, context));
  const dockerfile = await realOf(resolve(workspace, file));
  const git = (...args: readonly string[]) => {
    const whole = ['-c', 'safe.directory=*', '--no-optional-locks', '--literal-pathspecs', ...args];
    return programs.run('git', { args: whole, cwd: root }, signal);
  };
  const { code, stdout: top } = await git('rev-parse', '--show-toplevel');
  if (code !== 0) return { kind: 'none' };
  const places = [root, dockerfile].filter((place) => isIn(top.trim(), place));
  const options = ['--porcelain', '-z', '--no-renames', '--untracked-files=normal', '--ignored=matching'];
  const status = await git('status', ...options, '--', ...places);
  if (status.code !== 0) return { kind: 'unknown', why: status.stderr.trim() };
  const entries = status.stdout.split('\0').filter((entry) => entry !== '');
  const found = new Set(entries.map((entry) => join(top.trim(), entry.slice(3))));
  const isLeft = (path: string): boolean => path !== dockerfile && excluded(relative(root, path));
  const files: string[] = [];
  for (const path of [...found].sort()) files.push(...(await filesOf(path, (each) => excluded.whole && isLeft(each))));
  // Of a folder that is ignored as a whole git names the folder, also where it lies above the context.
  const taken = files.filter((path) => path === dockerfile || (isIn(root, path) && !isLeft(path)));
  if (taken.length === 0) return { kind: 'none' };
  return { kind: 'some', paths: taken.map((path) => relative(root, path)), sha256: await hashOf(taken, root) };
}

const realOf = (path: string): Promise<string> => realpath(path).catch(() => path);

function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

/** A file is itself, also one that is gone; of a folder all that is below. What git keeps for itself is another in each run. */
async function filesOf(path: string, isLeft: (path: string) => boolean): Promise<readonly string[]> {
  if (isLeft(path)) return [];
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isDirectory() !== true) return [path];
  const files: string[] = [];
  for (const name of (await readdir(path)).sort())
    if (name !== '.git') files.push(...(await filesOf(join(path, name), isLeft)));
  return files;
}

async function hashOf(files: readonly string[], root: string): Promise<string> {
  const hash = createHash('sha256');
  let left = READ_AT_MOST;
  for (const path of files) {
    const facts = await lstat(path).catch(() => undefined);
    left -= facts?.size ?? 0;
    // Ends with what no path has, so that no two sets of files are one text.
    hash.update(`${relative(root, path)}\0${facts === undefined ? 'gone' : facts.mode & 0o170111}\0`);
    if (facts?.isSymbolicLink() === true) hash.update(await readlink(path));
    else if (facts?.isFile() === true && left >= 0)
      hash.update(
        createHash('sha256')
          .update(await readFile(path))
          .digest(),
      );
    else hash.update(`${facts?.size} ${facts?.mtimeMs}`);
    hash.update('\0');
  }
  return hash.digest('hex');
}
