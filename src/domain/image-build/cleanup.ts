import { type Duration, type Instant, between } from '../duration.ts';

/** An image of a repository as its registry lists it. */
export interface ListedImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: Instant;
  /** Of an index: everything that it names. */
  readonly parts: readonly string[];
  /** Of a signature, an attestation and the like: the image that it is about (OCI 1.1). */
  readonly subject?: string;
}

export interface CleanupPolicy {
  readonly keep: number;
  readonly olderThan: Duration;
  /** Images without a tag go when they are older than this, and do not count among the newest; absent: they are images like others. */
  readonly untaggedOlderThan?: Duration;
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
 * named for keeping or protected. What stays keeps all that it is made of and all that hangs on it, however deep: a part of
 * an index goes with the last index that names it, and never before; a signature or an attestation with its image.
 */
export function planCleanup(images: readonly ListedImage[], policy: CleanupPolicy): CleanupPlan {
  const { keep, olderThan, untaggedOlderThan } = policy;
  const parts = new Set(images.flatMap((image) => image.parts));
  const hosts = hostsOf(images);
  const isWhole = ({ digest, tags }: ListedImage): boolean =>
    !hosts.has(digest) && (tags.length > 0 || !parts.has(digest));
  const isLoose = (image: ListedImage): boolean => image.tags.length === 0 && isWhole(image);
  const youngest = Math.min(olderThan, untaggedOlderThan ?? olderThan);
  const limitOf = (image: ListedImage): number => (isWhole(image) && image.tags.length > 0 ? olderThan : youngest);
  const counted = images
    .filter((image) => isWhole(image) && (untaggedOlderThan === undefined || !isLoose(image)))
    .sort((a, b) => b.pushedAt - a.pushedAt);
  const newest = new Set(counted.slice(0, keep).map(({ digest }) => digest));
  const patterns = policy.keepTags.map(patternOf);
  const stays = (image: ListedImage): boolean =>
    newest.has(image.digest) ||
    between(image.pushedAt, policy.now) < limitOf(image) ||
    policy.protected.includes(image.digest) ||
    image.parts.some((part) => policy.protected.includes(part)) ||
    image.tags.some((tag) => patterns.some((pattern) => pattern.test(tag)));
  const needed = withAllOf(images, { hosts, from: images.filter(stays).map(({ digest }) => digest) });
  const gone = images.filter(({ digest }) => !needed.has(digest));
  // The index first: a registry refuses to take a part away from under it.
  const rank = (image: ListedImage): number => (isWhole(image) ? 0 : image.parts.length > 0 ? 1 : 2);
  const remove = gone.sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? b.pushedAt - a.pushedAt : 0));
  return { remove, kept: images.length - remove.length };
}

/** These, what they name, what hangs on any of it, and so on. */
function withAllOf(
  images: readonly ListedImage[],
  { hosts, from }: { readonly hosts: ReadonlyMap<string, string>; readonly from: readonly string[] },
): ReadonlySet<string> {
  const parts = new Map(images.map((image) => [image.digest, image.parts]));
  const hanging = Map.groupBy(hosts, ([, host]) => host);
  const all = new Set(from);
  // A set gives what is added while it is walked, too.
  for (const digest of all) {
    for (const part of parts.get(digest) ?? []) all.add(part);
    for (const [name] of hanging.get(digest) ?? []) all.add(name);
  }
  return all;
}

/** `sha256-<hex>` of the referrers' tag schema (OCI distribution 1.1), with `.sig`, `.att` or `.sbom` of cosign. */
const HANGS_ON = /^sha256-([0-9a-f]{64})(?:\.[a-z0-9-]+)?$/;

/** By digest: the image that this one is a signature or an attestation of. What hung on one that is gone is an image. */
function hostsOf(images: readonly ListedImage[]): ReadonlyMap<string, string> {
  const there = new Set(images.map(({ digest }) => digest));
  return new Map(
    images.flatMap((image) => {
      const host = image.subject ?? hostByTag(image);
      return host === undefined || !there.has(host) ? [] : [[image.digest, host] as const];
    }),
  );
}

function hostByTag({ tags }: ListedImage): string | undefined {
  const named = tags.map((tag) => HANGS_ON.exec(tag)?.[1]);
  const [hex] = named;
  return hex === undefined || named.some((each) => each !== hex) ? undefined : `sha256:${hex}`;
}

const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );
