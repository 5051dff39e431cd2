import { type Instant, hours, instant } from '../duration.ts';

/** A time as a clock on the wall shows it, without saying where. Months and days count from 1. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}

export const ZONE = /^(?:UTC|[A-Za-z]+(?:\/[\w+-]+)+)$/;

/** IANA names only: `EST` and `+05:00` never change over to summer time, which nobody means who writes them. */
export function isZone(name: string): boolean {
  if (!ZONE.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

export function wallTime(moment: Instant, zone: string): WallTime {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
  return { year, month, day, hour, minute };
}

const asUtc = ({ year, month, day, hour, minute }: WallTime): number => Date.UTC(year, month - 1, day, hour, minute);

/** How far the clocks of the zone are before UTC, to the minute. */
const offsetAt = (moment: number, zone: string): number => {
  const whole = Math.floor(moment / 60_000) * 60_000;
  return asUtc(wallTime(instant(whole), zone)) - whole;
};

/**
 * When the clocks of the zone show this time. A time that they skip in spring (02:00 on the second Sunday of March in
 * New York) is taken as so long after midnight: 03:00 of the new time. Of one that they show twice, the first is meant.
 */
export function instantOf(wall: WallTime, zone: string): Instant {
  const guess = asUtc(wall);
  const earlier = offsetAt(guess - hours(24), zone);
  const candidates = [earlier, offsetAt(guess + hours(24), zone)].map((offset) => guess - offset);
  const shown = candidates.filter((moment) => moment + offsetAt(moment, zone) === guess);
  return instant(shown.length > 0 ? Math.min(...shown) : guess - earlier);
}

/** 0 is Sunday. */
export const weekdayOf = ({ year, month, day }: WallTime): number =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay();

export const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** The calendar day so many days later, at midnight. */
export function dayAfter(wall: WallTime, count: number): WallTime {
  const day = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + count));
  return { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate(), hour: 0, minute: 0 };
}
