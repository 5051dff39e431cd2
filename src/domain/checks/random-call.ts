import type { RandomValues } from './document.ts';

export type RandomCall =
  | { readonly kind: 'number'; readonly least: number; readonly most: number }
  | { readonly kind: 'text'; readonly length: number }
  | { readonly kind: 'uuid' };

export const RANDOM_CALLS = '$randomNumber(1,50), $randomText(8), $uuid';

/** Reads `$randomNumber(1,50)` (both ends may come), `$randomText(8)` (hexadecimal, up to 32 digits), `$uuid`. */
export function readRandomCall(text: string): RandomCall | undefined {
  if (text === '$uuid') return { kind: 'uuid' };
  const [, name, given = ''] = /^\$(randomNumber|randomText)\(\s*([\d\s,-]+?)\s*\)$/.exec(text) ?? [];
  const numbers = given.split(',').map((part) => (/^\s*-?\d{1,15}\s*$/.test(part) ? Number(part) : Number.NaN));
  if (numbers.some(Number.isNaN)) return undefined;
  const [first = Number.NaN, second] = numbers;
  if (name === 'randomText' && numbers.length === 1 && first >= 1 && first <= 32)
    return { kind: 'text', length: first };
  if (name === 'randomNumber' && numbers.length === 2 && second !== undefined && first <= second)
    return { kind: 'number', least: first, most: second };
  return undefined;
}

export function randomValue(call: RandomCall, random: RandomValues): string {
  switch (call.kind) {
    case 'number':
      return String(call.least + Math.floor(random.fraction() * (call.most - call.least + 1)));
    case 'text':
      return random.token().slice(0, call.length);
    case 'uuid':
      // RFC 9562, version 4.
      return random.token().replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5');
  }
}
