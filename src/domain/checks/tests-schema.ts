import { type JsonSchema, closed, oneOrList, words } from '../json-schema.ts';
import type { TEXT_TESTS, VALUE_TESTS } from './expectation.ts';

export const ANYTHING: JsonSchema = {};

export const jsonPath = (description: string): JsonSchema => ({
  type: 'string',
  pattern: String.raw`^\$`,
  patternErrorMessage: 'An RFC 9535 path: $.status',
  description,
});

export const contains = oneOrList(words('Text that must be in it.'), {
  description: 'Text, or texts, that must be in it.',
});
export const matches = words('Regular expression (RE2 syntax) that must be found in it.');
const exists: JsonSchema = { type: 'boolean', description: 'Whether it must be there.' };

export const headerTest: JsonSchema = {
  anyOf: [
    words('The whole value.'),
    closed<(typeof TEXT_TESTS)[number]>(
      { equals: words('The whole value.'), contains, matches, exists },
      { minProperties: 1 },
    ),
  ],
};

export const valueTest: JsonSchema = {
  anyOf: [
    { type: ['string', 'number', 'boolean', 'null', 'array'], description: 'The wanted value.' },
    closed<(typeof VALUE_TESTS)[number]>(
      {
        equals: { ...ANYTHING, description: 'The wanted value; an object stands here.' },
        contains: { ...ANYTHING, description: 'Text in a text, or an item of a list.' },
        matches,
        exists,
        'at-least': { type: 'number', description: 'The least that is good.' },
        'at-most': { type: 'number', description: 'The most that is good.' },
      },
      { minProperties: 1 },
    ),
  ],
};
