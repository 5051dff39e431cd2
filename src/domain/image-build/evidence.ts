import { canonicalJson } from '../canonical-json.ts';
import type { BaseImage } from './base.ts';

/** What is known of an image when it leaves the build: `sluice/evidence/v1`. */
export interface EvidenceDocument {
  readonly schema: 'sluice/evidence/v1';
  readonly name: string;
  readonly repository: string;
  readonly digest: string;
  readonly kind: 'image' | 'index';
  readonly platforms: readonly { readonly platform: string; readonly digest: string; readonly size: number }[];
  readonly identityTag: string;
  readonly tags: readonly string[];
  readonly version: string;
  readonly releaseId: string;
  readonly commit: string;
  readonly inputsSha256: string;
  readonly builtBy: { readonly repository: string; readonly runId: string; readonly attempt: number } | null;
  /** Documents beside the images in their index, as they were read back; empty: none. */
  readonly sbom: readonly AttachedDocument[];
  readonly provenance: readonly AttachedDocument[];
  /**
   * What the image stands on, as the build found it; of an image that this run did not build, of its labels
   * `org.opencontainers.image.base.*`. null: `FROM scratch`, or nobody says it.
   */
  readonly base: BaseImage | null;
  /** Every image that the build took from, those of other stages among them; null: this run did not build. */
  readonly bases: readonly BaseImage[] | null;
  readonly scan: {
    readonly scanner: string;
    readonly verdict: 'pass' | 'fail' | 'unknown';
    readonly counted: Readonly<Record<string, number>>;
    readonly summary: string;
    readonly ignored: readonly { readonly id: string; readonly owner: string; readonly reason: string }[];
  } | null;
}

export interface AttachedDocument {
  /** Digest of the image that it is about. */
  readonly about: string;
  readonly digest: string;
}

/** One text for one document: what its hash is of. */
export const evidenceText = (document: EvidenceDocument): string => `${canonicalJson(document)}\n`;
