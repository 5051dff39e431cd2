import { systemClock } from '../adapters/system/clock.ts';
import { readText, writeText } from '../adapters/system/files.ts';
import { Failure, messageOf } from '../domain/failure.ts';
import { InvalidInput } from '../domain/inputs.ts';
import type { ActionTools } from './action.ts';
import type { StopWatch } from './cancellation.ts';
import type { RunnerLog } from './log.ts';
import { runIdentity } from './run-identity.ts';
import { type RunnerFiles, savedByMain } from './runner-files.ts';

export interface ToolParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: RunnerLog;
  readonly watch: StopWatch;
  readonly files: RunnerFiles;
  /** Called when something outside is about to change; what it gives back, when that was refused for certain. */
  readonly onChange: () => () => void;
  /** Told what a cancelled run leaves behind. */
  readonly onLeave: (said: string | undefined) => void;
}

/** What an action gets to work with; made once per run. */
export function openTools({ environment, log, watch, files, onChange, onLeave }: ToolParts): ActionTools {
  const run = runIdentity(environment);
  const saved = new Map<string, string>();
  return {
    log,
    clock: systemClock(),
    signal: watch.signal,
    run,
    onCancel(restore) {
      if (restore !== undefined) onChange();
      watch.onCancel(restore);
    },
    willChange: onChange,
    leavesBehind: onLeave,
    mask: log.mask,
    saveState(name, value) {
      saved.set(name, value);
      files.saveState(name, value);
    },
    savedState: (name) => saved.get(name) ?? savedByMain(environment, name),
    environment: (name) => environment[name] || undefined,
    async readFile(path, namedBy) {
      const file = await readText(run.workspace, path);
      switch (file.kind) {
        case 'text':
          return file.text;
        case 'missing':
          throw new InvalidInput(`File ${path}`, [
            {
              input: namedBy,
              given: path,
              problem: `is not in the workspace ${run.workspace}`,
              accepted: 'the path of a file, from the workspace, after a checkout',
            },
          ]);
        case 'unreadable':
          throw new InvalidInput(`File ${path}`, [
            { input: namedBy, given: path, problem: `cannot be read: ${file.why}` },
          ]);
      }
    },
    async writeFile(path, content) {
      try {
        await writeText(run.workspace, path, content);
      } catch (cause) {
        throw new Failure({ what: `Could not write ${path}`, why: messageOf(cause) }, { cause });
      }
    },
  };
}
