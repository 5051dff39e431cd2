import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Annotation } from '../../src/domain/report.ts';
import { type RunnerCommand, readRunnerFile, readRunnerOutput } from '../../sandbox/runner/runner-protocol.ts';

export type Phase = 'main' | 'post';

export interface BundleRun {
  /** An action of the repository, or a file of test/harness/fixtures that takes the phase as its argument. */
  readonly action: string | { readonly fixture: string };
  /** `main` by default. */
  readonly phase?: Phase;
  /** By input name, as in `with:`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Beside what every runner sets; undefined takes one of those away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text by path, written to the workspace before the start. */
  readonly files?: Readonly<Record<string, string>>;
  /** `lockStepFrom`: virtual time by clock-shim.mjs, which starts at this moment (epoch milliseconds). */
  readonly clock?: 'real' | { readonly lockStepFrom: number };
  /** What `main` saved; `post` gets it back. */
  readonly state?: Readonly<Record<string, string>>;
  /** Called as soon as the process exists; sandbox hooks take the pid from here. */
  readonly onSpawn?: (running: RunningBundle) => void;
  /** Sends one signal when the output matches. */
  readonly signalAt?: { readonly output: RegExp; readonly signal: NodeJS.Signals };
  /** SIGKILL after this many milliseconds of real time, and the result says so. 60 s by default. */
  readonly timeout?: number;
}

export interface BundleResult {
  /** null when a signal ended the process. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  /** All commands of the output as the runner reads them, annotations among them. */
  readonly commands: readonly RunnerCommand[];
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
  /** Real time from the start to the end of the process, in milliseconds. */
  readonly wall: number;
  /** Text by path of the files that the run wrote to its workspace, or changed there. */
  readonly written: Readonly<Record<string, string>>;
}

export interface RunningBundle {
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
  /** What came on stdout so far. */
  output(): string;
  /** Resolves when the output (both streams, from the start) matches; rejects when the process ends before. */
  saw(output: RegExp): Promise<void>;
  /** Closes our end of the output, as a runner does that dies. */
  closeOutput(): void;
  readonly result: Promise<BundleResult>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const SHIM = pathToFileURL(join(import.meta.dirname, 'clock-shim.mjs')).href;
const PARENT_WATCH = pathToFileURL(join(import.meta.dirname, 'parent-watch.mjs')).href;

/** Every child that is alive: nothing that the harness started outlives the tests. */
const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/** Runs one phase to its end. */
export async function runBundle(run: BundleRun): Promise<BundleResult> {
  return (await startBundle(run)).result;
}

/** Starts one phase as the runner does: a process with a clean environment, its own files and a workspace. */
export async function startBundle(run: BundleRun): Promise<RunningBundle> {
  const entry = entryArguments(run);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-step-'));
  const environment = await prepare(folder, run);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArguments(run), ...entry], {
    cwd: join(folder, 'workspace'),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`Could not start ${describe(run)}`);
  alive.add(child);
  const streams = gather(child);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, run.timeout ?? 60_000);
  const result = streams.ended.then(async ({ code, signal }): Promise<BundleResult> => {
    clearTimeout(limit);
    alive.delete(child);
    const wall = performance.now() - startedAt;
    const files = await collect(folder, run.files ?? {}).finally(() => rm(folder, { recursive: true, force: true }));
    const { commands } = readRunnerOutput(streams.stdout());
    const annotations = commands.flatMap(annotationOf);
    return {
      exitCode: code,
      signal,
      timedOut,
      ...files,
      annotations,
      commands,
      stdout: streams.stdout(),
      stderr: streams.stderr(),
      pid,
      wall,
    };
  });
  const running: RunningBundle = {
    pid,
    signal: (name) => void child.kill(name),
    output: streams.stdout,
    saw: streams.saw,
    closeOutput: () => void child.stdout?.destroy(),
    result,
  };
  run.onSpawn?.(running);
  if (run.signalAt !== undefined) {
    const { output, signal } = run.signalAt;
    // A process that ends before it says so shows in the result.
    running.saw(output).then(
      () => running.signal(signal),
      () => undefined,
    );
  }
  return running;
}

function nodeArguments(run: BundleRun): readonly string[] {
  const lockStep = typeof run.clock === 'object' ? ['--import', SHIM] : [];
  return ['--import', PARENT_WATCH, ...lockStep];
}

function entryArguments({ action, phase = 'main' }: BundleRun): readonly string[] {
  if (typeof action === 'object') return [join(import.meta.dirname, 'fixtures', action.fixture), phase];
  const sources = process.env['SLUICE_TEST_SOURCES'] === '1';
  const entry = join(ROOT, 'actions', action, ...(sources ? ['src', 'main.ts'] : ['dist', `${phase}.mjs`]));
  if (!existsSync(entry))
    throw new Error(`${entry} is missing: npm run build makes bundles, SLUICE_TEST_SOURCES=1 does without`);
  return sources ? [join(import.meta.dirname, 'run-sources.ts'), action, phase] : [entry];
}

const describe = ({ action, phase = 'main' }: BundleRun): string =>
  `${typeof action === 'object' ? action.fixture : action} ${phase}`;

async function prepare(folder: string, run: BundleRun): Promise<Record<string, string>> {
  const workspace = join(folder, 'workspace');
  const temp = join(folder, 'temp');
  await mkdir(workspace);
  await mkdir(temp);
  for (const name of ['output', 'state', 'summary']) await writeFile(join(folder, name), '');
  for (const [path, text] of Object.entries(run.files ?? {})) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), text);
  }
  const variables: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    HOME: temp,
    TMPDIR: temp,
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STATE: join(folder, 'state'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary'),
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temp,
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_RUN_ID: '4711',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'deploy',
    GITHUB_ACTOR: 'alice',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_ACTION_REPOSITORY: 'acme/sluice',
    // The SDK's last resort is an address that only exists on EC2; on any other machine it waits for seconds.
    AWS_EC2_METADATA_DISABLED: 'true',
    ...Object.fromEntries(
      Object.entries(run.inputs ?? {}).map(([name, value]) => [
        `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
        value,
      ]),
    ),
    ...Object.fromEntries(Object.entries(run.state ?? {}).map(([name, value]) => [`STATE_${name}`, value])),
    ...(typeof run.clock === 'object' ? { SLUICE_LOCKSTEP_FROM: String(run.clock.lockStepFrom) } : {}),
    ...run.env,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function gather(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  let closed = false;
  const waiting = new Set<() => void>();
  const changed = (): void => waiting.forEach((look) => look());
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    changed();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    changed();
  });
  const ended = new Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      closed = true;
      changed();
      done({ code, signal });
    });
  });
  const saw = (output: RegExp): Promise<void> =>
    new Promise((found, missed) => {
      const look = (): void => {
        const matches = output.test(stdout) || output.test(stderr);
        if (!matches && !closed) return;
        waiting.delete(look);
        if (matches) found();
        else missed(new Error(`The process ended before its output matched ${output}:\n${stdout}\n${stderr}`));
      };
      waiting.add(look);
      look();
    });
  return { stdout: () => stdout, stderr: () => stderr, ended, saw };
}

async function collect(folder: string, given: Readonly<Record<string, string>>) {
  const [output, state, summary] = await Promise.all(
    ['output', 'state', 'summary'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const workspace = join(folder, 'workspace');
  const written: Record<string, string> = {};
  for (const entry of await readdir(workspace, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = relative(workspace, join(entry.parentPath, entry.name));
    const text = await readFile(join(workspace, path), 'utf8');
    if (given[path] !== text) written[path] = text;
  }
  return { outputs: readRunnerFile(output ?? ''), state: readRunnerFile(state ?? ''), summary: summary ?? '', written };
}

function annotationOf({ name, properties, data }: RunnerCommand): readonly Annotation[] {
  if (name !== 'error' && name !== 'warning' && name !== 'notice') return [];
  const { title = '', file, line } = properties;
  return [
    {
      level: name,
      title,
      message: data,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line: Number(line) }),
    },
  ];
}
