import type { Measured, Times } from '../../domain/load/measured.ts';
import { type Duration, seconds } from '../../domain/duration.ts';
import type { Histogram, Histograms } from '../../ports/histogram.ts';

/** One thing that somebody waited for. Times are milliseconds. */
export interface Sample {
  readonly scenario: string;
  readonly response: number;
  readonly service: number;
  /** Why it counts as failed; undefined: it passed. */
  readonly error: string | undefined;
  readonly version: string | undefined;
}

export interface Part {
  readonly requests: number;
  readonly errors: number;
  readonly response: Histogram;
  readonly service: Histogram;
}

/** A piece of the run, by the moment of the answer. */
export interface Slice {
  /** Seconds from the start of the load. */
  readonly from: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50: number;
  readonly p95: number;
  readonly response: string;
}

export interface Recorder {
  add(sample: Sample, elapsed: number): void;
  readonly requests: number;
  readonly errors: number;
  /** Of all scenarios together, as of now. */
  readonly all: Part;
  readonly scenarios: ReadonlyMap<string, Part>;
  /** How often each reason was met, the most frequent first. */
  readonly reasons: readonly (readonly [string, number])[];
  readonly versions: ReadonlyMap<string, number>;
  /** Closes the piece that is open. */
  slices(): readonly Slice[];
}

/** Different reasons that are kept apart; text of the system under test may be another one in every answer. */
const MOST_REASONS = 50;
const OTHERS = 'other reasons';
export const SLICE: Duration = seconds(10);

interface Growing {
  requests: number;
  errors: number;
  readonly response: Histogram;
  readonly service: Histogram;
}

interface RecorderOptions {
  /** Length of a piece. */
  readonly slice?: Duration;
  /** Told of every sample as well. */
  readonly also?: (sample: Sample, elapsed: number) => void;
}

/** Counts what comes back, in memory that does not grow with the number of answers. */
export function newRecorder(
  histograms: Histograms,
  names: readonly string[],
  { slice = SLICE, also }: RecorderOptions = {},
): Recorder {
  const part = (): Growing => ({ requests: 0, errors: 0, response: histograms.create(), service: histograms.create() });
  const whole = { requests: 0, errors: 0 };
  const scenarios = new Map(names.map((name) => [name, part()]));
  const reasons = new Map<string, number>();
  const versions = new Map<string, number>();
  const slices: Slice[] = [];
  let open = { from: 0, requests: 0, errors: 0 };
  const inSlice = histograms.create();
  const close = (): void => {
    if (open.requests > 0)
      slices.push({
        ...open,
        from: open.from / 1_000,
        p50: inSlice.at(50),
        p95: inSlice.at(95),
        response: inSlice.encode(),
      });
    inSlice.reset();
  };
  const count = (to: Growing, { response, service, error }: Sample): void => {
    to.requests += 1;
    if (error !== undefined) to.errors += 1;
    to.response.record(response);
    to.service.record(service);
  };
  return {
    add(sample, elapsed) {
      also?.(sample, elapsed);
      const from = Math.floor(elapsed / slice) * slice;
      if (from > open.from) {
        close();
        open = { from, requests: 0, errors: 0 };
      }
      open.requests += 1;
      whole.requests += 1;
      inSlice.record(sample.response);
      const own = scenarios.get(sample.scenario);
      if (own !== undefined) count(own, sample);
      if (sample.error !== undefined) {
        open.errors += 1;
        whole.errors += 1;
        const key = reasons.has(sample.error) || reasons.size < MOST_REASONS ? sample.error : OTHERS;
        reasons.set(key, (reasons.get(key) ?? 0) + 1);
      }
      if (sample.version !== undefined && (versions.has(sample.version) || versions.size < MOST_REASONS))
        versions.set(sample.version, (versions.get(sample.version) ?? 0) + 1);
    },
    get requests() {
      return whole.requests;
    },
    get errors() {
      return whole.errors;
    },
    get all() {
      // Merged only when somebody asks: recording each answer twice would cost the generator more than the sum does.
      const [only, ...more] = scenarios.values();
      if (only !== undefined && more.length === 0) return only;
      const sum = { ...part(), ...whole };
      for (const { response, service } of scenarios.values()) {
        sum.response.add(response);
        sum.service.add(service);
      }
      return sum;
    },
    scenarios,
    get reasons() {
      return [...reasons].sort(([, a], [, b]) => b - a);
    },
    versions,
    slices() {
      close();
      open = { from: open.from, requests: 0, errors: 0 };
      return slices;
    },
  };
}

export const timesOf = (histogram: Histogram): Times => ({
  p50: histogram.at(50),
  p75: histogram.at(75),
  p90: histogram.at(90),
  p95: histogram.at(95),
  p99: histogram.at(99),
  p999: histogram.at(99.9),
  max: histogram.max,
  mean: histogram.mean,
});

export const measuredOf = ({ requests, errors, response, service }: Part, length: Duration): Measured => ({
  requests,
  errors,
  response: timesOf(response),
  service: timesOf(service),
  rate: length > 0 ? (requests * 1_000) / length : 0,
});
