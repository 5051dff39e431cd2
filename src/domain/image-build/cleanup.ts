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
 * named for keeping or protected. A part of an index goes with the last index that names it, and never before; a signature
 * or an attestation with the image that it hangs on.
 */
export function planCleanup(images: readonly ListedImage[], policy: CleanupPolicy): CleanupPlan {
  const parts = new Set(images.flatMap((image) => image.parts));
  const there = new Set(images.map(({ digest }) => digest));
  const hosts = new Map(images.map((image) => [image.digest, hostOf(image, there)]));
  const isWhole = ({ digest, tags }: ListedImage): boolean =>
    hosts.get(digest) === undefined && (tags.length > 0 || !parts.has(digest));
  const whole = images.filter(isWhole).sort((a, b) => b.pushedAt - a.pushedAt);
  const patterns = policy.keepTags.map(patternOf);
  const stays = (image: ListedImage, index: number): boolean =>
    index < policy.keep ||
    between(image.pushedAt, policy.now) < policy.olderThan ||
    policy.protected.includes(image.digest) ||
    image.parts.some((part) => policy.protected.includes(part)) ||
    image.tags.some((tag) => patterns.some((pattern) => pattern.test(tag)));
  const kept = whole.filter(stays);
  const needed = new Set([...policy.protected, ...kept.flatMap(({ digest, parts: named }) => [digest, ...named])]);
  const hanging = images.filter(({ digest }) => needed.has(hosts.get(digest) ?? ''));
  for (const { digest, parts: named } of hanging) [digest, ...named].forEach((each) => needed.add(each));
  const gone = whole.filter((image) => !needed.has(image.digest));
  const goneParts = new Set(gone.flatMap((image) => image.parts));
  const isOrphan = ({ digest }: ListedImage): boolean => {
    const host = hosts.get(digest);
    return host === undefined
      ? goneParts.has(digest)
      : gone.some((each) => each.digest === host || goneParts.has(host));
  };
  const orphaned = images.filter((image) => !isWhole(image) && isOrphan(image) && !needed.has(image.digest));
  // The index first: a registry refuses to take a part away from under it.
  return { remove: [...gone, ...orphaned], kept: images.length - gone.length - orphaned.length };
}

/** `sha256-<hex>` of the referrers' tag schema (OCI distribution 1.1), with `.sig`, `.att` or `.sbom` of cosign. */
const HANGS_ON = /^sha256-([0-9a-f]{64})(?:\.[a-z0-9-]+)?$/;

/** The image that this one is a signature or an attestation of; undefined: it is an image, or what it hung on is gone. */
function hostOf({ tags }: ListedImage, there: ReadonlySet<string>): string | undefined {
  const named = tags.map((tag) => HANGS_ON.exec(tag)?.[1]);
  const [hex] = named;
  if (hex === undefined || named.some((each) => each !== hex)) return undefined;
  return there.has(`sha256:${hex}`) ? `sha256:${hex}` : undefined;
}

const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );
