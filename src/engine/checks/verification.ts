/** What a judge of one's own found out about a release, after the platform called it steady. */
export type Verification =
  | { readonly kind: 'good' }
  /** `reason` is a clause; `lines` stand in the diagnosis. */
  | { readonly kind: 'bad'; readonly reason: string; readonly lines: readonly string[] };
