import { spellingsOf } from '../secret-spellings.ts';

/** Also the marks that turn text around on the screen, and those that cannot be seen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu;

/**
 * Text of a stranger as part of one line of ours: no line breaks, no control characters, at most `limit` characters.
 * The runner reads `##[...]` as a command anywhere in a line, so that is taken apart.
 */
export function oneLine(text: string, limit = 160): string {
  const line = text
    .slice(0, limit * 4)
    .replace(UNPRINTABLE, ' ')
    .trim()
    .replaceAll('##[', '## [');
  return line.length > limit ? `${line.slice(0, limit - 3)}...` : line;
}

/** A load looks for the same secrets in every answer that failed. */
const SPELLINGS = new WeakMap<readonly string[], readonly string[]>();

function spellingsOfAll(secrets: readonly string[]): readonly string[] {
  const known = SPELLINGS.get(secrets);
  if (known !== undefined) return known;
  const all = secrets.flatMap(spellingsOf).sort((a, b) => b.length - a.length);
  SPELLINGS.set(secrets, all);
  return all;
}

/**
 * Replaces every secret by `***`, however it is spelt. Longest first, so that a secret inside another leaves nothing of
 * the longer one. Must come before text is cut: half a secret is not found any more.
 */
export const redact = (text: string, secrets: readonly string[]): string =>
  spellingsOfAll(secrets).reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
