import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { redact } from '../../src/domain/checks/shown-text.ts';
import { spellingsOf } from '../../src/domain/secret-spellings.ts';

const SECRET = 'pa"ss/w?rd+ö 4711\'&<~';
const bytes = Buffer.from(SECRET);

describe('a secret is found', () => {
  test.each<[string, string]>([
    ['as it is', SECRET],
    ['inside JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['inside a path', encodeURI(SECRET)],
    ['inside a query', encodeURIComponent(SECRET)],
    ['inside a query in small letters', encodeURIComponent(SECRET).replaceAll(/%../g, (code) => code.toLowerCase())],
    ['inside a form', new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ['inside HTML', 'pa&quot;ss/w?rd+ö 4711&#39;&amp;&lt;~'],
    ['in Base64', bytes.toString('base64').replace(/=+$/, '').slice(0, -1)],
    ['in Base64 for URLs', bytes.toString('base64url').slice(0, -1)],
  ])('%s', (_name, spelt) => {
    expect(redact(`before ${spelt} after`, [SECRET])).toMatch(/^before \*\*\*\S* after$/);
  });

  test.each(['', 'u', 'us', 'use', 'user:', 'longer user:'])('in Base64 behind %j', (before) => {
    for (const alphabet of ['base64', 'base64url'] as const) {
      const spelt = Buffer.from(`${before}${SECRET}, and more`).toString(alphabet);
      const left = redact(spelt, [SECRET]);
      expect(left).toContain('***');
      // What is left holds no three bytes of it: four characters at each end belong to its neighbours as well.
      for (const piece of left.split('***')) {
        const decoded = Buffer.from(piece, alphabet).toString('latin1');
        expect(decoded).not.toContain('4711');
      }
    }
  });
});

test('the longest spelling comes first, and there is none of nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (secret) => {
      const lengths = spellingsOf(secret).map((each) => each.length);
      expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
      expect(lengths.filter((length) => length === 0)).toEqual([]);
    }),
  );
  expect(redact('plain', [''])).toBe('plain');
});

test('a short secret does not make stars of ordinary text', () => {
  expect(redact('the lamb, the ear and Y2xvc2Vk are as they were', ['test', 'abc'])).toBe(
    'the lamb, the ear and Y2xvc2Vk are as they were',
  );
});

test('secrets inside each other leave nothing of the longer one', () => {
  expect(redact('token-1234-long and token-1234', ['token-1234', 'token-1234-long'])).toBe('*** and ***');
});
