import { spawn } from 'node:child_process';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ProgramCall, ProgramResult, Programs } from '../../ports/programs.ts';

/** Of a build that writes without an end only this much is kept, from its end. */
const KEPT = 4 * 1024 * 1024;
/** Between SIGTERM and SIGKILL, in milliseconds: a client of docker tells its engine to stop. */
const GRACE = 1_000;

export const systemPrograms = (): Programs => ({
  async find(name) {
    const found: string[] = [];
    const seen = new Set<string>();
    for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((each) => each !== '')) {
      const path = join(folder, name);
      try {
        await access(path, constants.X_OK);
        const real = await realpath(path);
        if (!seen.has(real)) found.push(path);
        seen.add(real);
      } catch {
        // Not in this folder.
      }
    }
    return found;
  },
  run,
});

function run(program: string, call: ProgramCall, signal: AbortSignal): Promise<ProgramResult> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>();
  const child = spawn(program, call.args, {
    cwd: call.cwd,
    env: { ...process.env, ...call.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
  });
  const kill = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended already.
    }
  };
  let force: NodeJS.Timeout | undefined;
  const stop = (): void => {
    kill('SIGTERM');
    force = setTimeout(() => kill('SIGKILL'), GRACE);
  };
  signal.addEventListener('abort', stop, { once: true });
  const stdout = gather(child.stdout, call.onLine);
  const stderr = gather(child.stderr, call.onLine);
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.input ?? '');
  const done = (result: ProgramResult): void => {
    signal.removeEventListener('abort', stop);
    clearTimeout(force);
    if (signal.aborted) reject(signal.reason as Error);
    else resolve(result);
  };
  child.once('error', (error) => done({ code: 127, stdout: '', stderr: error.message }));
  child.once('close', (code) => done({ code, stdout: stdout(), stderr: stderr() }));
  return promise;
}

function gather(stream: NodeJS.ReadableStream, onLine: ((line: string) => void) | undefined): () => string {
  let text = '';
  let open = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    text = (text + piece).slice(-KEPT);
    if (onLine === undefined) return;
    const lines = (open + piece).split(/\r?\n/);
    open = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream.on('end', () => {
    if (open !== '') onLine?.(open);
  });
  return () => text;
}
