import type { InputProblem } from '../inputs.ts';

/** Kinds of caches that BuildKit has; `inline` is only written. */
const KINDS = ['registry', 'gha', 'local', 's3', 'azblob', 'inline'];
const ACCEPTED = 'type=gha,scope=web, type=registry,ref=ghcr.io/acme/shop:cache, or type=inline to cache-to';

/** Kind of one entry; `ref` alone is an image of a registry, as buildx reads it too. undefined: it says none. */
export function cacheKind(entry: string): string | undefined {
  if (!entry.includes('=')) return 'registry';
  return /(?:^|,)type=([^,]*)/.exec(entry)?.[1];
}

/**
 * What is misspelt is an error: a word that is no kind becomes the name of an image of Docker Hub, and its owner the one
 * who gives the layers.
 */
export function cacheProblems(input: 'cache-from' | 'cache-to', entries: readonly string[]): readonly InputProblem[] {
  return entries.flatMap((given): InputProblem[] => {
    const kind = cacheKind(given);
    if (!given.includes('='))
      return given.includes('/') ? [] : [{ input, given, problem: 'has no registry', accepted: ACCEPTED }];
    if (kind === undefined || !KINDS.includes(kind))
      return [{ input, given, problem: 'is no kind of cache', accepted: ACCEPTED }];
    if (kind === 'registry' && !/(?:^|,)ref=[^,]+/.test(given))
      return [{ input, given, problem: 'names no image: ref= is missing', accepted: ACCEPTED }];
    return [];
  });
}
