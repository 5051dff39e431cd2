/**
 * How a secret may look inside text that others made: as it is, inside a JSON text, a URL, a form, HTML, and as Base64
 * in both alphabets, alone or with something before and after it (`user:secret` of Basic authentication). Longest first,
 * so that nothing is left of a longer one that has a shorter one in it.
 */
export function spellingsOf(secret: string): readonly string[] {
  if (secret === '') return [];
  const wellFormed = secret.toWellFormed();
  const component = encodeURIComponent(wellFormed);
  const all = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    ...[encodeURI(wellFormed), component, everyMark(component), formOf(component)].flatMap(eitherCase),
    ...HTML.map((apostrophe) => htmlOf(secret, apostrophe)),
    ...base64Of(wellFormed).flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]),
  ];
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

/** `encodeURIComponent` leaves some marks as they are; forms and RFC 3986 do not. */
const everyMark = (component: string): string =>
  component.replaceAll(/[!'()*~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
const formOf = (component: string): string => everyMark(component).replaceAll('%2A', '*').replaceAll('%20', '+');

/** Some write the digits of `%2F` in small letters. */
const eitherCase = (text: string): readonly string[] => [
  text,
  text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
];

const HTML = ['&#39;', '&#x27;', '&apos;', "'"];
const htmlOf = (text: string, apostrophe: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", apostrophe);

/** Shorter pieces could be anything. */
const SHORTEST_PIECE = 6;

/** The characters that only the secret decides, wherever it begins among the three bytes that make four of them. */
function base64Of(secret: string): readonly string[] {
  const bytes = Array.from(new TextEncoder().encode(secret), (byte) => String.fromCharCode(byte)).join('');
  return [0, 1, 2].flatMap((before) => {
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    const piece = btoa('\0'.repeat(before) + bytes).slice(first, last);
    return piece.length < SHORTEST_PIECE ? [] : [piece];
  });
}
