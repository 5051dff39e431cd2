import type { Flavor } from './rule.ts';

/** The grammar of the OCI distribution specification. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST = 128;
const HASH_LENGTH = 6;

export const isTag = (text: string): boolean => TAG.test(text);

/**
 * A valid tag of any text. docker/metadata-action replaces what is not allowed and leaves tags that no registry takes
 * (`-x`, `.hidden`, 140 characters), and gives `feature/a` and `feature-a` one tag; here a text that had to be changed
 * is told apart by a hash of it.
 */
export function tagOf(text: string, changed: Flavor['changed'], sha256: (text: string) => string): string {
  const replaced = text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '');
  if (replaced === text && isTag(replaced)) return text;
  const hash = sha256(text).slice(0, HASH_LENGTH);
  if (replaced === '') return hash;
  if (changed === 'keep') return replaced.slice(0, LONGEST);
  return `${replaced.slice(0, LONGEST - HASH_LENGTH - 1)}-${hash}`;
}
