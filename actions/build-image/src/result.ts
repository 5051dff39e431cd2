import type { CleanupPlan } from '../../../src/domain/image-build/cleanup.ts';
import type { Attestation } from '../../../src/domain/image-build/attestations.ts';
import type { EvidenceDocument } from '../../../src/domain/image-build/evidence.ts';
import type { Standing } from '../../../src/domain/tags/forward.ts';
import type { ScanResult } from '../../../src/domain/image-scan/judge.ts';

/** An image as it was read back from the registry. */
export interface VerifiedImage {
  readonly digest: string;
  readonly kind: 'image' | 'index';
  readonly mediaType: string;
  readonly platforms: readonly VerifiedPlatform[];
  readonly labels: Readonly<Record<string, unknown>>;
  readonly attestations: readonly Attestation[];
}

export interface VerifiedPlatform {
  readonly platform: string;
  readonly digest: string;
  /** Bytes that a pull moves. */
  readonly size: number;
}

export interface TagsSet {
  /** Whole names, in the order in which they were set. */
  readonly set: readonly string[];
  readonly left: readonly Standing[];
  /** Digest that a tag had before, by its whole name; only of those that moved. */
  readonly was: ReadonlyMap<string, string>;
}

/** What a build came to. */
export type BuildResult =
  | { readonly kind: 'built-only'; readonly engine: string }
  | {
      readonly kind: 'pushed' | 'reused';
      /** One line; absent when nothing was built. */
      readonly engine?: string;
      readonly identity: string;
      readonly image: VerifiedImage;
      readonly tags: TagsSet;
      readonly scan: ScanResult | undefined;
      readonly evidence: EvidenceDocument;
    }
  | {
      /** Pushed under its identity tag, and nothing more. */
      readonly kind: 'blocked';
      readonly identity: string;
      readonly image: VerifiedImage;
      readonly scan: ScanResult;
      readonly evidence: EvidenceDocument;
    };

export interface Promoted {
  readonly image: VerifiedImage;
  readonly tags: TagsSet & { readonly changed: 'yes' | 'no' };
}

/** Of one repository. */
export interface Cleaned {
  readonly repository: string;
  readonly plan: CleanupPlan;
  readonly removed: readonly string[];
  readonly refused: readonly string[];
}
