import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Programs } from '../../ports/programs.ts';

export interface Checkout {
  /** 40 hex digits. */
  readonly commit: string;
  /** ISO 8601 */
  readonly date: string;
}

/**
 * The commit that lies in `folder`, asked of git; of a submodule that of the repository around it. undefined: no repository
 * of the workspace is there, or no git.
 */
export async function checkedOut(
  programs: Programs,
  { workspace, folder }: { readonly workspace: string; readonly folder: string },
  signal: AbortSignal,
): Promise<Checkout | undefined> {
  const git = async (cwd: string, ...args: readonly string[]): Promise<readonly string[]> => {
    // The checkout may be another user's, as in a container of a job.
    const { code, stdout } = await programs.run('git', { args: ['-c', 'safe.directory=*', ...args], cwd }, signal);
    return code === 0 ? stdout.trim().split('\n') : [];
  };
  let top = '';
  for (let from = resolve(workspace, folder), depth = 0; from !== '' && depth < 5; depth += 1) {
    const [inner = '', outer = ''] = await git(
      from,
      'rev-parse',
      '--show-toplevel',
      '--show-superproject-working-tree',
    );
    top = inner;
    from = outer;
  }
  // A repository around the workspace is not of this run.
  if (top === '' || relative(await realpath(workspace), top).startsWith('..')) return undefined;
  const [commit = '', date = ''] = await git(top, 'show', '-s', '--format=%H%n%cI', 'HEAD');
  return /^[0-9a-f]{40}$/.test(commit) ? { commit, date } : undefined;
}
