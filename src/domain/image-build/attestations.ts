import { listOf, recordOf } from './documents.ts';

/** What BuildKit hangs beside an image in its index: an in-toto statement, by the digest of its document. */
export interface Attestation {
  /** Digest of the image that it is about. */
  readonly about: string;
  readonly kind: 'sbom' | 'provenance' | 'other';
  readonly digest: string;
}

/** Entries of an index that hold attestations (BuildKit, docs/attestations/attestation-storage.md), and what each is about. */
export function attestationManifests(index: unknown): readonly { readonly digest: string; readonly about: string }[] {
  return listOf(recordOf(index)['manifests']).flatMap((entry) => {
    const { digest, annotations } = recordOf(entry);
    const { 'vnd.docker.reference.type': type, 'vnd.docker.reference.digest': about } = recordOf(annotations);
    return type === 'attestation-manifest' && typeof digest === 'string' && typeof about === 'string'
      ? [{ digest, about }]
      : [];
  });
}

/** The statements that one of them holds. */
export function attestationsIn(manifest: unknown, about: string): readonly Attestation[] {
  return listOf(recordOf(manifest)['layers']).flatMap((layer): Attestation[] => {
    const { digest, annotations } = recordOf(layer);
    const predicate = recordOf(annotations)['in-toto.io/predicate-type'];
    if (typeof digest !== 'string' || typeof predicate !== 'string') return [];
    return [{ about, kind: kindOf(predicate), digest }];
  });
}

function kindOf(predicate: string): Attestation['kind'] {
  if (/^https:\/\/(spdx\.dev\/Document|cyclonedx\.org\/bom)/.test(predicate)) return 'sbom';
  return predicate.startsWith('https://slsa.dev/provenance/') ? 'provenance' : 'other';
}

/** Annotations that a manifest or an index has. */
export const annotationsOf = (manifest: unknown): Readonly<Record<string, unknown>> =>
  recordOf(recordOf(manifest)['annotations']);
