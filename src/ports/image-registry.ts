import type { Manifest } from '../domain/image-build/manifest.ts';

/** The bytes of a manifest, whose digest was compared with them. */
export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** One registry. `reference` is a tag or a digest. Refusals and faults are CloudFailures; what is not there is undefined. */
export interface ImageRegistry {
  readonly host: string;
  /** Digest under a tag, without reading it. */
  head(repository: string, reference: string, signal: AbortSignal): Promise<string | undefined>;
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<StoredManifest | undefined>;
  /** A small JSON blob, compared with its digest: the configuration of an image. */
  json(repository: string, digest: string, signal: AbortSignal): Promise<unknown>;
  /** Puts a manifest under a tag or its digest, as it is. A tag that must not move and has another digest is a `conflict`. */
  put(repository: string, reference: string, manifest: StoredManifest, signal: AbortSignal): Promise<void>;
  /** Makes a blob of `from` be in `repository`: by a mount where it is the same registry, else byte by byte. */
  copyBlob(
    repository: string,
    from: { readonly registry: ImageRegistry; readonly repository: string },
    blob: { readonly digest: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<'there' | 'mounted' | 'copied'>;
  /** The bytes of a blob, as a stream. */
  blob(repository: string, digest: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Begins an upload and gives it up: whoever may do that may push. A refusal is a RegistryRefusal. */
  mayPush(repository: string, signal: AbortSignal): Promise<void>;
  /** All tags; none where the repository is not there. */
  tags(repository: string, signal: AbortSignal): Promise<readonly string[]>;
}

/**
 * How a registry is entered. undefined: without a name. An identity token is what some give at the login in the place of a
 * password (`az acr login`): their token server gives access tokens for it, and nothing else takes it.
 */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly username: string; readonly identityToken: string };

/** `renew`: what was given last is refused now. */
export type CredentialsSource = (
  wanted: 'kept' | 'renew',
  signal: AbortSignal,
) => Promise<RegistryCredentials | undefined>;
