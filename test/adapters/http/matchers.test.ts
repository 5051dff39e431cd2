import { describe, expect, test } from '@jest/globals';
import { matchers } from '../../../src/adapters/http/matchers.ts';

const foundIn = (source: string, text: string): boolean => {
  const read = matchers.pattern(source);
  return read.ok && read.value.foundIn(text);
};

const selected = (source: string, document: unknown): readonly unknown[] => {
  const read = matchers.jsonQuery(source);
  return read.ok ? read.value.select(document) : [];
};

describe('a regular expression', () => {
  test.each([
    { name: 'finds a part', source: 'v\\d+', text: 'build v12 is up', found: true },
    { name: 'is case-sensitive', source: 'healthy', text: 'Healthy', found: false },
    { name: 'takes flags of its own', source: '(?i)healthy', text: 'Healthy', found: true },
    { name: 'knows Unicode classes', source: '^\\p{L}+$', text: 'gesünd', found: true },
  ])('$name', ({ source, text, found }) => {
    expect(foundIn(source, text)).toBe(found);
  });

  test.each([
    { name: 'nested repetition', source: '(a+)+$', text: `${'a'.repeat(500_000)}!` },
    { name: 'overlapping repetition', source: '(x+x+)+y', text: 'x'.repeat(500_000) },
    { name: 'alternatives that overlap', source: '(a|aa)+$', text: `${'a'.repeat(500_000)}!` },
  ])('that would hang a backtracking engine ends: $name', ({ source, text }) => {
    expect(foundIn(source, text)).toBe(false);
  });

  test.each([
    { name: 'look-ahead', source: '(?=a)b' },
    { name: 'a back-reference', source: '(a)\\1' },
    { name: 'an open bracket', source: '[a' },
    { name: 'repetitions that multiply', source: '((a|b){1,90}c){1,9}' },
    { name: 'more than 1000 characters', source: 'a'.repeat(1_001) },
  ])('with $name is refused', ({ source }) => {
    expect(matchers.pattern(source)).toMatchObject({ ok: false });
  });
});

describe('a JSON path', () => {
  test.each([
    { name: 'one value', source: '$.a.b', document: { a: { b: 1 } }, values: [1] },
    { name: 'several values', source: '$..id', document: { id: 1, in: [{ id: 2 }] }, values: [1, 2] },
    {
      name: 'by a filter',
      source: "$[?@.s == 'up'].n",
      document: [
        { s: 'up', n: 1 },
        { s: 'down', n: 2 },
      ],
      values: [1],
    },
    {
      name: 'by match(), which takes the whole text',
      source: "$[?match(@, 'a.')]",
      document: ['ab', 'abc'],
      values: ['ab'],
    },
    { name: 'by search(), which takes a part', source: "$[?search(@, 'b')]", document: ['ab', 'c', 3], values: ['ab'] },
    { name: 'nothing by a pattern that is none', source: "$[?match(@, '[')]", document: ['['], values: [] },
    { name: 'nothing of the prototype', source: '$.__proto__', document: {}, values: [] },
    { name: 'nothing of the constructor', source: '$.constructor', document: {}, values: [] },
  ])('selects $name', ({ source, document, values }) => {
    expect(selected(source, document)).toEqual(values);
  });

  test('cannot be made to hang by its own functions', () => {
    expect(selected("$[?match(@, '(a+)+')]", [`${'a'.repeat(100_000)}!`])).toEqual([]);
  });

  test.each([
    { name: 'no root', source: 'status' },
    { name: 'an open bracket', source: '$.a[' },
    { name: 'a script', source: '$.a[(@.length-1)]' },
  ])('with $name is refused', ({ source }) => {
    expect(matchers.jsonQuery(source)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('is not a JSON path'),
    });
  });
});
