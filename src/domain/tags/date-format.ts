import type { Instant } from '../duration.ts';

/** The tokens of moment.js, in which docker/metadata-action writes dates; text in brackets stays as it is. */
const TOKENS =
  /\[([^\]]*)\]|YYYY|YY|Q|MMMM|MMM|MM|M|DDDD|DDD|DD|Do|D|dddd|ddd|d|E|GGGG|WW|W|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|X|x/g;

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** Minutes east of UTC. */
  readonly offset: number;
}

/** Whether a name is one of the zone database that the runner has. */
export function isTimeZone(zone: string): 'yes' | 'no' {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return 'yes';
  } catch {
    return 'no';
  }
}

export function formatDate(moment: Instant, pattern: string, zone = 'UTC'): string {
  const parts = partsIn(moment, zone);
  return pattern.replaceAll(TOKENS, (token, literal: string | undefined) => literal ?? valueOf(token, parts, moment));
}

function partsIn(moment: Instant, zone: string): Parts {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const read = new Map(format.formatToParts(new Date(moment)).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => read.get(name) ?? 0;
  const [year, month, day] = [part('year'), part('month'), part('day')];
  const [hour, minute, second] = [part('hour'), part('minute'), part('second')];
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const millisecond = ((moment % 1_000) + 1_000) % 1_000;
  return {
    year,
    month,
    day,
    hour,
    minute,
    second,
    millisecond,
    offset: Math.round((wall - (moment - millisecond)) / 60_000),
  };
}

const two = (value: number): string => String(value).padStart(2, '0');

function valueOf(token: string, parts: Parts, moment: Instant): string {
  return dayToken(token, parts) ?? timeToken(token, parts, moment) ?? token;
}

function dayToken(token: string, { year, month, day }: Parts): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const weekday = date.getUTCDay();
  const dayOfYear = Math.round((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
  const named = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' }).format(date);
  const values: Readonly<Record<string, () => string>> = {
    YYYY: () => String(year).padStart(4, '0'),
    YY: () => two(year % 100),
    Q: () => String(Math.ceil(month / 3)),
    MMMM: () => named({ month: 'long' }),
    MMM: () => named({ month: 'short' }),
    MM: () => two(month),
    M: () => String(month),
    DDDD: () => String(dayOfYear).padStart(3, '0'),
    DDD: () => String(dayOfYear),
    DD: () => two(day),
    Do: () => `${day}${ordinal(day)}`,
    D: () => String(day),
    dddd: () => named({ weekday: 'long' }),
    ddd: () => named({ weekday: 'short' }),
    d: () => String(weekday),
    E: () => String(weekday === 0 ? 7 : weekday),
    GGGG: () => String(isoWeek(date).year),
    WW: () => two(isoWeek(date).week),
    W: () => String(isoWeek(date).week),
  };
  return values[token]?.();
}

function timeToken(
  token: string,
  { hour, minute, second, millisecond, offset }: Parts,
  moment: Instant,
): string | undefined {
  const half = hour % 12 === 0 ? 12 : hour % 12;
  const zone = (separator: string): string =>
    `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${separator}${two(Math.abs(offset) % 60)}`;
  const values: Readonly<Record<string, () => string>> = {
    HH: () => two(hour),
    H: () => String(hour),
    hh: () => two(half),
    h: () => String(half),
    mm: () => two(minute),
    m: () => String(minute),
    ss: () => two(second),
    s: () => String(second),
    SSS: () => String(millisecond).padStart(3, '0'),
    A: () => (hour < 12 ? 'AM' : 'PM'),
    a: () => (hour < 12 ? 'am' : 'pm'),
    Z: () => zone(':'),
    ZZ: () => zone(''),
    X: () => String(Math.floor(moment / 1_000)),
    x: () => String(moment),
  };
  return values[token]?.();
}

const ordinal = (day: number): string => (day > 10 && day < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th'));

/** ISO 8601: the week belongs to the year that has its Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * 86_400_000);
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1 };
}
