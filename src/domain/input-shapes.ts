import { type JsonSchema, type JsonType, wholly } from './json-schema.ts';

/**
 * What a stage of sluice.yml may hold for each kind of input. Single values are read as they are written, so whatever
 * YAML makes of `0443` or `true` is text again: such types are accepted where such a text would be.
 */
const PLAIN: readonly JsonType[] = ['string', 'number', 'boolean'];

/** A value with a pattern of the file in it is judged only when the stage is known. */
export const OR_STAGE = String.raw`|\{stage\}`;

export const textShape: JsonSchema = { type: PLAIN, minLength: 1 };

/** Text that `shape` must match as a whole. */
export function textShapeOf(shape: RegExp, message: string): JsonSchema {
  return { type: typesOf(shape), pattern: wholly(shape.source) + OR_STAGE, patternErrorMessage: message };
}

const typesOf = (shape: RegExp): readonly JsonType[] => {
  const fits = (text: string): boolean => shape.exec(text)?.[0] === text;
  return [
    'string',
    ...(['5', '0.5', '123456789012'].some(fits) ? (['number'] as const) : []),
    ...(['true', 'false'].some(fits) ? (['boolean'] as const) : []),
  ];
};

export const flagShape: JsonSchema = { enum: [true, false, 'true', 'false'] };

export const numberShape = (range: { readonly min: number; readonly max: number }): JsonSchema => ({
  type: ['integer', 'string'],
  minimum: range.min,
  maximum: range.max,
  pattern: String.raw`^\s*-?\d+\s*$`,
  patternErrorMessage: `A whole number from ${range.min} to ${range.max}`,
});

/** A list, or a text with its entries on lines or between commas. */
export const listShape: JsonSchema = {
  type: ['array', ...PLAIN],
  minLength: 1,
  items: { type: PLAIN, minLength: 1 },
};

/** A list whose entries all match `shape`. */
export function listShapeOf(shape: RegExp, message: string): JsonSchema {
  const entry = `(?:${shape.source})`;
  const more = String.raw`(?:\s*[\n,][\s,]*${entry})*`;
  const patternErrorMessage = message;
  return {
    type: ['array', ...typesOf(shape)],
    minItems: 1,
    items: { type: typesOf(shape), pattern: wholly(String.raw`\s*${entry}\s*`) + OR_STAGE, patternErrorMessage },
    pattern: wholly(String.raw`[\s,]*${entry}${more}[\s,]*`) + OR_STAGE,
    patternErrorMessage,
  };
}

/** `URL.parse` overlooks blanks and slashes; it judges the rest, too. */
export const urlShape: JsonSchema = {
  type: 'string',
  pattern: String.raw`^\s*[hH][tT][tT][pP][sS]?:` + OR_STAGE,
  patternErrorMessage: 'http://host or https://host, without credentials',
};
