import { seconds } from '../../../../src/domain/duration.ts';
import { Failure, type FailureFacts } from '../../../../src/domain/failure.ts';
import {
  type Attestation,
  annotationsOf,
  attestationManifests,
  attestationsIn,
} from '../../../../src/domain/image-build/attestations.ts';
import type { BuildSpec } from '../../../../src/domain/image-build/build-spec.ts';
import { isPlaced } from '../../../../src/domain/image-build/command.ts';
import { platformText, samePlatform, sizeOf } from '../../../../src/domain/image-build/manifest.ts';
import { type Repository, nameOf } from '../../../../src/domain/image-build/registries.ts';
import { isSameSource, labelsIn } from '../../../../src/domain/image-build/source.ts';
import type { ImageRegistry, StoredManifest } from '../../../../src/ports/image-registry.ts';
import type { RegistryPorts } from './ports.ts';
import type { VerifiedImage, VerifiedPlatform } from '../result.ts';

/** Registries that say a tag is there some moments after they took it. */
export const LOOKS = 5;

export interface Verification {
  readonly repository: Repository;
  readonly reference: string;
  /** What it has to be; undefined: whatever is there. */
  readonly digest?: string;
  /** By which the engine knows what it built: the digest of its configuration, or with containerd's store its own. */
  readonly imageId?: string;
  /** What its labels have to say. */
  readonly source?: { readonly commit: string; readonly inputs: string };
  /** Of one source: whether another image than the named one will do. */
  readonly others?: 'taken';
  /** What was asked for; empty: that of the engine. */
  readonly platforms: readonly string[];
  /** What must be there beside the layers. */
  readonly asked?: Asked;
}
type Asked = Pick<BuildSpec, 'annotations' | 'provenance' | 'sbom'>;

/** What is under the name cannot be used for what was asked for, whoever built it. */
export class UnfitImage extends Failure {
  override readonly name: string = 'UnfitImage';
}

/** Another image than the one that was pushed has its name. */
export class OvertakenImage extends Failure {
  override readonly name: string = 'OvertakenImage';
}

/** Reads an image back: the manifest under its name, every child by its digest, and what each says it runs on. */
export async function verify(
  { repository, reference, platforms, asked, ...wanted }: Verification,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<Verified> {
  const where = `${nameOf(repository)}:${reference}`;
  const stored = await storedAt({ repository, reference }, ports, signal);
  const isNamed = isTheOne(stored, wanted);
  if (!isNamed && (wanted.source === undefined || wanted.others !== 'taken'))
    throw new OvertakenImage(notPushed(where, stored, wanted));
  const found = await imageOf(stored, { registry: ports.registry(repository.host), path: repository.path }, signal);
  if (wanted.source !== undefined && isSameSource(found.image.labels, wanted.source) === 'no')
    throw new (isNamed ? Failure : OvertakenImage)(notPushed(where, stored, wanted));
  checkFit(where, found, { platforms, ...asked });
  return { ...found, isNamed };
}

type Place = Pick<Verification, 'repository' | 'reference'>;

/** What has this name, whatever it is. */
export async function readImage(
  { repository, reference }: Place,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<ReadImage> {
  const stored = await storedAt({ repository, reference }, ports, signal);
  return imageOf(stored, { registry: ports.registry(repository.host), path: repository.path }, signal);
}

async function storedAt(
  { repository, reference }: Place,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<StoredManifest> {
  const stored = await lookUntilThere(ports.registry(repository.host), { repository, reference }, ports, signal);
  if (stored !== undefined) return stored;
  throw new Failure({
    what: `Could not verify ${nameOf(repository)}:${reference}`,
    why: 'the registry has no such image after the push',
    next: 'Re-run; nothing was tagged',
  });
}

async function imageOf(
  stored: StoredManifest,
  at: { readonly registry: ImageRegistry; readonly path: string },
  signal: AbortSignal,
): Promise<ReadImage> {
  const read = await childrenOf(stored, at, signal);
  const image: VerifiedImage = {
    digest: stored.digest,
    kind: stored.manifest.kind,
    mediaType: stored.mediaType,
    platforms: read.map(({ platform, digest: child, size }) => ({ platform, digest: child, size })),
    labels: read[0]?.labels ?? {},
    attestations: await attestationsOf(stored, at, signal),
  };
  return { image, stored, annotations: annotationsIn(stored, read) };
}

export interface ReadImage {
  readonly image: VerifiedImage;
  readonly stored: StoredManifest;
  /** Of an index and of each image. */
  readonly annotations: readonly Pairs[];
}

export interface Verified extends ReadImage {
  /** false: one of the same source in its place. */
  readonly isNamed: boolean;
}

/** Whether it has the platforms and all else that was asked for; an UnfitImage where it has not. */
export function checkFit(
  where: string,
  { image, annotations }: ReadImage,
  { platforms, ...asked }: Pick<BuildSpec, 'platforms'> & Partial<Asked>,
): void {
  const found = image.platforms.map(({ platform }) => platform);
  checkPlatforms(where, found, platforms);
  checkAsked(where, asked, { attestations: image.attestations, annotations });
}

/** Docker knows an image by its configuration, containerd by what is pushed. */
function isTheOne(stored: StoredManifest, { digest, imageId }: Pick<Verification, 'digest' | 'imageId'>): boolean {
  const { manifest } = stored;
  const ids = [stored.digest, ...(manifest.kind === 'image' ? [manifest.config.digest] : [])];
  return (digest === undefined || stored.digest === digest) && (imageId === undefined || ids.includes(imageId));
}

/** Never of the same digest and source: then it is the image. */
function notPushed(
  where: string,
  { digest: there }: StoredManifest,
  { digest, imageId }: Pick<Verification, 'digest' | 'imageId'>,
): FailureFacts {
  const what = `${where} is not the image that was pushed`;
  const now = 'No other tag was set';
  const next = 'Look who else pushes this tag; it belongs to build-image alone';
  if (digest !== undefined && digest !== there)
    return { what, why: `the registry has ${there}, the engine pushed ${digest}`, now, next };
  const built = imageId === undefined ? '' : ` (${imageId})`;
  return {
    what: `${where} is not the image that was built`,
    why: `${there} in the registry is another image than the one of this commit and these inputs${built}: another run gave it this name, in the registry or in the engine that both use`,
    now,
    next: `${next}. With \`concurrency\` in the workflow, one run of a commit follows the other`,
  };
}

/** What a tag is; undefined: it is not there, which is believed after some looks. */
export async function digestOf(
  { repository, reference }: Place,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const digest = await ports.registry(repository.host).head(repository.path, reference, signal);
    if (digest !== undefined || look >= LOOKS) return digest;
    await ports.clock.sleep(seconds(1), signal);
  }
}

export async function lookUntilThere(
  registry: ImageRegistry,
  { repository, reference }: Pick<Verification, 'repository' | 'reference'>,
  { clock }: RegistryPorts,
  signal: AbortSignal,
): Promise<StoredManifest | undefined> {
  for (let look = 1; ; look += 1) {
    const stored = await registry.manifest(repository.path, reference, signal);
    if (stored !== undefined || look >= LOOKS) return stored;
    await clock.sleep(seconds(1), signal);
  }
}

type Pairs = Readonly<Record<string, unknown>>;
type ReadChild = VerifiedPlatform & { readonly labels: Pairs; readonly annotations: Pairs };

async function childrenOf(
  stored: StoredManifest,
  { registry, path }: { readonly registry: ImageRegistry; readonly path: string },
  signal: AbortSignal,
): Promise<readonly ReadChild[]> {
  const { manifest } = stored;
  if (manifest.kind === 'image') {
    const configuration = await registry.json(path, manifest.config.digest, signal);
    const platform = platformText(configuration as Record<string, unknown>) ?? 'unknown';
    const { digest } = stored;
    const annotations = annotationsOf(documentOf(stored));
    return [{ platform, digest, size: sizeOf(manifest), labels: labelsIn(configuration), annotations }];
  }
  return Promise.all(
    manifest.children.map(async ({ digest, platform }): Promise<ReadChild> => {
      const child = await registry.manifest(path, digest, signal);
      if (child?.manifest.kind !== 'image')
        throw new UnfitImage({
          what: `The index ${stored.digest} is not whole`,
          why: `its image for ${platform} (${digest}) is not in the registry`,
        });
      const [read] = await childrenOf(child, { registry, path }, signal);
      if (read === undefined || samePlatform(read.platform, platform) === 'no')
        throw new UnfitImage({
          what: `The index ${stored.digest} is wrong`,
          why: `its image for ${platform} is one for ${read?.platform ?? 'nothing'}`,
        });
      return { ...read, platform };
    }),
  );
}

const documentOf = ({ bytes }: StoredManifest): unknown => JSON.parse(new TextDecoder().decode(bytes));

async function attestationsOf(
  stored: StoredManifest,
  { registry, path }: { readonly registry: ImageRegistry; readonly path: string },
  signal: AbortSignal,
): Promise<readonly Attestation[]> {
  if (stored.manifest.kind === 'image') return [];
  const read = attestationManifests(documentOf(stored)).map(async ({ digest, about }) => {
    const manifest = await registry.manifest(path, digest, signal);
    return manifest === undefined ? [] : attestationsIn(documentOf(manifest), about);
  });
  return (await Promise.all(read)).flat();
}

/** Of an index and of each image, which is where BuildKit writes those that say no place. */
const annotationsIn = (stored: StoredManifest, children: readonly ReadChild[]): readonly Pairs[] => [
  annotationsOf(documentOf(stored)),
  ...children.map(({ annotations }) => annotations),
];

/** An engine that drops what was asked for does not say so. */
function checkAsked(
  where: string,
  { annotations = {}, provenance = 'none', sbom = 'none' }: Partial<Asked>,
  there: { readonly attestations: readonly Attestation[]; readonly annotations: readonly Pairs[] },
): void {
  const has = (kind: Attestation['kind']): boolean => there.attestations.some((each) => each.kind === kind);
  const missing = [
    ...Object.entries(annotations)
      // Those that say a place of their own may be in a descriptor.
      .filter(([key, value]) => !isPlaced(key) && !there.annotations.some((pairs) => pairs[key] === value))
      .map(([key]) => `the annotation ${key}`),
    ...(provenance !== 'none' && !has('provenance') ? ['provenance'] : []),
    ...(sbom === 'attach' && !has('sbom') ? ['an SBOM'] : []),
  ];
  if (missing.length === 0) return;
  throw new UnfitImage({
    what: `${where} has not all that was asked for`,
    why: `the registry has it without ${missing.join(', ')}`,
    now: 'No other tag was set',
    next: 'Use docker/setup-buildx-action with a builder that knows how, or leave the input out',
  });
}

function checkPlatforms(where: string, found: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((platform) => !found.some((each) => samePlatform(each, platform) === 'yes'));
  if (missing.length === 0 && (wanted.length === 0 || found.length === wanted.length)) return;
  throw new UnfitImage({
    what: `${where} is not for the platforms that were asked for`,
    why: `asked for ${wanted.join(', ')}, the registry has ${found.join(', ') || 'none'}`,
    now: 'No other tag was set',
    next: 'Use docker/setup-buildx-action with a builder that knows these platforms',
  });
}
