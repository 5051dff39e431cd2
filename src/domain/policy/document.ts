import { type Duration, formatDuration, milliseconds, parseDuration } from '../duration.ts';
import { type InputProblem, nearestOf, printable } from '../inputs.ts';

/** One mapping of a parsed YAML document, read key by key; every problem goes into one list with the path of its value. */
export interface Mapping {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: InputProblem[];
}

const pathOf = (mapping: Mapping, key: string): string => (mapping.path === '' ? key : `${mapping.path}.${key}`);

export function refuse(mapping: Mapping, key: string, problem: Omit<InputProblem, 'input' | 'given'>): undefined {
  const given = mapping.values[key];
  const shown = given === undefined ? {} : { given: printable(given) };
  mapping.problems.push({ input: pathOf(mapping, key), ...shown, ...problem });
  return undefined;
}

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Names every key that is not known, with the nearest one that is. */
export function refuseUnknownKeys(mapping: Mapping, known: readonly string[]): void {
  for (const key of Object.keys(mapping.values).filter((each) => !known.includes(each))) {
    const nearest = nearestOf(key, known);
    mapping.problems.push({
      input: pathOf(mapping, key),
      problem: 'is not a known key',
      accepted: known.join(', '),
      ...(nearest ? { nearest } : {}),
    });
  }
}

/** The inner mapping of a key; undefined when absent or refused. */
export function mappingAt(mapping: Mapping, key: string): Mapping | undefined {
  const value = mapping.values[key];
  if (value === undefined) return undefined;
  if (!isMapping(value)) return refuse(mapping, key, { problem: 'is not a mapping' });
  return { path: pathOf(mapping, key), values: value, problems: mapping.problems };
}

export interface DurationBounds {
  readonly fallback: Duration;
  readonly min?: Duration;
}

export function durationAt(
  mapping: Mapping,
  key: string,
  { fallback, min = milliseconds(0) }: DurationBounds,
): Duration {
  const value = mapping.values[key];
  if (value === undefined) return fallback;
  const read = typeof value === 'string' ? parseDuration(value) : undefined;
  if (read === undefined)
    refuse(mapping, key, { problem: 'is not a duration', accepted: 'a number with a unit: 90s, 5m, 1h30m' });
  else if (read < min) refuse(mapping, key, { problem: `is shorter than ${formatDuration(min)}` });
  else return read;
  return fallback;
}

export function choiceAt<const C extends readonly string[]>(
  mapping: Mapping,
  key: string,
  choices: C & readonly [C[number], ...C[number][]],
): C[number] {
  const value = mapping.values[key];
  if (value === undefined) return choices[0];
  if (typeof value === 'string' && choices.includes(value)) return value;
  const nearest = nearestOf(String(value), choices);
  refuse(mapping, key, {
    problem: 'is not one of the accepted values',
    accepted: choices.join(', '),
    ...(nearest ? { nearest } : {}),
  });
  return choices[0];
}

export interface CountBounds {
  readonly fallback: number;
  readonly min: number;
}

export function countAt(mapping: Mapping, key: string, { fallback, min }: CountBounds): number {
  const value = mapping.values[key];
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min) return value;
  refuse(mapping, key, { problem: 'is not a whole number in the range', accepted: `${min} or more` });
  return fallback;
}

/** A text that is not empty; undefined when absent or refused. */
export function textAt(mapping: Mapping, key: string): string | undefined {
  const value = mapping.values[key];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  return refuse(mapping, key, { problem: value === null || value === '' ? 'is empty' : 'is not a text' });
}
