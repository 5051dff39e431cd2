import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { readRunnerFile } from '../runner/runner-protocol.ts';

/** One step of a workflow: the committed bundle of an action as the runner starts it. */
export interface Step {
  readonly action: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Folder with sluice.yml and the files beside it. */
  readonly workspace: string;
  /** Each line of its log, commands of the runner taken out. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface StepResult {
  readonly exitCode: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** The first error, as an annotation would show it. */
  readonly error: string | undefined;
}

const ROOT = resolve(import.meta.dirname, '../..');

/** Runs main and, as the runner does, post; post's exit code counts too. */
export async function runStep(step: Step): Promise<StepResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-rehearsal-step-'));
  const begin = performance.now();
  try {
    const main = await runPhase(step, folder, 'main', {});
    const post = (await hasPost(step.action)) ? await runPhase(step, folder, 'post', main.state) : undefined;
    return {
      exitCode: main.exitCode === 0 ? (post?.exitCode ?? 0) : main.exitCode,
      outputs: main.outputs,
      seconds: (performance.now() - begin) / 1_000,
      error: main.error ?? post?.error,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const hasPost = async (action: string): Promise<boolean> =>
  /^ {2}post:/m.test(await readFile(join(ROOT, 'actions', action, 'action.yml'), 'utf8'));

async function runPhase(step: Step, folder: string, phase: 'main' | 'post', state: Readonly<Record<string, string>>) {
  const files = {
    GITHUB_OUTPUT: join(folder, `${phase}-output`),
    GITHUB_STATE: join(folder, `${phase}-state`),
    GITHUB_STEP_SUMMARY: join(folder, `${phase}-summary`),
  };
  for (const file of Object.values(files)) await writeFile(file, '');
  const inputs = Object.entries(step.inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const saved = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]);
  const child = spawn(process.execPath, [join(ROOT, 'actions', step.action, 'dist', `${phase}.mjs`)], {
    cwd: step.workspace,
    env: {
      PATH: process.env['PATH'],
      ...runnerVariables(step.workspace, folder),
      ...files,
      ...step.env,
      ...Object.fromEntries(inputs),
      ...Object.fromEntries(saved),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGINT');
  step.signal.addEventListener('abort', stop, { once: true });
  let error: string | undefined;
  const readers = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of createInterface({ input: stream })) {
      const shown = shownLine(line);
      if (/^::error/.test(line)) error ??= shown;
      if (shown !== undefined) step.say(shown);
    }
  });
  const exitCode = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 137));
  });
  await Promise.all(readers);
  step.signal.removeEventListener('abort', stop);
  const [outputs, newState] = await Promise.all(
    [files.GITHUB_OUTPUT, files.GITHUB_STATE].map(async (file) => readRunnerFile(await readFile(file, 'utf8'))),
  );
  return { exitCode, outputs: outputs ?? {}, state: newState ?? {}, error };
}

/** What every runner sets; the rest of this machine's environment stays out. */
const runnerVariables = (workspace: string, folder: string): Record<string, string> => ({
  HOME: folder,
  RUNNER_TEMP: folder,
  GITHUB_ACTIONS: 'true',
  GITHUB_WORKSPACE: workspace,
  GITHUB_REPOSITORY: 'rehearsal/charts',
  GITHUB_RUN_ID: '1',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_JOB: 'release',
  GITHUB_ACTOR: 'rehearsal',
  GITHUB_SHA: '0'.repeat(40),
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** What ends a stretch of stopped commands: a random token. */
const STOP_TOKEN = /^::[0-9a-f-]{36}::$/;

/** Commands are for the runner: errors and warnings are shown by their text, the others not at all. */
function shownLine(line: string): string | undefined {
  if (STOP_TOKEN.test(line)) return undefined;
  const command = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line);
  if (command === null) return line;
  const [, name = '', data = ''] = command;
  if (name !== 'error' && name !== 'warning' && name !== 'notice') return undefined;
  return `${name}: ${data.replaceAll('%0D', '').replaceAll('%0A', '\n').replaceAll('%25', '%')}`;
}

/** Writes the files of a workspace; returns its folder. */
export async function makeWorkspace(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-rehearsal-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}
