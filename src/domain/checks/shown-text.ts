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

/** How a secret may look inside text: as it is, inside a JSON text, inside a URL. */
const spellings = (secret: string): readonly string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret.toWellFormed()),
];

/**
 * Replaces every secret by `***`. Longest first, so that a secret inside another leaves nothing of the longer one.
 * Must come before text is cut: half a secret is not found any more.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.flatMap(spellings).sort((a, b) => b.length - a.length);
  return longestFirst.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '***')), text);
}
