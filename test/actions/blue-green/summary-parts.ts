import { type Chart, chartsOf } from '../../harness/mermaid.ts';

/** What stands in the summary that a step wrote, part by part; a chart that Mermaid would not take is an Error. */
export interface SummaryParts {
  readonly heading: string;
  /** The first text, which says how it ended. */
  readonly says: string;
  /** Moment, share of the candidate, error rate, what happened. */
  readonly timeline: readonly (readonly string[])[];
  readonly charts: readonly Chart[];
  /** Rule with its limit, level, last value with the number of samples, end. */
  readonly rules: readonly (readonly string[])[];
}

export const partsOf = (summary: string): SummaryParts => ({
  heading: /^### (.*)$/m.exec(summary)?.[1] ?? '',
  says: /```text\n([^]*?)\n```/.exec(summary)?.[1] ?? '',
  timeline: rowsBelow(summary, '| UTC |'),
  charts: chartsOf(summary),
  rules: rowsBelow(summary, '| rule |'),
});

function rowsBelow(summary: string, head: string): readonly (readonly string[])[] {
  const lines = summary.split('\n');
  const start = lines.findIndex((line) => line.startsWith(head));
  if (start < 0) return [];
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
} // prettier-ignore
