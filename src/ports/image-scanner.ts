import type { Instant } from '../domain/duration.ts';
import type { Finding } from '../domain/image-scan/judge.ts';

/** What is known of one image's scan now. */
export type ScanState =
  | { readonly kind: 'pending'; readonly why: string }
  | {
      readonly kind: 'findings';
      readonly findings: readonly Finding[];
      /** When the scan ended and when the image came; a scan that ended before is one of another push. */
      readonly completedAt?: Instant;
      readonly pushedAt?: Instant;
    }
  /** It will not come: waiting is no use. */
  | { readonly kind: 'failed'; readonly why: string };

export interface ImageScanner {
  /** `ECR`, `Trivy 0.69.1`. */
  readonly name: string;
  /** `eventual`: findings come in pieces, so that one look proves nothing. `final`: one look is the verdict. */
  readonly answers: 'eventual' | 'final';
  /** `image` is one platform's, by digest. */
  look(
    image: { readonly host: string; readonly path: string; readonly digest: string; readonly platform: string },
    signal: AbortSignal,
  ): Promise<ScanState>;
}
