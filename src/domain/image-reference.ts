import { type Checked, bad, good } from './inputs.ts';

/** A container image by name: `registry/repository:tag@digest`; at least one of tag and digest. */
export interface ImageReference {
  /** Host with port; absent for the default registry. */
  readonly registry?: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<64 hex>` */
  readonly digest?: string;
}

// The grammar of github.com/distribution/reference: lower-case path parts, a tag of at most 128 characters.
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d+)?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);
export const isRegistry = (text: string): boolean => HOST.test(text);

/** Reads a reference; `latest` is never assumed, because a deployment without a name for its version cannot be repeated. */
export function parseImage(text: string, input = 'image'): Checked<ImageReference> {
  const problem = (what: string): Checked<never> =>
    bad({
      input,
      given: text.slice(0, 200),
      problem: what,
      accepted: 'registry/repository@sha256:<64 hex> or registry/repository:tag',
    });
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) return problem('has more than one @');
  if (digest !== undefined && !DIGEST.test(digest))
    return problem('has a digest that is not sha256: and 64 hexadecimal digits');
  // A colon after the last slash starts the tag; one before it belongs to the port of the registry.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  if (tag !== undefined && !TAG.test(tag)) return problem('has a tag that no registry accepts');
  if (tag === undefined && digest === undefined) return problem('has neither a digest nor a tag');
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first === 'localhost';
  const repository = hasHost ? path.slice(slash + 1) : path;
  if (!REPOSITORY.test(repository))
    return problem('has a repository that no registry accepts (lower case, parts separated by /)');
  if (hasHost && !HOST.test(first)) return problem('has a registry that is not a host name');
  return good({
    repository,
    ...(hasHost ? { registry: first } : {}),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  });
}

/** `registry/repository:tag@digest`, of what there is. */
export function formatImage({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry === undefined ? '' : `${registry}/`}${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Names the same bytes for ever. A tag may point elsewhere tomorrow. */
export const isPinned = (image: string): boolean => DIGEST.test(image.split('@')[1] ?? '');

/** What ECS and Kubernetes are given of an entry of `images` (domain/images.ts): always by digest. */
export const pinnedReference = (
  { repository, digest }: { readonly repository: string; readonly digest: string },
  registry: string,
): string => formatImage({ registry, repository, digest });
