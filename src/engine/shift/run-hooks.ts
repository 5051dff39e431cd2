import { formatDuration } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import { type Hook, type HookResult, formatHook } from '../../domain/shift/hooks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Programs } from '../../ports/programs.ts';

export interface HookTools {
  readonly programs: Pick<Programs, 'run'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Beside the environment of the step. */
  readonly env: Readonly<Record<string, string>>;
  readonly databases: 'allowed' | 'untouched';
}

/**
 * Runs one command of the team's within its time. Never throws: what a shift came to does not depend on what is done after
 * it. `before` is `interrupted` when an earlier process began it and did not live to see the end.
 */
export async function runHook(
  { hook, before }: { readonly hook: Hook; readonly before: 'nothing' | 'interrupted' },
  tools: HookTools,
  signal: AbortSignal,
): Promise<HookResult> {
  const { programs, clock, log, env, databases } = tools;
  const name = formatHook(hook);
  if (hook.database === 'changed' && databases === 'untouched')
    return { hook, end: 'skipped', says: 'it changes a database, and allow-database-hooks is not set' };
  if (hook.database === 'changed' && before === 'interrupted') {
    const says =
      'an earlier run was interrupted in it, and what changes a database is not begun twice; look at the database';
    return { hook, end: 'failed', says };
  }
  if (signal.aborted) return { hook, end: 'skipped', says: 'the step was stopped' };
  log.info(
    `Running ${name}${before === 'interrupted' ? ' again, because it was interrupted' : ''}, ${formatDuration(hook.timeout)} at most`,
  );
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
