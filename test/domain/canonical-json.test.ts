import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { parseImages } from '../../src/domain/images.ts';

describe('canonical JSON', () => {
  test('sorts keys at every depth and writes no blanks', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });

  test('is the same text for the same value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  test.each([
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a function', () => 1],
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalJson({ value })).toThrow('no canonical JSON');
  });
});

describe('images of the chain', () => {
  const digest = `sha256:${'a'.repeat(64)}`;

  test('are read with and without a tag', () => {
    const images = { api: { repository: 'team/api', digest, tag: '1.0.0' }, web: { repository: 'team/web', digest } };
    expect(parseImages(images)).toEqual({ ok: true, value: images });
  });

  test.each([
    ['nothing', {}, 'images'],
    ['a list', [], 'images'],
    ['an empty digest', { api: { repository: 'team/api', digest: '' } }, 'images.api.digest'],
    ['a tag in the place of the digest', { api: { repository: 'team/api', digest: 'latest' } }, 'images.api.digest'],
    [
      'a repository with its registry',
      { api: { repository: 'ghcr.io:443/team/api', digest } },
      'images.api.repository',
    ],
    ['an entry that is no object', { api: 'x' }, 'images.api.repository'],
  ])('%s is a problem', (_name, value, input) => {
    const checked = parseImages(value);
    expect(checked.ok).toBe(false);
    expect(checked).toHaveProperty('problems.0.input', input);
  });
});
