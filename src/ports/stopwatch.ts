/** Time that only goes forward, finer than a Clock's: for what is measured in fractions of a millisecond. */
export interface Stopwatch {
  /** Milliseconds since some moment of the past. */
  elapsed(): number;
  /** Share of the time since the last call (or the start) in which this process had something to do, 0 to 1. */
  busy(): number;
}
