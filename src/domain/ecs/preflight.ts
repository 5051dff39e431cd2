/** What a look at the conditions of a deployment found. */
export interface Preflight {
  /** What has to be mended first, a clause each. */
  readonly problems: readonly string[];
  /** What is worth knowing and stops nothing, a sentence each. */
  readonly warnings: readonly string[];
}
