/** 32 bits of the text (FNV-1a), the same everywhere: for names and spreads, not against somebody who means harm. */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

/** 16 hex digits that tell one text from another. */
export const fingerprint = (text: string): string =>
  [fnv1a(text), fnv1a(text, 0x9747b28c)].map((part) => part.toString(16).padStart(8, '0')).join('');
