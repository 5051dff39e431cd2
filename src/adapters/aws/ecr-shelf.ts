import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  DescribeImagesCommand,
  ECRClient,
  type ImageDetail,
} from '@aws-sdk/client-ecr';
import { instant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { ListedImage } from '../../domain/image-build/cleanup.ts';
import { INDEX_TYPES, readManifest } from '../../domain/image-build/manifest.ts';
import type { ImageShelf } from '../../ports/image-shelf.ts';
import type { ClientConfig } from './client-config.ts';
import { callAws } from './errors.ts';

/** Of BatchGetImage and BatchDeleteImage. */
const IMAGES_A_CALL = 100;
/** The most that DescribeImages gives. */
const IMAGES_A_PAGE = 1_000;

export interface EcrRepository {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export function ecrShelf({ account, region, name }: EcrRepository, config: ClientConfig): ImageShelf {
  const client = new ECRClient({ ...config, region });
  const place = { registryId: account, repositoryName: name };
  return {
    async digests(signal) {
      return new Set((await describe(signal)).flatMap(({ imageDigest }) => imageDigest ?? []));
    },
    async list(signal) {
      const details = await describe(signal);
      const parts = await partsOf(details, signal);
      return details.map((detail): ListedImage => {
        const {
          imageDigest: digest = '',
          imageTags: tags = [],
          imagePushedAt,
          subjectManifestDigest: subject,
        } = detail;
        if (digest === '' || imagePushedAt === undefined)
          throw new Failure({
            what: `Could not list the images of ${name}`,
            why: 'ECR lists one without digest or date',
            now: 'Nothing was removed',
          });
        const image = { digest, tags, pushedAt: instant(imagePushedAt.getTime()), parts: parts.get(digest) ?? [] };
        return subject === undefined ? image : { ...image, subject };
      });
    },
    async remove(images, signal) {
      const removed: string[] = [];
      const refused: string[] = [];
      for (const group of groups(images.map(({ digest }) => digest))) {
        const command = new BatchDeleteImageCommand({
          ...place,
          imageIds: group.map((imageDigest) => ({ imageDigest })),
        });
        const facts = {
          action: 'ecr:BatchDeleteImage',
          what: `Could not remove images of ${name}`,
          now: `${removed.length} of ${images.length} were removed`,
        };
        const { failures = [] } = await callAws(facts, signal, () => client.send(command, { abortSignal: signal }));
        const failed = new Map(
          failures.map(({ imageId, failureCode, failureReason }) => [
            imageId?.imageDigest ?? '',
            `${failureCode}: ${failureReason}`,
          ]),
        );
        for (const digest of group) {
          const why = failed.get(digest);
          if (why === undefined || why.startsWith('ImageNotFound')) removed.push(digest);
          else refused.push(`${digest}: ${why}`);
        }
      }
      return { removed, refused };
    },
  };

  async function describe(signal: AbortSignal): Promise<readonly ImageDetail[]> {
    const details: ImageDetail[] = [];
    let nextToken: string | undefined;
    do {
      const page = nextToken === undefined ? {} : { nextToken };
      const command = new DescribeImagesCommand({ ...place, maxResults: IMAGES_A_PAGE, ...page });
      const facts = { action: 'ecr:DescribeImages', what: `Could not list the images of ${name}` };
      const answer = await callAws(facts, signal, () => client.send(command, { abortSignal: signal }));
      details.push(...(answer.imageDetails ?? []));
      nextToken = answer.nextToken;
    } while (nextToken !== undefined);
    return details;
  }

  /** What each index names. One that cannot be read stops everything: its images would look like nobody's. */
  async function partsOf(
    details: readonly ImageDetail[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const indexes = details.filter(({ imageManifestMediaType = '' }) => INDEX_TYPES.includes(imageManifestMediaType));
    const parts = new Map<string, readonly string[]>();
    for (const group of groups(indexes.map(({ imageDigest = '' }) => imageDigest))) {
      const command = new BatchGetImageCommand({
        ...place,
        imageIds: group.map((imageDigest) => ({ imageDigest })),
        acceptedMediaTypes: INDEX_TYPES,
      });
      const facts = { action: 'ecr:BatchGetImage', what: `Could not read the indexes of ${name}` };
      const { images = [] } = await callAws(facts, signal, () => client.send(command, { abortSignal: signal }));
      for (const { imageId, imageManifest = '', imageManifestMediaType = '' } of images) {
        const read = readManifest(JSON.parse(imageManifest || '{}'), imageManifestMediaType);
        if (read?.kind === 'index')
          parts.set(
            imageId?.imageDigest ?? '',
            read.entries.map(({ digest }) => digest),
          );
      }
    }
    const unread = indexes.find(({ imageDigest = '' }) => !parts.has(imageDigest));
    if (unread === undefined) return parts;
    throw new Failure({
      what: `Could not read the index ${unread.imageDigest} of ${name}`,
      now: 'Nothing was removed',
      next: 'Grant ecr:BatchGetImage, then re-run',
    });
  }
}

const groups = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / IMAGES_A_CALL) }, (_, index) =>
    all.slice(index * IMAGES_A_CALL, (index + 1) * IMAGES_A_CALL),
  );
