import { digestOf } from './ecr.ts';
import type { Account, Moto } from './moto.ts';

export interface PublishedImage {
  readonly digest: string;
  /** `123456789012.dkr.ecr.us-west-2.amazonaws.com/wesign/charts:1.4.2` */
  readonly reference: string;
  /** The same by digest: what a deployment pins. */
  readonly pinned: string;
}

export type ResolvedImage =
  | { readonly kind: 'found'; readonly digest: string; readonly tag: string }
  /** `CannotPullContainerError: ...`, as a stopped task shows it. */
  | { readonly kind: 'missing'; readonly reason: string };

export interface NewImage {
  readonly repository: string;
  readonly tag: string;
  /** Another registry than the account's own: `ghcr.io`. */
  readonly registry?: string;
}

/** The registries that tasks pull from: the account's ECR, which moto keeps, and what was published elsewhere by name. */
export interface ImageStore {
  publish(image: NewImage, region: string): Promise<PublishedImage>;
  resolve(reference: string, region: string): Promise<ResolvedImage>;
}

const ECR = 'AmazonEC2ContainerRegistry_V20150921';

export function imageStore(moto: Moto, account: string, accessKey: string): ImageStore {
  /** Digest -> the tag it was published under: it names the behaviour, whatever tags are added later. */
  const firstTags = new Map<string, string>();
  /** `ghcr.io/acme/shop:1.2` and `ghcr.io/acme/shop@sha256:...` -> digest. */
  const elsewhere = new Map<string, string>();
  const hostOf = (region: string): string => `${account}.dkr.ecr.${region}.amazonaws.com`;

  async function push({ repository, tag }: NewImage, manifest: string, at: Account): Promise<void> {
    const created = await moto.json(at, `${ECR}.CreateRepository`, { repositoryName: repository });
    if (!created.ok && created.code !== 'RepositoryAlreadyExistsException') throw new Error(created.message);
    const input = {
      repositoryName: repository,
      imageTag: tag,
      imageManifest: manifest,
      imageDigest: digestOf(manifest),
      imageManifestMediaType: MEDIA_TYPE,
    };
    const put = await moto.json(at, `${ECR}.PutImage`, input);
    if (!put.ok && put.code !== 'ImageAlreadyExistsException') throw new Error(put.message);
  }

  async function fromEcr(name: ImageName, at: Account): Promise<ResolvedImage> {
    const imageIds = [name.digest === undefined ? { imageTag: name.tag } : { imageDigest: name.digest }];
    const found = await moto.json(at, `${ECR}.DescribeImages`, { repositoryName: name.repository, imageIds });
    if (!found.ok) return missing(name, found.code === 'RepositoryNotFoundException' ? 'repository' : 'image');
    const [detail] = found.output['imageDetails'] as readonly { imageDigest: string; imageTags?: readonly string[] }[];
    if (detail === undefined) return missing(name, 'image');
    const tag = firstTags.get(detail.imageDigest) ?? name.tag ?? detail.imageTags?.[0] ?? '';
    return { kind: 'found', digest: detail.imageDigest, tag };
  }

  return {
    async publish(image, region) {
      const host = image.registry ?? hostOf(region);
      const manifest = manifestOf(`${host}/${image.repository}:${image.tag}`);
      const digest = digestOf(manifest);
      firstTags.set(digest, image.tag);
      if (image.registry === undefined) await push(image, manifest, { accessKey, region });
      const reference = `${host}/${image.repository}:${image.tag}`;
      const pinned = `${host}/${image.repository}@${digest}`;
      elsewhere.set(reference, digest).set(pinned, digest);
      return { digest, reference, pinned };
    },
    async resolve(reference, region) {
      const name = readName(reference);
      if (name.host === hostOf(region)) return fromEcr(name, { accessKey, region });
      const by = name.digest === undefined ? `:${name.tag}` : `@${name.digest}`;
      const digest = elsewhere.get(`${name.host}/${name.repository}${by}`);
      return digest === undefined
        ? missing(name, 'image')
        : { kind: 'found', digest, tag: firstTags.get(digest) ?? name.tag ?? '' };
    },
  };
}

interface ImageName {
  readonly reference: string;
  readonly host: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** `host/repository[:tag][@digest]`, Docker Hub and `latest` where they are left out; a digest beats a tag. */
function readName(reference: string): ImageName {
  const [named = '', digest] = reference.split('@');
  const tag = /:([^/:]+)$/.exec(named)?.[1];
  const path = tag === undefined ? named : named.slice(0, -tag.length - 1);
  const [first = '', ...rest] = path.split('/');
  const hosted = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return {
    reference,
    host: hosted ? first : 'docker.io',
    repository: hosted ? rest.join('/') : rest.length > 0 ? path : `library/${path}`,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

/** The agent's words on Fargate 1.4.0, as public reports quote them. */
function missing(name: ImageName, what: 'repository' | 'image'): ResolvedImage {
  const retried = 'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref';
  const why = what === 'image' ? 'not found' : 'unexpected status from HEAD request: 404 Not Found: name unknown';
  return { kind: 'missing', reason: `${retried} ${name.reference}: ${name.reference}: ${why}` };
}

const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** A manifest without layers; the annotation makes the digest one of this name alone. */
const manifestOf = (name: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    },
    layers: [],
    annotations: { 'org.opencontainers.image.ref.name': name },
  });
