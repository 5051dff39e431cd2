/** In milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** What was measured of all answers, or of one scenario. */
export interface Measured {
  readonly requests: number;
  readonly errors: number;
  /** From the planned arrival: with the wait for the generator and for a free connection. */
  readonly response: Times;
  /** From the sending. */
  readonly service: Times;
  /** Answers a second, failed ones included. */
  readonly rate: number;
}

/** How well the generator did its part. */
export interface Generator {
  /** Arrivals that the plan has (open), or runs that were wanted (closed, by count); undefined when only time ends it. */
  readonly planned?: number;
  readonly started: number;
  /** Between the planned and the real start of an arrival, without waits for the concurrency limit; in ms, 99th percentile. */
  readonly lagP99: number;
  /** Share of the time in which the process had something to do. */
  readonly busy: number;
  /** Arrivals that waited because the limit of concurrency was reached. */
  readonly waited: number;
  readonly ended: 'plan' | 'budget';
}
