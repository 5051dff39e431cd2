import type { Log } from '../../src/ports/log.ts';

export interface LogEntry {
  readonly level: 'info' | 'debug' | 'warning' | 'verbatim';
  /** Of `verbatim` the title. */
  readonly line: string;
  /** Of `verbatim` the text. */
  readonly text?: string;
}

export interface RecordingLog extends Log {
  readonly entries: readonly LogEntry[];
  /** What a person sees without debug logging: info lines and warnings. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** Keeps what was said, for tests of the words. */
export function recordingLog(): RecordingLog {
  const entries: LogEntry[] = [];
  const said = (...levels: readonly LogEntry['level'][]): readonly string[] =>
    entries.filter(({ level }) => levels.includes(level)).map(({ line }) => line);
  return {
    entries,
    info: (line) => void entries.push({ level: 'info', line }),
    debug: (line) => void entries.push({ level: 'debug', line }),
    warning: (line) => void entries.push({ level: 'warning', line }),
    verbatim: (line, text) => void entries.push({ level: 'verbatim', line, text }),
    get lines() {
      return said('info', 'warning');
    },
    get warnings() {
      return said('warning');
    },
  };
}
