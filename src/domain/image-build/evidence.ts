import { canonicalJson } from '../canonical-json.ts';

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
  /** Attached beside the image in its index, where it was asked for. */
  readonly sbom: 'attached' | 'none';
  readonly provenance: 'none' | 'min' | 'max';
  /** Of the labels `org.opencontainers.image.base.*`, where the Dockerfile or the base sets them. */
  readonly base: { readonly name: string; readonly digest: string } | null;
  readonly scan: {
    readonly scanner: string;
    readonly verdict: 'pass' | 'fail' | 'unknown';
    readonly counted: Readonly<Record<string, number>>;
    readonly summary: string;
    readonly ignored: readonly { readonly id: string; readonly owner: string; readonly reason: string }[];
  } | null;
}

/** One text for one document: what its hash is of. */
export const evidenceText = (document: EvidenceDocument): string => `${canonicalJson(document)}\n`;
