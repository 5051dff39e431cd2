import { type Duration, type Instant, between } from '../duration.ts';

/** An image of a repository as its registry lists it. */
export interface ListedImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: Instant;
  /** Of an index: everything that it names. */
  readonly parts: readonly string[];
}

export interface CleanupPolicy {
  readonly keep: number;
  readonly olderThan: Duration;
  /** `*` stands for anything. */
  readonly keepTags: readonly string[];
  /** Digests that stay whatever else holds. */
  readonly protected: readonly string[];
  readonly now: Instant;
}

export interface CleanupPlan {
  readonly remove: readonly ListedImage[];
  readonly kept: number;
}

/**
 * PURE: what goes. An image is what has a name or what no index names; the newest of them stay, and all that are young,
 * named for keeping or protected. A part of an index goes with the last index that names it, and never before.
 */
export function planCleanup(images: readonly ListedImage[], policy: CleanupPolicy): CleanupPlan {
  const parts = new Set(images.flatMap((image) => image.parts));
  const isWhole = ({ digest, tags }: ListedImage): boolean => tags.length > 0 || !parts.has(digest);
  const whole = images.filter(isWhole).sort((a, b) => b.pushedAt - a.pushedAt);
  const patterns = policy.keepTags.map(patternOf);
  const stays = (image: ListedImage, index: number): boolean =>
    index < policy.keep ||
    between(image.pushedAt, policy.now) < policy.olderThan ||
    policy.protected.includes(image.digest) ||
    image.parts.some((part) => policy.protected.includes(part)) ||
    image.tags.some((tag) => patterns.some((pattern) => pattern.test(tag)));
  const kept = whole.filter(stays);
  const needed = new Set(kept.flatMap(({ digest, parts: named }) => [digest, ...named]));
  const gone = whole.filter((image) => !needed.has(image.digest));
  const goneParts = new Set(gone.flatMap((image) => image.parts));
  const orphaned = images.filter(
    (image) =>
      !isWhole(image) &&
      goneParts.has(image.digest) &&
      !needed.has(image.digest) &&
      !policy.protected.includes(image.digest),
  );
  // The index first: a registry refuses to take a part away from under it.
  return { remove: [...gone, ...orphaned], kept: images.length - gone.length - orphaned.length };
}

const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );
