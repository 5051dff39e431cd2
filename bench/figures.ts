/** One measured number beside what it should be and what it is compared with. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The value holds when it is at most this. */
  readonly goal: number;
  /** What stood beside it in the same minutes on the same machine. */
  readonly comparison?: { readonly name: string; readonly value: number };
}

/** A benchmark is a file `bench/NAME.bench.ts` whose default export is one of these. */
export interface Bench {
  /** What it measures, in one line. */
  readonly title: string;
  run(): Promise<readonly Figure[]>;
}

export const holds = ({ value, goal }: Figure): boolean => value <= goal;

/** The middle value; with an even count the lower one of the two, so that it is one that was measured. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** A line per figure: value, goal, comparison with its ratio, verdict. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, value, unit, goal, comparison } = figure;
    const beside = comparison
      ? `${comparison.name} ${short(comparison.value)} ${unit} (x${short(value / comparison.value)})`
      : '';
    return [name, `${short(value)} ${unit}`, `<= ${short(goal)} ${unit}`, beside, holds(figure) ? 'holds' : 'MISSED'];
  });
  const all = [['figure', 'measured', 'goal', 'beside it', ''], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const short = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2).replace(/\.?0+$/, '');
