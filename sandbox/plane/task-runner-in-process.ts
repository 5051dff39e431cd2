import { setTimeout as realSleep } from 'node:timers/promises';
import { Failure } from '../../src/domain/failure.ts';
import { migrationLines } from '../application/migrate.ts';
import { type Served, serveApplication } from '../application/serve.ts';
import { newState } from '../application/state.ts';
import { taskOutputs } from './recent-lines.ts';
import type { LoggingTaskRunner, TaskExit } from './types.ts';

export interface InProcessTaskRunnerOptions {
  /** Epoch milliseconds; a lock-step test gives the sandbox's own time. */
  readonly now?: () => number;
  /** How a slow release waits; a lock-step test gives the sandbox's own waiting. */
  readonly sleep?: (length: number) => Promise<void>;
}

/** A task that ends by itself listens nowhere. */
const NOWHERE = { host: '127.0.0.1', port: 0 };

interface Task {
  readonly served: Served;
  readonly end: (exit: TaskExit) => void;
}

/** The same application without processes: the sockets are real, the start is instant, and time can be another's. */
export function inProcessTaskRunner(options: InProcessTaskRunnerOptions = {}): LoggingTaskRunner {
  const now = options.now ?? Date.now;
  const sleep = options.sleep ?? ((length: number) => realSleep(length, undefined, { ref: false }));
  const tasks = new Map<string, Task>();
  const outputs = taskOutputs();

  async function stop(id: string, grace: number): Promise<void> {
    const task = tasks.get(id);
    if (task === undefined) return;
    const force = setTimeout(() => {
      task.end({ code: null, signal: 'SIGKILL' });
      task.served.kill();
    }, grace);
    await task.served.stop();
    clearTimeout(force);
    task.end({ code: 0, signal: null });
  }

  return {
    async start(spec, onExit) {
      if (tasks.has(spec.id)) throw new Failure({ what: `Could not start task ${spec.id}`, why: 'it already runs' });
      const output = outputs.open(spec.id);
      const log = (line: string): void => output.write(`${line}\n`);
      if (spec.command !== undefined) {
        for (const line of migrationLines(spec)) log(line);
        return NOWHERE;
      }
      const end = endOnce((exit) => {
        tasks.delete(spec.id);
        onExit(exit);
      });
      const refuse = (line: string): never => {
        log(line);
        end({ code: 1, signal: null });
        throw new Failure({
          what: `Could not start task ${spec.id} of ${spec.image}`,
          why: `it ended before it listened: ${line}`,
        });
      };
      const state = settings(() => newState(spec, now()), refuse);
      if (state.behaviour.kind === 'crash-at-start') return refuse('fatal: could not connect to the database');
      const served = await serveApplication(state, {
        now,
        sleep,
        log,
        exit(code) {
          served.kill();
          end({ code, signal: null });
        },
      });
      tasks.set(spec.id, { served, end });
      return served.address;
    },
    stop,
    async stopAll() {
      await Promise.all([...tasks.keys()].map((id) => stop(id, 2_000)));
    },
    logs: (id) => outputs.lines(id),
  };
}

function endOnce(tell: (exit: TaskExit) => void): (exit: TaskExit) => void {
  let told = false;
  return (exit) => {
    if (told) return;
    told = true;
    tell(exit);
  };
}

function settings<T>(read: () => T, refuse: (line: string) => never): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure) return refuse(error.message);
    throw error;
  }
}
