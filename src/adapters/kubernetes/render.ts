import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure, messageOf } from '../../domain/failure.ts';

const WITHIN = 120_000;
const LARGEST_OUTPUT = 32 * 1024 * 1024;

interface Tool {
  readonly program: string;
  readonly args: readonly string[];
}

/** What kustomize makes of a folder: by `kustomize`, else by `kubectl`, whichever the runner has. */
export const renderKustomize = (folder: string, workspace: string, signal: AbortSignal): Promise<string> =>
  firstThere(
    [
      { program: 'kustomize', args: ['build', folder] },
      { program: 'kubectl', args: ['kustomize', folder] },
    ],
    { what: `Could not render the kustomization ${folder}`, workspace, signal },
  );

export interface Chart {
  readonly chart: string;
  readonly values: readonly string[];
  readonly name: string;
  readonly namespace: string | undefined;
}

export const renderHelm = (
  { chart, values, name, namespace }: Chart,
  workspace: string,
  signal: AbortSignal,
): Promise<string> => {
  const place = namespace === undefined ? [] : ['--namespace', namespace];
  const files = values.flatMap((file) => ['--values', file]);
  const args = ['template', name, chart, ...place, ...files];
  return firstThere([{ program: 'helm', args }], { what: `Could not render the chart ${chart}`, workspace, signal });
};

/** Without a shell: what a user writes is an argument and nothing else. */
async function firstThere(
  tools: readonly Tool[],
  { what, workspace, signal }: { readonly what: string; readonly workspace: string; readonly signal: AbortSignal },
): Promise<string> {
  for (const { program, args } of tools) {
    try {
      const options = { cwd: workspace, timeout: WITHIN, maxBuffer: LARGEST_OUTPUT, signal, encoding: 'utf8' } as const;
      return (await promisify(execFile)(program, args, options)).stdout;
    } catch (cause) {
      signal.throwIfAborted();
      if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT') continue;
      const said = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr).trim() : '';
      throw new Failure(
        { what, why: said === '' ? messageOf(cause) : said.slice(-1_000), now: 'Nothing was touched' },
        { cause },
      );
    }
  }
  const names = tools.map(({ program }) => program).join(' nor ');
  throw new Failure({
    what,
    why: `the runner has ${tools.length > 1 ? 'neither ' : 'no '}${names}`,
    now: 'Nothing was touched',
    next: 'Install it in a step before, or render in that step and name the result by manifests',
  });
}
