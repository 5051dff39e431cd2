import type { Log } from '../../src/ports/log.ts';

export interface FakeLog extends Log {
  /** `info Registered ...`, `warning ...`, `verbatim TITLE TEXT`, in order. */
  readonly lines: readonly string[];
  /** Lines of one level, without its name. */
  of(level: 'info' | 'debug' | 'warning' | 'verbatim'): readonly string[];
}

export function fakeLog(): FakeLog {
  const lines: string[] = [];
  const write = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return {
    lines,
    info: write('info'),
    debug: write('debug'),
    warning: write('warning'),
    verbatim: (title, text) => void lines.push(`verbatim ${title} ${text}`),
    of: (level) => lines.filter((line) => line.startsWith(`${level} `)).map((line) => line.slice(level.length + 1)),
  };
}
