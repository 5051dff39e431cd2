import { setTimeout as pause } from 'node:timers/promises';
import { type BundleResult, type BundleRun, type RunningBundle, startBundle } from './run-bundle.ts';

/** How something from outside ends a running step; resolves when it is done with it. */
export type Interrupt = (running: RunningBundle) => Promise<void>;

/** The job is ended at once: SIGKILL. */
export const kill: Interrupt = async (running) => running.signal('SIGKILL');

/**
 * A run is cancelled: SIGINT, SIGTERM after 7.5 s, SIGKILL after 2.5 s more, each only while the process lives.
 * In lock-step the shim makes long timers ten times shorter; `scale: 0.1` makes this patience as short.
 */
export const cancelAsRunner =
  ({ scale }: { readonly scale: number }): Interrupt =>
  async (running) => {
    running.signal('SIGINT');
    if (await endsWithin(running, 7_500 * scale)) return;
    running.signal('SIGTERM');
    if (await endsWithin(running, 2_500 * scale)) return;
    running.signal('SIGKILL');
  };

/**
 * The runner freezes (a suspended machine) while `meanwhile` happens, and wakes up again: a zombie, which must write
 * nothing more.
 */
export const freezeDuring =
  (meanwhile: () => Promise<void>): Interrupt =>
  async (running) => {
    running.signal('SIGSTOP');
    try {
      await meanwhile();
    } finally {
      running.signal('SIGCONT');
    }
  };

/** Does it when the output matches, not before. */
export const onceItSays =
  (output: RegExp, interrupt: Interrupt): Interrupt =>
  async (running) => {
    await running.saw(output);
    await interrupt(running);
  };

/** Runs `main` under an interrupt. The runner is dead then: no `post` follows. */
export async function mainOnly(run: BundleRun, interrupt: Interrupt): Promise<BundleResult> {
  const running = await startBundle({ ...run, phase: 'main' });
  await interrupt(running);
  return running.result;
}

/** Runs `main` under an interrupt and then `post`, with the same inputs and files and the state that `main` saved. */
export async function mainThenPost(
  run: BundleRun,
  interrupt: Interrupt,
): Promise<{ readonly main: BundleResult; readonly post: BundleResult }> {
  const main = await mainOnly(run, interrupt);
  const post = await (await startBundle({ ...run, phase: 'post', state: main.state })).result;
  return { main, post };
}

async function endsWithin(running: RunningBundle, limit: number): Promise<boolean> {
  const timer = new AbortController();
  const ended = running.result.then(() => true);
  try {
    return await Promise.race([ended, pause(limit, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
