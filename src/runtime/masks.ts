import { spellingsOf } from '../domain/secret-spellings.ts';

/** A shorter one would turn ordinary words of the log into stars; whoever has such a secret has none. */
const SHORTEST_SECRET = 4;

/**
 * Values that must not be shown. The runner masks what it reads from the log; outputs and summaries go through files,
 * and a runner other than GitHub's may mask less, so everything that the runtime writes passes `hide` as well. That also
 * finds what is spelt in another way, as GitHub's runner does in the log by itself.
 */
export interface Masks {
  /** What the runner must be told of: the value, and each line of one that has several. Empty when it is too short. */
  add(secret: string): readonly string[];
  hide(text: string): string;
}

export function newMasks(): Masks {
  // Longest first: a secret that contains another one must go as a whole.
  let hidden: readonly string[] = [];
  return {
    add(secret) {
      const parts = [secret, ...secret.split(/\r\n|\r|\n/)]
        .map((part) => part.trim())
        .filter((part, index, all) => part.length >= SHORTEST_SECRET && all.indexOf(part) === index);
      hidden = [...new Set([...hidden, ...parts.flatMap(spellingsOf)])].sort((a, b) => b.length - a.length);
      return parts;
    },
    hide: (text) => hidden.reduce((shown, secret) => shown.replaceAll(secret, '***'), text),
  };
}
