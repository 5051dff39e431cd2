import { type Duration, parseDuration } from '../duration.ts';
import { type FieldResult, type InputProblem, nearestOf } from '../inputs.ts';
import type { Path } from './document.ts';
import { oneLine } from './shown-text.ts';

/** A problem with its place in the document, so that whoever has the file's text can add line and column. */
export interface DocumentProblem extends InputProblem {
  readonly path: Path;
}

/** `checks[2].expect.json["$.status"]` */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** Whether the first path is the second one or leads into it. */
export const isWithin = (path: Path, outer: Path): boolean => outer.every((step, index) => path[index] === step);

/** One value of the document while it is read, and the list that its problems go to. */
export interface Place {
  readonly value: unknown;
  readonly path: Path;
  readonly problems: DocumentProblem[];
}

export const rootOf = (value: unknown): Place => ({ value, path: [], problems: [] });

interface Details {
  readonly accepted?: string | undefined;
  readonly nearest?: string | undefined;
  /** For values that may be secret. */
  readonly given?: 'hidden';
}

export function complain(place: Place, problem: string, details: Details = {}): undefined {
  const shown = details.given === 'hidden' || place.value === undefined ? undefined : oneLine(asText(place.value), 60);
  place.problems.push({
    input: formatPath(place.path) || 'the document',
    path: place.path,
    ...(shown === undefined ? {} : { given: shown }),
    problem,
    ...(details.accepted === undefined ? {} : { accepted: details.accepted }),
    ...(details.nearest === undefined ? {} : { nearest: details.nearest }),
  });
  return undefined;
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entries of a mapping, in the file's order; complains and gives none when it is something else. */
export function entriesOf(place: Place): readonly (readonly [string, Place])[] {
  if (!isMapping(place.value)) {
    complain(place, place.value === null ? 'is empty' : 'is not a mapping', { accepted: 'keys with values' });
    return [];
  }
  return Object.entries(place.value).map(([key, value]) => [key, { ...place, value, path: [...place.path, key] }]);
}

/** The known keys of a mapping. A key of a later version is refused by name, any other with the nearest known one. */
export function fieldsOf<K extends string>(
  place: Place,
  keys: { readonly known: readonly K[]; readonly later?: readonly string[] },
): Partial<Record<K, Place>> {
  const known: Partial<Record<K, Place>> = {};
  for (const [key, child] of entriesOf(place)) {
    if ((keys.known as readonly string[]).includes(key)) known[key as K] = child;
    else if (keys.later?.includes(key)) complain({ ...child, value: undefined }, 'is not supported by this version');
    else
      complain({ ...child, value: undefined }, 'is not a key of this place', {
        accepted: keys.known.join(', '),
        nearest: nearestOf(key, keys.known),
      });
  }
  return known;
}

/** The items of a list; complains when it is something else or empty. */
export function itemsOf(place: Place): readonly Place[] {
  if (!Array.isArray(place.value)) {
    complain(place, 'is not a list');
    return [];
  }
  if (place.value.length === 0) complain(place, 'is an empty list');
  return place.value.map((value: unknown, index) => ({ ...place, value, path: [...place.path, index] }));
}

/** A list, or one item that stands for a list of one. */
export const oneOrMore = (place: Place): readonly Place[] => (Array.isArray(place.value) ? itemsOf(place) : [place]);

/** One of the accepted words, as it is written. */
export function readWord<const T extends string>(place: Place, accepted: readonly T[]): T | undefined {
  const known = accepted.find((each) => each === place.value);
  return known ?? complain(place, 'is not one of the accepted values', { accepted: accepted.join(', ') });
}

/** What one of the accepted words stands for. */
export function readNamed<T>(place: Place, meanings: Readonly<Record<string, T>>): T | undefined {
  const word = readWord(place, Object.keys(meanings));
  return word === undefined ? undefined : meanings[word];
}

/** YAML's own words for it, or as an input has them. */
export function readFlag(place: Place): boolean | undefined {
  const { value } = place;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return complain(place, 'is neither true nor false', { accepted: 'true, false' });
}

export function readText(place: Place): string | undefined {
  if (typeof place.value === 'string' && place.value.trim() !== '') return place.value;
  if (place.value === null || place.value === '') return complain(place, 'is empty', { accepted: 'text' });
  return complain(place, 'is not text', { accepted: 'text; quote what YAML reads as a number or as true or false' });
}

export function readCount(place: Place, range: { readonly min: number; readonly max: number }): number | undefined {
  const { value } = place;
  if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  return complain(place, 'is not a whole number in the range', { accepted: `${range.min} to ${range.max}` });
}

const DURATIONS = 'a number with a unit: 500ms, 10s, 5m';

/** Longer than nothing and at most an hour: no single wait of a check is longer. */
export function readDuration(place: Place): Duration | undefined {
  const read = typeof place.value === 'string' ? parseDuration(place.value) : undefined;
  if (read === undefined) return complain(place, 'is not a duration', { accepted: DURATIONS });
  if (read <= 0 || read > 3_600_000)
    return complain(place, 'is not a duration above 0 and up to 1h', { accepted: DURATIONS });
  return read;
}

/** Takes over what a reader of single values found. */
export function take<T>(place: Place, result: FieldResult<T>): T | undefined {
  return result.ok
    ? result.value
    : complain(place, result.problem, { accepted: result.accepted, nearest: result.nearest });
}
