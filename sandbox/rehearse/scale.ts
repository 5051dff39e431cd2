import { type Duration, formatDuration, milliseconds, parseDuration, seconds } from '../../src/domain/duration.ts';

/**
 * A rehearsal that judged every step for the five minutes of a real policy would take half an hour. So the durations of
 * policy and checks are divided; limits, counts and rules stay as they are. What was changed is said, value by value.
 */
export interface Scaling {
  readonly divisor: number;
  /** No duration becomes shorter than this: below it, polling and process starts would be what is measured. */
  readonly floor: Duration;
}

export interface Change {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** Keys whose durations bound a single request or the whole run: shortening those would change what is tested. */
const KEPT = new Set(['timeout', 'duration', 'deadline', 'rollback-within']);
/** A busy machine may show nothing for seconds: divided as the rest, that would take a good release back. */
const FLOORS: Readonly<Record<string, Duration>> = { 'no-data-timeout': seconds(15) };
const HOLD = /\bfor (\d+(?:ms|s|m|h))\b/;

/** A copy of a YAML value with its durations divided, and the list of what was changed. */
export function scaleDurations(value: unknown, scaling: Scaling, path = ''): { value: unknown; changes: Change[] } {
  if (Array.isArray(value)) {
    const parts = value.map((entry, index) => scaleDurations(entry, scaling, `${path}[${index}]`));
    return { value: parts.map((part) => part.value), changes: parts.flatMap((part) => part.changes) };
  }
  if (value !== null && typeof value === 'object') {
    const parts = Object.entries(value).map(([key, entry]) => {
      const inner = path === '' ? key : `${path}.${key}`;
      if (KEPT.has(key)) return [key, { value: entry as unknown, changes: [] }] as const;
      return [key, scaleDurations(entry, { ...scaling, floor: FLOORS[key] ?? scaling.floor }, inner)] as const;
    });
    return {
      value: Object.fromEntries(parts.map(([key, part]) => [key, part.value])),
      changes: parts.flatMap(([, part]) => part.changes),
    };
  }
  if (typeof value !== 'string') return { value, changes: [] };
  const scaled = scaleText(value, scaling);
  return { value: scaled, changes: scaled === value ? [] : [{ path, from: value, to: scaled }] };
}

function scaleText(text: string, scaling: Scaling): string {
  const whole = parseDuration(text);
  if (whole !== undefined) return formatDuration(shorten(whole, scaling));
  return text.replace(HOLD, (match, held: string) => {
    const length = parseDuration(held);
    return length === undefined ? match : `for ${formatDuration(shorten(length, scaling))}`;
  });
}

function shorten(length: Duration, { divisor, floor }: Scaling): Duration {
  if (length <= floor) return length;
  // Whole seconds read better in a log than 12.4s, and every scaled duration is seconds long.
  return milliseconds(Math.max(floor, seconds(Math.round(length / divisor / 1_000))));
}
