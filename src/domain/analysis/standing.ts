import type { Instant } from '../duration.ts';

/** Where one rule stands; `says` is a clause with the numbers behind it. */
export type Standing =
  | { readonly kind: 'passing' }
  /** In doubt: the next points decide, so nothing is promoted meanwhile. */
  | { readonly kind: 'pending'; readonly says: string }
  /** The source does not answer, or shows no requests yet: nobody knows. */
  | { readonly kind: 'blind'; readonly says: string }
  /** Nothing decided it since the step began. */
  | { readonly kind: 'inconclusive'; readonly says: string }
  | { readonly kind: 'failed'; readonly says: string; readonly at: Instant };
