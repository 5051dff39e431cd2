/** What a reader sees of an xychart. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** The values of each `line` and `bar`, in order. */
  readonly series: readonly (readonly number[])[];
}

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d+)?|\.\d+)`;
const QUOTED = '"[^"\\n]*"';
const RANGE = `${NUMBER} --> ${NUMBER}`;
const AXIS = `(?: ${QUOTED})?(?: ${RANGE}| \\[${QUOTED}(?:, ${QUOTED})*\\])?`;
const LINES = {
  title: new RegExp(`^title (${QUOTED})$`),
  x: new RegExp(`^x-axis(${AXIS})$`),
  y: new RegExp(`^y-axis((?: ${QUOTED})?(?: ${RANGE})?)$`),
  series: new RegExp(`^(?:line|bar) \\[(${NUMBER}(?:, ${NUMBER})*)\\]$`),
} as const;

/**
 * The charts of a summary, or an Error that names the line that Mermaid would not take: GitHub then shows an error in
 * place of the chart. The part of Mermaid's grammar (xychart.jison of version 11) that charts of this repository use, and
 * nothing beside it: the whole parser needs a browser and 170 MB.
 */
export function chartsOf(markdown: string): readonly Chart[] {
  return [...markdown.matchAll(/```mermaid\n([^]*?)\n```/g)].map(([, source = '']) => parsed(source));
}

function parsed(source: string): Chart {
  const [head, ...rest] = source.split('\n').map((line) => line.trim());
  if (head !== 'xychart-beta') throw new Error(`not an xychart: ${head}`);
  const found = { title: [] as string[], x: [] as string[], y: [] as string[], series: [] as string[] };
  for (const line of rest) {
    const kind = (Object.keys(LINES) as (keyof typeof LINES)[]).find((each) => LINES[each].test(line));
    if (kind === undefined) throw new Error(`Mermaid would not take this line: ${line}`);
    found[kind].push(LINES[kind].exec(line)?.[1] ?? '');
  }
  const series = found.series.map((values) => values.split(', ').map(Number));
  const [title, x, y] = [only('title'), only('x'), only('y')];
  if (series.length === 0 || new Set(series.map(({ length }) => length)).size > 1)
    throw new Error(`lines of ${series.map(({ length }) => length).join(', ')} points in one chart`);
  return { title, x, y, series };

  function only(kind: 'title' | 'x' | 'y'): string {
    const [first, ...more] = found[kind];
    if (first === undefined || more.length > 0) throw new Error(`${found[kind].length} lines of ${kind} in one chart`);
    return first.trim();
  }
}
