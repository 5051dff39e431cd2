import type { Path } from '../checks/document.ts';
import type { LoadVerdict } from './judge-load.ts';
import type { Generator, Measured, Times } from './measured.ts';

/** Of all answers or of one scenario; the histograms are those of HdrHistogram (V2, compressed, base64), in microseconds. */
export interface LoadPart extends Measured {
  readonly name: string;
  readonly histograms: { readonly response: string; readonly service: string };
}

export interface LoadParts {
  readonly all: LoadPart;
  readonly scenarios: readonly LoadPart[];
}

/** What one load came to: a part of the result file, whose histograms merge exactly with those of other runs. */
export interface LoadResult extends LoadParts {
  readonly name: string;
  readonly verdict: LoadVerdict;
  readonly rules: readonly {
    readonly rule: string;
    readonly level: 'fail' | 'warn';
    readonly scenario?: string;
    readonly outcome: 'kept' | 'broken' | 'unknown';
    readonly words: string;
  }[];
  /** Why nothing can be said, and what to do. */
  readonly invalid: readonly string[];
  readonly stable?: LoadParts;
  /** Why answers failed, the most frequent reason first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  /** Answers by the version that gave them, where a check looks for one. */
  readonly versions: Readonly<Record<string, number>>;
  readonly generator: Generator & { readonly lag: string };
  readonly slices: readonly {
    readonly from: number;
    readonly requests: number;
    readonly errors: number;
    readonly p50: number;
    readonly p95: number;
    readonly response: string;
  }[];
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly seconds: number;
}

/** With its place in the checks file, and that of each of its rules, in their order. */
export interface PlacedLoadResult {
  readonly result: LoadResult;
  readonly at: Path;
  readonly rulesAt: readonly Path[];
}

/** A load of an earlier result file, as far as rules against it need it. */
export function readBaseline(text: string): ReadonlyMap<string, LoadParts> | undefined {
  try {
    const file = JSON.parse(text) as { readonly schema?: unknown; readonly loads?: readonly LoadResult[] };
    if (file.schema !== 'sluice/checks-result/v1' || !Array.isArray(file.loads)) return undefined;
    const whole = file.loads.every(({ all, scenarios }) => isPart(all) && scenarios.every(isPart));
    if (!whole) return undefined;
    return new Map(file.loads.map((load) => [load.name, { all: load.all, scenarios: load.scenarios }]));
  } catch {
    return undefined;
  }
}

const TIMES: readonly (keyof Times)[] = ['p50', 'p75', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'];

/** The file comes from another run and perhaps from other hands: a number that is none would make every rule hold. */
function isPart(part: LoadPart): boolean {
  const { name, requests, errors, rate, response, service } = part;
  const numbers = [requests, errors, rate, ...[response, service].flatMap((times) => TIMES.map((key) => times[key]))];
  return typeof name === 'string' && numbers.every((each) => Number.isFinite(each) && each >= 0);
}
