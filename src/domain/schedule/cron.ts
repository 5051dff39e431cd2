import { type WallTime, daysInMonth, weekdayOf } from './zone.ts';

/**
 * Five fields: minute, hour, day of month, month, day of week. Lists, ranges, steps, names, `#n` and `L` for "the nth"
 * and "the last" weekday of the month. No seconds, no `?`, no `W`. As in cron, when both days are restricted, either is
 * enough. It answers for calendar days, because windows are counted by days; a library would bring its own time zones.
 */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  matchesDay(day: WallTime): boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** undefined: not a cron expression of this kind. */
export function parseCron(text: string): Cron | undefined {
  const fields = text.trim().toLowerCase().split(/\s+/);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  if (fields.length !== 5) return undefined;
  const minutes = readField(minute, { from: 0, to: 59 });
  const hours = readField(hour, { from: 0, to: 23 });
  const days = readField(dayOfMonth, { from: 1, to: 31 });
  const months = readField(month, { from: 1, to: 12, names: MONTHS });
  const weekday = readWeekdays(dayOfWeek);
  if (minutes === undefined || hours === undefined || days === undefined || months === undefined) return undefined;
  if (weekday === undefined) return undefined;
  const anyDay = dayOfMonth === '*';
  const anyWeekday = dayOfWeek === '*';
  return {
    minutes,
    hours,
    matchesDay(day) {
      if (!months.includes(day.month)) return false;
      if (anyDay || anyWeekday) return days.includes(day.day) && weekday(day);
      return days.includes(day.day) || weekday(day);
    },
  };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

function readField(text: string, range: Range): readonly number[] | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [span = '', step, ...rest] = part.split('/');
    const every = step === undefined ? 1 : /^\d+$/.test(step) ? Number(step) : 0;
    const [low = '', high, ...more] = span.split('-');
    if (rest.length > 0 || more.length > 0 || every < 1) return undefined;
    const start = span === '*' ? range.from : readValue(low, range);
    const end = span === '*' ? range.to : high === undefined ? endOf(start, step, range) : readValue(high, range);
    if (start === undefined || end === undefined || start > end) return undefined;
    for (let value = start; value <= end; value += every) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** `5` is one value, `5/10` begins there. */
const endOf = (start: number | undefined, step: string | undefined, range: Range): number | undefined =>
  step === undefined ? start : range.to;

function readValue(text: string, { from, to, names = [] }: Range): number | undefined {
  const named = names.indexOf(text);
  const value = named >= 0 ? named + from : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
}

function readWeekdays(text: string): ((day: WallTime) => boolean) | undefined {
  const tests: ((day: WallTime) => boolean)[] = [];
  for (const part of text.split(',')) {
    const [, name = '', nth, last] = /^(\w+?)(?:#([1-5])|(l))$/.exec(part) ?? [];
    if (nth !== undefined || last !== undefined) {
      const weekday = readValue(name, { from: 0, to: 7, names: WEEKDAYS });
      if (weekday === undefined) return undefined;
      tests.push((day) => isNth(day, { weekday: weekday % 7, nth: nth === undefined ? 'last' : Number(nth) }));
      continue;
    }
    const days = readField(part, { from: 0, to: 7, names: WEEKDAYS });
    if (days === undefined) return undefined;
    tests.push((day) => days.some((each) => each % 7 === weekdayOf(day)));
  }
  return (day) => tests.some((test) => test(day));
}

/** Whether a day is the nth (or the last) such weekday of its month. */
export function isNth(
  day: WallTime,
  { weekday, nth }: { readonly weekday: number; readonly nth: number | 'last' },
): boolean {
  if (weekdayOf(day) !== weekday) return false;
  return nth === 'last' ? day.day + 7 > daysInMonth(day.year, day.month) : Math.ceil(day.day / 7) === nth;
}
