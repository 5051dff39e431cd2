import { randomUUID } from 'node:crypto';
import type { Annotation } from '../domain/report.ts';
import type { Log } from '../ports/log.ts';
import { newMasks } from './masks.ts';

/** The log of a job step on a runner, and what only the runtime says there. */
export interface RunnerLog extends Log {
  annotate(annotation: Annotation): void;
  /** Hides a value here and tells the runner to hide it. */
  mask(secret: string): void;
  /** For what leaves by another way than the log: outputs, the summary. */
  hide(text: string): string;
}

interface LogOptions {
  /** Takes whole lines with their line end. */
  readonly write: (lines: string) => void;
  /** For stop-commands: nobody who writes a text may know it. */
  readonly token?: () => string;
}

/** A text of more lines than this is folded. */
const FOLDED_FROM = 20;

/**
 * Words on stdout in the runner's protocol (actions/runner, ActionCommand.cs): a line that starts with `::`, whatever
 * blanks are before it, or has `##[` anywhere may be a command. A text that is not ours must never be read as one.
 */
export function runnerLog({ write, token = randomUUID }: LogOptions): RunnerLog {
  const masks = newMasks();
  const command = (name: string, properties: Readonly<Record<string, string | undefined>>, data: string): void => {
    const given = Object.entries(properties).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const list = given.map(([key, value]) => `${key}=${escapeProperty(masks.hide(value))}`).join(',');
    write(`::${name}${list === '' ? '' : ` ${list}`}::${escapeData(masks.hide(data))}\n`);
  };
  const uninterpreted = (text: string): void => {
    let stop = token();
    while (text.includes(stop)) stop = token();
    write(`::stop-commands::${stop}\n${text}\n::${stop}::\n`);
  };
  const plain = (line: string): void => {
    const text = withNewlines(masks.hide(line));
    if (couldBeCommand(text)) uninterpreted(text);
    else write(`${text}\n`);
  };
  return {
    info: plain,
    debug: (line) => command('debug', {}, line),
    warning: (line) => command('warning', {}, line),
    verbatim(title, text) {
      const shown = withNewlines(masks.hide(text)).replace(/\n+$/, '');
      const folded = shown.split('\n').length > FOLDED_FROM;
      if (folded) command('group', {}, title);
      else plain(title);
      uninterpreted(shown);
      if (folded) command('endgroup', {}, '');
    },
    annotate: ({ level, title, message, file, line }) =>
      command(level, { title, file, line: line?.toString() }, message),
    mask(secret) {
      // Before it is hidden: this line alone must carry the value.
      for (const part of masks.add(secret)) write(`::add-mask::${escapeData(part)}\n`);
    },
    hide: masks.hide,
  };
}

/** The runner ends a line at CR, LF and CRLF. */
const withNewlines = (text: string): string => text.replaceAll(/\r\n?/g, '\n');

/**
 * The runner trims blanks by .NET's rules and compares by the culture's, which overlook characters that show nothing;
 * so everything before `::` that is no letter, digit, mark of punctuation or symbol counts as blank here.
 */
const couldBeCommand = (text: string): boolean => /^[^\p{L}\p{N}\p{P}\p{S}\n]*::|##\[/mu.test(text);

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
