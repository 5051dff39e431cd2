import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { isPlainScalar } from '../../src/runtime/plain-scalar.ts';

const marks = fc.string({ unit: fc.constantFrom(...'aNTf<.3 e-:#&*!|>\'"%@`{}[],?~\n\t=') });
const words = fc.string({ unit: fc.constantFrom('null', 'true', 'NaN', 'yes', '<', '<<', '.', ' ', '1', 'inf', 'x') });

test('what is taken as it is, is what the parser gives', () => {
  fc.assert(
    fc.property(fc.oneof(marks, words), (text) => {
      fc.pre(isPlainScalar(text));
      expect(parse(text)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

describe('without the parser', () => {
  test.each(['<400', 'header', 'a b'])('%s is read', (text) => expect(isPlainScalar(text)).toBe(true));
  test.each([
    '',
    '200',
    'true',
    'NULL',
    '~',
    '[a]',
    '{ a: b }',
    'a: b',
    'a # b',
    '>=400',
    '- a',
    '"a"',
    'a\nb',
    ' a',
    'a  b',
  ])('%j is not', (text) => expect(isPlainScalar(text)).toBe(false));
});
