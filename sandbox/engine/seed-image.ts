import { createHash } from 'node:crypto';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

export interface SeededImage {
  readonly digest: string;
  readonly size: number;
  readonly layers: readonly string[];
}

export interface SeedOptions {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  /** Makes the digest one of its own. */
  readonly content?: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Puts a small image into a registry without an engine. */
export async function seedImage(options: SeedOptions): Promise<SeededImage> {
  const { content = 'content', platform = { os: 'linux', architecture: 'amd64' }, labels = {} } = options;
  const layer = Buffer.from(content);
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      config: { Labels: labels },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  for (const blob of [layer, config]) await upload(options, blob);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described('application/vnd.oci.image.config.v1+json', config),
      layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  );
  await put(options, manifest, MANIFEST);
  return { digest: digestOf(manifest), size: manifest.length, layers: [digestOf(layer)] };
}

/** An index of images by platform, with what BuildKit hangs beside them. */
export async function seedIndex(
  options: Omit<SeedOptions, 'platform'>,
  children: readonly { readonly platform: NonNullable<SeedOptions['platform']>; readonly image: SeededImage }[],
  attestation?: SeededImage,
): Promise<SeededImage> {
  const entries = children.map(({ platform, image }) => ({
    mediaType: MANIFEST,
    digest: image.digest,
    size: image.size,
    platform,
  }));
  const beside = attestation && {
    mediaType: MANIFEST,
    digest: attestation.digest,
    size: attestation.size,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
  const manifests = beside ? [...entries, beside] : entries;
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await put(options, index, INDEX);
  return { digest: digestOf(index), size: index.length, layers: [] };
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const described = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });

async function upload({ host, repository, headers = {} }: SeedOptions, blob: Buffer): Promise<void> {
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
  const place = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', digestOf(blob));
  const done = await fetch(place, { method: 'PUT', body: new Uint8Array(blob), headers });
  if (done.status !== 201) throw new Error(`the registry took no blob: ${done.status} ${await done.text()}`);
}

async function put(options: Omit<SeedOptions, 'platform'>, manifest: Buffer, type: string): Promise<void> {
  const { host, repository, tag = digestOf(manifest), headers = {} } = options;
  const done = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body: new Uint8Array(manifest),
    headers: { ...headers, 'content-type': type },
  });
  if (done.status !== 201) throw new Error(`the registry took no manifest: ${done.status} ${await done.text()}`);
}
