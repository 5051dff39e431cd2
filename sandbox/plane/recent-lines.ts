/** The last lines of a stream of text: enough to see why a task ended, never the whole log. */
export interface RecentLines {
  /** A piece of output; lines may be cut anywhere between pieces. */
  write(piece: string): void;
  lines(): readonly string[];
}

/** The output of many tasks, the ended ones included, up to a number of tasks. */
export interface TaskOutputs {
  /** Forgets what an earlier task of this name printed. */
  open(id: string): RecentLines;
  lines(id: string): readonly string[];
}

const KEPT_LINES = 50;
const KEPT_TASKS = 500;
const LINE_LIMIT = 2_000;

export function recentLines(keep: number): RecentLines {
  const kept: string[] = [];
  let open = '';
  return {
    write(piece) {
      const parts = (open + piece).split('\n');
      open = (parts.pop() ?? '').slice(0, LINE_LIMIT);
      kept.push(...parts.map((line) => line.slice(0, LINE_LIMIT)));
      if (kept.length > keep) kept.splice(0, kept.length - keep);
    },
    lines: () => (open === '' ? [...kept] : [...kept, open].slice(-keep)),
  };
}

export function taskOutputs(): TaskOutputs {
  const outputs = new Map<string, RecentLines>();
  return {
    open(id) {
      const output = recentLines(KEPT_LINES);
      outputs.delete(id);
      outputs.set(id, output);
      const oldest = outputs.keys().next();
      if (outputs.size > KEPT_TASKS && !oldest.done) outputs.delete(oldest.value);
      return output;
    },
    lines: (id) => outputs.get(id)?.lines() ?? [],
  };
}
