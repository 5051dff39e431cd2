/** One text, number, truth value or nothing. */
type Scalar = string | number | boolean | null;
export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

/**
 * The words of JSON Schema 2020-12 that the schemas of this project use: those that editors have understood for years.
 * What users write is described by it beside the code that reads it; `npm run docs` writes the files in schemas/.
 */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly Scalar[];
  readonly const?: Scalar;
  readonly default?: Scalar;
  readonly examples?: readonly unknown[];
  /** Found anywhere in a text; an anchored one holds for the whole. Unicode mode: only what needs a backslash has one. */
  readonly pattern?: string;
  /** Not of the standard, which lets unknown words stand: what editors say instead of showing the pattern. */
  readonly patternErrorMessage?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema | false>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
}

/** Only the listed keys. Typed by the reader's own list of keys, so that the two cannot drift apart. */
export const closed = <K extends string>(
  properties: Readonly<Record<K, JsonSchema>>,
  more: JsonSchema = {},
): JsonSchema => ({ type: 'object', additionalProperties: false, properties, ...more });

/** A part under `$defs`, in words of its place. */
export const defined = (name: string, description?: string): JsonSchema => ({
  $ref: `#/$defs/${name}`,
  ...(description === undefined ? {} : { description }),
});

/** Exactly one of the keys must be there. */
export const oneKeyOf = (keys: readonly string[]): JsonSchema => ({ oneOf: keys.map((key) => ({ required: [key] })) });

/** One, or a list of at least one. */
export const oneOrList = (item: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  anyOf: [item, { type: 'array', minItems: 1, items: item }],
  ...more,
});

/** Text with something in it. */
export const words = (description: string, ...examples: readonly string[]): JsonSchema => ({
  type: 'string',
  pattern: String.raw`\S`,
  description,
  ...(examples.length === 0 ? {} : { examples }),
});

const DURATION_PART = String.raw`\d[\d. ]*(?:ms|s|m|h|d)`;

/** Text that `parseDuration` may read: it judges the order of the units, too. */
export const DURATION_SHAPE: JsonSchema = {
  type: 'string',
  pattern: String.raw`^\s*${DURATION_PART}(?:[\d. ]*(?:ms|s|m|h|d))*\s*$`,
  patternErrorMessage: 'A number with a unit: 90s, 5m, 1h30m',
};

export const durations = (description: string, fallback?: string): JsonSchema => ({
  ...DURATION_SHAPE,
  description,
  ...(fallback === undefined ? {} : { default: fallback }),
});

/** A shape that holds for the whole of a text, as a pattern. */
export const wholly = (shape: string): string => `^(?:${shape})$`;
