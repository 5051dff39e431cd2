import { formatDuration } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import { type Hook, formatHook } from '../../domain/shift/hooks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Programs } from '../../ports/programs.ts';

export interface HookResult {
  readonly hook: Hook;
  readonly end: 'good' | 'failed' | 'skipped';
  /** A clause. */
  readonly says: string;
}

export interface HookTools {
  readonly programs: Pick<Programs, 'run'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Beside the environment of the step. */
  readonly env: Readonly<Record<string, string>>;
  readonly databases: 'allowed' | 'untouched';
}

/**
 * One after the other, each within its time; after one that failed the next ones run all the same, because they know
 * nothing of each other. Never throws: what a shift came to does not depend on what is done after it.
 */
export async function runHooks(
  hooks: readonly Hook[],
  tools: HookTools,
  signal: AbortSignal,
): Promise<readonly HookResult[]> {
  const results: HookResult[] = [];
  for (const hook of hooks) results.push(await runHook(hook, tools, signal));
  return results;
}

async function runHook(hook: Hook, tools: HookTools, signal: AbortSignal): Promise<HookResult> {
  const { programs, clock, log, env, databases } = tools;
  const name = formatHook(hook);
  if (hook.database === 'changed' && databases === 'untouched')
    return { hook, end: 'skipped', says: 'it changes a database, and allow-database-hooks is not set' };
  if (signal.aborted) return { hook, end: 'skipped', says: 'the step was stopped' };
  log.info(`Running ${name}, ${formatDuration(hook.timeout)} at most`);
  const ended = new AbortController();
  const late = new AbortController();
  const limit = clock.sleep(hook.timeout, ended.signal).then(
    () => late.abort(new Error('late')),
    () => undefined,
  );
  const lines: string[] = [];
  try {
    const call = { args: hook.args, env, onLine: (line: string) => void lines.push(line) };
    const { code, stderr } = await programs.run(hook.program, call, AbortSignal.any([signal, late.signal]));
    if (code === 0) return { hook, end: 'good', says: 'it ended well' };
    const why = code === 127 && lines.length === 0 ? ` (${stderr})` : '';
    return { hook, end: 'failed', says: code === null ? 'a signal ended it' : `it ended with ${code}${why}` };
  } catch (thrown) {
    const says = late.signal.aborted
      ? `it took longer than ${formatDuration(hook.timeout)} and was ended`
      : messageOf(thrown);
    return { hook, end: 'failed', says };
  } finally {
    ended.abort();
    await limit;
    if (lines.length > 0) log.verbatim(`Output of ${name}`, lines.join('\n'));
  }
}
