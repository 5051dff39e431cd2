import type { Json, JsonObject } from '../../core/types.ts';
import { Refused } from '../refused.ts';

/** The body of a call. Members of the wrong type are refused as the service refuses them: without naming the member. */
export type Input = Readonly<Record<string, unknown>>;

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'START_ARRAY';
  if (value !== null && typeof value === 'object') return 'START_OBJECT';
  return `${typeof value}_VALUE`.toUpperCase();
};

const wrongType = (value: unknown, wanted: string): Refused =>
  new Refused('SerializationException', `${kindOf(value)} cannot be converted to ${wanted}`);

function member<T>(input: Input, name: string, wanted: string, fits: (value: unknown) => value is T): T | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!fits(value)) throw wrongType(value, wanted);
  return value;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';
const isObject = (value: unknown): value is Input =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export const textIn = (input: Input, name: string): string | undefined => member(input, name, 'String', isText);
export const numberIn = (input: Input, name: string): number | undefined => member(input, name, 'Integer', isNumber);
export const flagIn = (input: Input, name: string): boolean | undefined => member(input, name, 'Boolean', isFlag);
export const objectIn = (input: Input, name: string): Input | undefined => member(input, name, 'Object', isObject);

export function listIn(input: Input, name: string): readonly unknown[] | undefined {
  return member(input, name, 'List', (value): value is readonly unknown[] => Array.isArray(value));
}

export const textsIn = (input: Input, name: string): readonly string[] | undefined =>
  listIn(input, name)?.map((value) => {
    if (!isText(value)) throw wrongType(value, 'String');
    return value;
  });

export const objectsIn = (input: Input, name: string): readonly Input[] | undefined =>
  listIn(input, name)?.map((value) => {
    if (!isObject(value)) throw wrongType(value, 'Object');
    return value;
  });

export function needText(input: Input, name: string, message: string): string {
  const text = textIn(input, name);
  if (text === undefined || text.trim() === '') throw new Refused('InvalidParameterException', message);
  return text;
}

const MOST_TAGS = 50;

/** `[{key, value}]`, with the rules of TagResource. */
export function tagsIn(input: Input): Readonly<Record<string, string>> {
  const tags = (objectsIn(input, 'tags') ?? []).map((tag) => [textIn(tag, 'key') ?? '', textIn(tag, 'value') ?? '']);
  for (const [key = '', value = ''] of tags) {
    if (key === '' || key.length > 128) refuse(`Tag key must have between 1 and 128 characters: '${key}'`);
    if (/^aws:/i.test(key)) refuse(`Tag keys must not start with the reserved prefix aws: '${key}'`);
    if (value.length > 256) refuse(`Tag value must have at most 256 characters (key '${key}')`);
  }
  const byKey = Object.fromEntries(tags) as Readonly<Record<string, string>>;
  if (Object.keys(byKey).length < tags.length)
    refuse('Duplicate tag keys found. Please note that Tag keys are case sensitive.');
  if (tags.length > MOST_TAGS) refuse(`A resource has at most ${MOST_TAGS} tags`);
  return byKey;
}

export const tagList = (tags: Readonly<Record<string, string>>): readonly { key: string; value: string }[] =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));

/** An InvalidParameterException. */
export function refuse(message: string): never {
  throw new Refused('InvalidParameterException', message);
}

/** The members of `names` that were given, as they are. */
export function picked(input: Input, names: readonly string[]): JsonObject {
  const given = names.filter((name) => input[name] !== undefined && input[name] !== null);
  return Object.fromEntries(given.map((name) => [name, input[name] as Json]));
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** One page of a list; the token is a place in the list, as opaque to callers as the service's. */
export function pageOf<T>(all: readonly T[], input: Input, usual: number): Page<T> {
  const size = numberIn(input, 'maxResults') ?? usual;
  if (!Number.isInteger(size) || size < 1 || size > 100) refuse('maxResults should be between 1 and 100');
  const token = textIn(input, 'nextToken');
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8') || Number.NaN);
  if (!Number.isInteger(start) || start < 0) refuse('Invalid token');
  const end = start + size;
  const more = end < all.length ? { nextToken: Buffer.from(String(end)).toString('base64url') } : {};
  return { items: all.slice(start, end), ...more };
}

/** Dates of AWS JSON: seconds with a fraction. */
export const seconds = (at: number | undefined): number | undefined => (at === undefined ? undefined : at / 1_000);
