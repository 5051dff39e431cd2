import { type ChildProcess, fork } from 'node:child_process';
import { Failure } from '../../src/domain/failure.ts';
import { migrationLines } from '../application/migrate.ts';
import { bundledApplication } from './bundle-application.ts';
import { type RecentLines, taskOutputs } from './recent-lines.ts';
import type { Address, LoggingTaskRunner, TaskExit, TaskSpec } from './types.ts';

export interface ProcessTaskRunnerOptions {
  /** Milliseconds in which a task must listen. */
  readonly startTimeout?: number;
  /** Another program than the demo application, for tests. */
  readonly program?: string;
}

interface Task {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
}

// Demo tasks live in some 10 MB of heap; a leak ends the task, as a container's memory limit would, and not the machine.
const MEMORY_FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=2'];

/** Every task is a process of its own, with a socket of its own, that ends when this process ends. */
export function processTaskRunner(options: ProcessTaskRunnerOptions = {}): LoggingTaskRunner {
  const tasks = new Map<string, Task>();
  const outputs = taskOutputs();

  async function stop(id: string, grace: number): Promise<void> {
    const task = tasks.get(id);
    if (task === undefined) return;
    task.child.kill('SIGTERM');
    const force = setTimeout(() => task.child.kill('SIGKILL'), grace);
    await task.gone;
    clearTimeout(force);
  }

  return {
    start(spec, onExit) {
      if (tasks.has(spec.id))
        return Promise.reject(new Failure({ what: `Could not start task ${spec.id}`, why: 'it already runs' }));
      const output = outputs.open(spec.id);
      if (spec.command !== undefined) {
        output.write(`${migrationLines(spec).join('\n')}\n`);
        return Promise.resolve({ host: '127.0.0.1', port: 0 });
      }
      const child = launch(spec, options.program ?? bundledApplication());
      child.stdout?.setEncoding('utf8').on('data', (piece: string) => output.write(piece));
      child.stderr?.setEncoding('utf8').on('data', (piece: string) => output.write(piece));
      const gone = new Promise<void>((resolve) => {
        whenGone(child, (exit) => {
          tasks.delete(spec.id);
          onExit(exit);
          resolve();
        });
      });
      tasks.set(spec.id, { child, gone });
      return listening(spec, { child, gone, output, timeout: options.startTimeout ?? 10_000 });
    },
    stop,
    async stopAll() {
      await Promise.all([...tasks.keys()].map((id) => stop(id, 2_000)));
    },
    logs: (id) => outputs.lines(id),
  };
}

function launch(spec: TaskSpec, program: string): ChildProcess {
  return fork(program, [], {
    execArgv: MEMORY_FLAGS,
    // Nothing of this process's environment: it may hold credentials, and the demo application needs none of it.
    env: { SANDBOX_TASK: JSON.stringify(spec) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Once, after the last of its output was read; a program that could not be started at all ends with neither code nor signal. */
function whenGone(child: ChildProcess, tell: (exit: TaskExit) => void): void {
  let told = false;
  const once = (exit: TaskExit): void => {
    if (told) return;
    told = true;
    tell(exit);
  };
  child.once('close', (code, signal) => once({ code, signal }));
  child.on('error', () => {
    if (child.pid === undefined) once({ code: null, signal: null });
  });
}

interface Starting {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
  readonly output: RecentLines;
  readonly timeout: number;
}

async function listening(spec: TaskSpec, { child, gone, output, timeout }: Starting): Promise<Address> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeout);
  const port = new Promise<number>((resolve) => {
    child.once('message', (message) => resolve((message as { readonly port: number }).port));
  });
  const first = await Promise.race([port, gone]);
  clearTimeout(timer);
  if (first !== undefined) return { host: '127.0.0.1', port: first };
  const why = late
    ? `it did not listen within ${timeout} ms`
    : `it ended before it listened: ${output.lines().at(-1) ?? 'no output'}`;
  throw new Failure({ what: `Could not start task ${spec.id} of ${spec.image}`, why });
}
