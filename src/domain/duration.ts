/** A length of time in milliseconds. Branded, so that a bare number cannot be passed where a unit is meant. */
export type Duration = number & { readonly __unit: 'milliseconds' };

/** A moment in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly __unit: 'epoch-milliseconds' };

export const milliseconds = (count: number): Duration => count as Duration;
export const seconds = (count: number): Duration => milliseconds(count * 1_000);
export const minutes = (count: number): Duration => seconds(count * 60);
export const hours = (count: number): Duration => minutes(count * 60);
export const days = (count: number): Duration => hours(count * 24);

export const instant = (epochMilliseconds: number): Instant => epochMilliseconds as Instant;
export const after = (start: Instant, length: Duration): Instant => instant(start + length);
export const before = (end: Instant, length: Duration): Instant => instant(end - length);
/** Time from `start` to `end`; negative when `end` is earlier. */
export const between = (start: Instant, end: Instant): Duration => milliseconds(end - start);

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;

/**
 * Reads `500ms`, `90s`, `5m`, `1h30m`, `2d`. A bare number has no unit and is refused (undefined), because peers read
 * it as seconds or as minutes and users cannot tell which. Units must fall: `30m1h` is refused.
 */
export function parseDuration(text: string): Duration | undefined {
  const compact = text.trim().replaceAll(' ', '');
  if (compact === '') return undefined;
  PART.lastIndex = 0;
  let total = 0;
  let smallest = Number.POSITIVE_INFINITY;
  while (PART.lastIndex < compact.length) {
    const match = PART.exec(compact);
    if (!match) return undefined;
    const unit = UNITS[match[2] as Unit];
    if (unit >= smallest) return undefined;
    smallest = unit;
    total += Number(match[1]) * unit;
  }
  return milliseconds(total);
}

/** `1h30m`, `5m`, `2.5s`, `340ms`: the shortest exact form that `parseDuration` reads back (to 0.1 s above 1 s). */
export function formatDuration(length: Duration): string {
  if (length < 0) return `-${formatDuration(milliseconds(-length))}`;
  if (length < 1_000) return `${Math.round(length)}ms`;
  const tenths = Math.round(length / 100);
  if (tenths < 600) return `${tenths / 10}s`;
  let rest = Math.round(length / 1_000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join('');
}

/** ISO 8601 in UTC, to the second: the form of every time in outputs and messages. */
export const formatInstant = (moment: Instant): string => new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');

/** `14:03:05` in UTC, for lines that a person reads while waiting. */
export const formatTimeOfDay = (moment: Instant): string => formatInstant(moment).slice(11, 19);
