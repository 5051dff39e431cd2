/** What a registry has under a digest: one image, or an index of images by platform. */
export type Manifest = ImageManifest | IndexManifest;

export interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

export interface ImageManifest {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What it is about (OCI 1.1): it is a signature, an attestation or the like. */
  readonly subject?: string;
}

export interface IndexManifest {
  readonly kind: 'index';
  /** All of them, provenance and SBOM too: a copy must have all. */
  readonly entries: readonly Descriptor[];
  /** The images that run somewhere. */
  readonly children: readonly PlatformChild[];
  readonly subject?: string;
}

export interface PlatformChild extends Descriptor {
  /** `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
}

export const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
export const IMAGE_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** undefined: not a manifest that runs today (schema 1, an artifact without layers of an image). */
export function readManifest(value: unknown, mediaType: string): Manifest | undefined {
  if (!isRecord(value)) return undefined;
  const type = typeof value['mediaType'] === 'string' ? value['mediaType'] : mediaType;
  if (INDEX_TYPES.includes(type)) return readIndex(value);
  const config = readDescriptor(value['config']);
  const layers = listOf(value['layers'])?.map(readDescriptor);
  if (!IMAGE_TYPES.includes(type) || config === undefined || layers === undefined) return undefined;
  const known = layers.filter((layer) => layer !== undefined);
  return known.length === layers.length ? { kind: 'image', config, layers: known, ...subjectOf(value) } : undefined;
}

function subjectOf({ subject }: Readonly<Record<string, unknown>>): { readonly subject?: string } {
  const read = readDescriptor(subject);
  return read === undefined ? {} : { subject: read.digest };
}

function readIndex(value: Readonly<Record<string, unknown>>): IndexManifest | undefined {
  const listed = listOf(value['manifests']);
  const read = listed?.map((entry) => ({ entry, descriptor: readDescriptor(entry) }));
  if (read === undefined) return undefined;
  const entries: Descriptor[] = [];
  const children: PlatformChild[] = [];
  for (const { entry, descriptor } of read) {
    if (descriptor === undefined) return undefined;
    entries.push(descriptor);
    const platform = platformOf(entry);
    if (platform !== undefined) children.push({ ...descriptor, platform });
  }
  return { kind: 'index', entries, children, ...subjectOf(value) };
}

/** undefined: provenance or an SBOM, which BuildKit hangs beside the images as `unknown/unknown`. */
function platformOf(entry: unknown): string | undefined {
  if (!isRecord(entry)) return undefined;
  const { annotations, platform } = entry;
  if (isRecord(annotations) && annotations['vnd.docker.reference.type'] !== undefined) return undefined;
  if (!isRecord(platform) || platform['os'] === 'unknown') return undefined;
  return platformText(platform);
}

/** `linux/arm/v7` of the fields of a descriptor, or of an image's configuration. */
export function platformText({ os, architecture, variant }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/');
}

/** `linux/arm64/v8` and `linux/arm64` are one platform, as are `linux/x86_64` and `linux/amd64`. */
export function samePlatform(a: string, b: string): 'yes' | 'no' {
  const normal = (text: string): string =>
    text
      .toLowerCase()
      .replace(/^(\w+)\/(x86_64|x86-64)/, '$1/amd64')
      .replace(/\/aarch64/, '/arm64')
      .replace(/\/arm64\/v8$/, '/arm64')
      .replace(/\/arm$/, '/arm/v7');
  return normal(a) === normal(b) ? 'yes' : 'no';
}

/** Bytes that a pull of one image moves. */
export const sizeOf = ({ config, layers }: ImageManifest): number =>
  layers.reduce((sum, { size }) => sum + size, config.size);

function readDescriptor(value: unknown): Descriptor | undefined {
  if (!isRecord(value)) return undefined;
  const { digest, size, mediaType = '' } = value;
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return { digest, size, mediaType: String(mediaType) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);
