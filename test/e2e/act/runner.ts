import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureGoTool } from '../../../tools/go-tools.mjs';
import { type Repositories, SUITE } from './repositories.ts';

export interface WorkflowDispatch {
  readonly repositories: Repositories;
  /** File name in the caller's `.github/workflows`. */
  readonly workflow: string;
  /** `workflow_dispatch` by default. */
  readonly event?: 'workflow_dispatch' | 'schedule' | 'push';
  readonly inputs?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Beside what every runner sets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly run: { readonly id: string; readonly attempt: number; readonly actor: string };
  /** Milliseconds until the run is ended by force. */
  readonly limit: number;
  /** Called as soon as a step has ended, before the next one is prepared. */
  readonly onStep?: (step: string, result: Result) => void;
}

export type Result = 'success' | 'failure' | 'skipped';

export interface WorkflowRun {
  readonly exitCode: number | null;
  /** Jobs that ran, as GitHub shows them: `Development / Deploy development`. A job that is not here did not run. */
  readonly jobs: Readonly<Record<string, Result>>;
  /** Result of each step that ran, by its id; ids are unique in a stage workflow, so the job's key is before it. */
  readonly steps: Readonly<Record<string, Readonly<Record<string, Result>>>>;
  /** What each step gave, by job and step id, as it reaches other steps (not masked). */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  /** Annotations of level error. */
  readonly errors: readonly string[];
  /** Everything that the steps printed, masked as the runner masks it. */
  readonly printed: string;
  readonly seconds: number;
}

/**
 * Runs a workflow of the caller by act, on this machine and without a network. Whatever act would let pass in green is
 * an error here: a job without a runner, an action from the network, an expression that was not evaluated, an exit code
 * that does not fit the jobs.
 */
export async function runWorkflow(dispatch: WorkflowDispatch): Promise<WorkflowRun> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-act-'));
  const started = performance.now();
  try {
    const { exitCode, stdout, stderr } = await act(dispatch, home);
    return readRun({ exitCode, stdout, stderr, seconds: (performance.now() - started) / 1_000 });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function act(dispatch: WorkflowDispatch, home: string): Promise<Ended> {
  const child = spawn(ensureGoTool('act'), argumentsOf(dispatch, home), {
    // Steps inherit all of it, so it is as small as a runner's. Node 24 is the first `node` on PATH.
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
      ACT_DISABLE_VERSION_CHECK: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: ended by force, act would leave its steps behind.
    detached: true,
  });
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  const limit = setTimeout(end, dispatch.limit);
  const said = { stdout: '', stderr: '' };
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.stdout += `${line}\n`;
    const ended = stepEndOf(line);
    if (ended !== undefined) dispatch.onStep?.(...ended);
  });
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(limit);
      process.off('exit', end);
      resolve({ exitCode, ...said });
    });
  });
}

function argumentsOf(
  { repositories, workflow, event, inputs, secrets, env, run }: WorkflowDispatch,
  home: string,
): string[] {
  const each = (flag: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    event ?? 'workflow_dispatch',
    ...['--directory', repositories.caller, '--workflows', `.github/workflows/${workflow}`],
    ...['--json', '--rm', '--no-cache-server', '--concurrent-jobs', '2'],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--action-cache-path', join(home, 'actions')],
    ...['--local-repository', `${SUITE}=${repositories.suite}`, '--actor', run.actor],
    ...each('--input', inputs ?? {}),
    ...each('--secret', secrets ?? {}),
    ...each('--env', {
      GITHUB_REPOSITORY: repositories.name,
      GITHUB_RUN_ID: run.id,
      GITHUB_RUN_ATTEMPT: String(run.attempt),
      GITHUB_TRIGGERING_ACTOR: run.actor,
      // What is not mapped fails here, and not on the network.
      GITHUB_SERVER_URL: 'http://127.0.0.1:9',
      ...env,
    }),
  ];
}

/** One line of `act --json`, as far as it is read. */
interface Entry {
  readonly job?: string;
  readonly jobResult?: string;
  readonly stage?: string;
  readonly stepID?: readonly string[];
  readonly stepResult?: string;
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  /** The whole line of a command: `arg` begins after the last `::`, and an ARN has some. */
  readonly raw?: string;
  readonly raw_output?: boolean;
  readonly msg?: string;
}

const entryOf = (line: string): Entry | undefined => (line.startsWith('{') ? (JSON.parse(line) as Entry) : undefined);

function stepEndOf(line: string): [step: string, result: Result] | undefined {
  const { stage, stepID = [], stepResult } = (line.includes('"stepResult"') ? entryOf(line) : undefined) ?? {};
  return stage === 'Main' && stepResult !== undefined ? [stepID[0] ?? '', resultOf(stepResult)] : undefined;
}

type Nested<T> = Record<string, Record<string, T>>;

export function readRun({ exitCode, stdout, stderr, seconds }: Ended & { readonly seconds: number }): WorkflowRun {
  const entries = stdout.split('\n').flatMap((line) => entryOf(line) ?? []);
  const jobs: Record<string, Result> = {};
  const steps: Nested<Result> = {};
  const outputs: Record<string, Nested<string>> = {};
  for (const entry of entries) {
    const job = jobName(entry.job ?? '');
    const [step = ''] = entry.stepID ?? [];
    if (entry.jobResult !== undefined) jobs[job] = resultOf(entry.jobResult);
    if (entry.stepResult !== undefined && entry.stage === 'Main')
      (steps[job] ??= {})[step] = resultOf(entry.stepResult);
    if (entry.command === 'set-output') ((outputs[job] ??= {})[step] ??= {})[entry.name ?? ''] = entry.arg ?? '';
  }
  const errors = entries
    .flatMap(({ raw = '' }) => /^::error[^:]*::([^]*)$/.exec(raw.trim())?.slice(1) ?? [])
    .map(unescaped);
  const printed = entries.filter((entry) => entry.raw_output === true).map(({ msg = '' }) => msg);
  const run = { exitCode, jobs, steps, outputs, errors, printed: printed.join(''), seconds };
  const traps = trapsIn(entries, run);
  if (traps.length > 0) throw new Error([...traps, ...errors, lastLines(entries), stderr.slice(-2_000)].join('\n'));
  return run;
}

const lastLines = (entries: readonly Entry[]): string =>
  entries
    .slice(-60)
    .map(({ job = '', msg = '' }) => `${job.trim()} | ${msg.trim()}`)
    .join('\n');

/** What would be green, or red for another reason than the workflow's. */
function trapsIn(
  entries: readonly Entry[],
  { exitCode, jobs, outputs, errors }: Omit<WorkflowRun, 'seconds'>,
): string[] {
  const said = (text: string): string[] => entries.flatMap(({ msg = '' }) => (msg.includes(text) ? [msg.trim()] : []));
  const raw = Object.values(outputs)
    .flatMap((ofJob) => Object.values(ofJob))
    .flatMap((ofStep) => Object.entries(ofStep).filter(([, value]) => value.includes('${{')));
  const isRed = Object.values(jobs).includes('failure');
  return [
    ...said('Skipping unsupported platform'),
    ...said('LocalRepositoryCache not matched'),
    ...raw.map(([name]) => `the output ${name} holds an expression that was not evaluated`),
    ...(Object.keys(jobs).length === 0 ? ['no job ran'] : []),
    ...(isRed && errors.length === 0 ? ['a job is red, and nothing says why'] : []),
    ...(exitCode !== null && (exitCode !== 0) === isRed
      ? []
      : [`act ended with ${exitCode}, jobs: ${JSON.stringify(jobs)}`]),
  ];
}

/** As a runner reads the text of a command. */
const unescaped = (text: string): string => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');

/** act says `workflow/job`, and in a called workflow `calling job/workflow/job`. */
function jobName(name: string): string {
  const parts = name.split('/').map((part) => part.trim());
  return parts.length > 2 ? `${parts[0]} / ${parts.at(-1)}` : (parts.at(-1) ?? '');
}

const resultOf = (text: string): Result => (text === 'success' || text === 'skipped' ? text : 'failure');
