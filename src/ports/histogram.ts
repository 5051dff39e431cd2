/** Counts lengths of time in milliseconds, each to three significant digits from 1 us to 24 h, in bounded memory. */
export interface Histogram {
  record(milliseconds: number): void;
  /** Adds every value of the other one: exact, in any order. */
  add(other: Histogram): void;
  /** The value that `percent` of the values are at most; 0 when there is none. */
  at(percent: number): number;
  readonly mean: number;
  readonly max: number;
  readonly count: number;
  reset(): void;
  /** Base64 of the compressed V2 form of HdrHistogram, which other tools read. */
  encode(): string;
}

export interface Histograms {
  create(): Histogram;
  /** Throws when the text is none. */
  decode(text: string): Histogram;
}
