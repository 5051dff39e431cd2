import { type Duration, type Instant, days, instant, minutes, parseDuration } from '../duration.ts';
import type { FieldResult } from '../inputs.ts';
import { type JsonSchema, closed, durations, words } from '../json-schema.ts';
import { WEEKDAYS, parseCron } from './cron.ts';
import type { Freeze, WindowRule } from './window.ts';
import { ZONE, instantOf, isZone } from './zone.ts';

const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$/;
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(:\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const WINDOW_FORMS =
  '{ weekday: sun, nth: 2, at: "02:00", tz: America/New_York, duration: 2h } or { cron: "0 2 * * sun#2", tz, duration }';
const FREEZE_FORM = '{ from: 2026-12-20, to: 2027-01-02, tz: Europe/Berlin, reason: Christmas }';

const WINDOW_KEYS = ['weekday', 'nth', 'at', 'cron', 'tz', 'duration'] as const;
const FREEZE_KEYS = ['from', 'to', 'tz', 'reason', 'environments'] as const;

const zoneSchema: JsonSchema = {
  type: 'string',
  pattern: ZONE.source,
  patternErrorMessage: 'An IANA zone such as America/New_York',
  description: 'IANA time zone. Example: `Europe/Berlin`.',
};
const open = { tz: zoneSchema, duration: durations('How long it stays open, 1m to 7d.') };
const anyCase = (word: string): string => [...word].map((letter) => `[${letter}${letter.toUpperCase()}]`).join('');
const weekdaySchema: JsonSchema = {
  type: 'string',
  pattern: `^(?:${WEEKDAYS.map(anyCase).join('|')})`,
  patternErrorMessage: `One of ${WEEKDAYS.join(', ')}`,
};

/** As `readWindows` reads them. */
export const WINDOWS_SCHEMA: JsonSchema = {
  type: 'array',
  items: {
    anyOf: [
      closed<Exclude<(typeof WINDOW_KEYS)[number], 'cron'>>(
        {
          weekday: {
            anyOf: [weekdaySchema, { type: 'array', items: weekdaySchema }],
            description: 'Day, or days, of the week. Without it: every day.',
          },
          nth: { enum: [1, 2, 3, 4, 5, 'last'], description: 'Which of the month, with `weekday`.' },
          at: {
            type: 'string',
            pattern: TIME.source,
            patternErrorMessage: 'A time: "02:00"',
            description: 'When it opens. Example: `"02:00"`.',
          },
          ...open,
        },
        { required: ['at', 'tz', 'duration'] },
      ),
      closed<Exclude<(typeof WINDOW_KEYS)[number], 'weekday' | 'nth' | 'at'>>(
        {
          cron: {
            type: 'string',
            pattern: String.raw`^\s*(?:\S+\s+){4}\S+\s*$`,
            patternErrorMessage: 'Five fields: minute, hour, day, month, weekday',
            description: 'Minute, hour, day, month, weekday. Example: `0 2 * * sun#2`.',
          },
          ...open,
        },
        { required: ['cron', 'tz', 'duration'] },
      ),
    ],
  },
};

const momentSchema = (description: string): JsonSchema => ({
  type: 'string',
  pattern: MOMENT.source,
  patternErrorMessage: '2026-12-20, 2026-12-20T18:00 (both with tz) or 2026-12-20T18:00:00Z',
  description,
});

/** As `readFreezes` reads them. */
export const FREEZES_SCHEMA: JsonSchema = {
  type: 'array',
  items: closed<(typeof FREEZE_KEYS)[number]>(
    {
      from: momentSchema('When it begins; a day without a time at its beginning.'),
      to: momentSchema('When it ends; a day without a time at its end.'),
      tz: zoneSchema,
      reason: words('Shown to whoever waits.'),
      environments: {
        type: 'array',
        items: { type: 'string' },
        description: 'Environments that it holds for. Without it: all.',
      },
    },
    { required: ['from', 'to', 'reason'] },
  ),
};

export const readWindows = (value: unknown): FieldResult<readonly WindowRule[]> =>
  readList(value, readWindow, WINDOW_FORMS);

export const readFreezes = (value: unknown): FieldResult<readonly Freeze[]> => readList(value, readFreeze, FREEZE_FORM);

function readList<T>(
  value: unknown,
  read: (entry: Record<string, unknown>) => T | string,
  accepted: string,
): FieldResult<readonly T[]> {
  if (!Array.isArray(value)) return { ok: false, problem: 'is not a list', accepted: `a list of ${accepted}` };
  const entries: T[] = [];
  for (const [index, each] of value.entries()) {
    const isMap = typeof each === 'object' && each !== null && !Array.isArray(each);
    const entry = isMap ? read(each as Record<string, unknown>) : 'is not a map';
    if (typeof entry === 'string') return { ok: false, problem: `entry ${index + 1} ${entry}`, accepted };
    entries.push(entry);
  }
  return { ok: true, value: entries };
}

function readWindow(entry: Record<string, unknown>): WindowRule | string {
  const unknown = unknownKey(entry, WINDOW_KEYS);
  if (unknown !== undefined) return unknown;
  const zone = entry['tz'];
  if (typeof zone !== 'string' || !isZone(zone)) return 'has no tz that is an IANA zone such as America/New_York';
  const duration = lengthOf(entry['duration']);
  if (duration === undefined) return 'has no duration between 1m and 7d';
  const opens = entry['cron'] === undefined ? readWeekday(entry) : readCronEntry(entry);
  if (typeof opens === 'string') return opens;
  return { text: textOf(entry), zone, duration, opens };
}

const textOf = (entry: Record<string, unknown>): string =>
  Object.entries(entry)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');

function lengthOf(value: unknown): Duration | undefined {
  const length = typeof value === 'string' ? parseDuration(value) : undefined;
  return length !== undefined && length >= minutes(1) && length <= days(7) ? length : undefined;
}

function readCronEntry(entry: Record<string, unknown>): WindowRule['opens'] | string {
  if (entry['weekday'] !== undefined || entry['nth'] !== undefined || entry['at'] !== undefined)
    return 'has cron and also weekday, nth or at';
  const cron = typeof entry['cron'] === 'string' ? parseCron(entry['cron']) : undefined;
  return cron === undefined
    ? 'has a cron that is not five fields of minute, hour, day, month, weekday'
    : { kind: 'cron', cron };
}

function readWeekday(entry: Record<string, unknown>): WindowRule['opens'] | string {
  const [, hour, minute] = TIME.exec(String(entry['at'])) ?? [];
  if (typeof entry['at'] !== 'string' || hour === undefined) return 'has no time `at: "02:00"`';
  const given = entry['weekday'];
  const names = given === undefined ? [] : Array.isArray(given) ? given : [given];
  const weekdays = names.map(weekdayNamed);
  if (weekdays.includes(-1)) return `has a weekday that is none of ${WEEKDAYS.join(', ')}`;
  const nth = entry['nth'];
  const isNumber = typeof nth === 'number' && Number.isSafeInteger(nth) && nth >= 1 && nth <= 5;
  if (nth !== undefined && nth !== 'last' && !isNumber) return 'has an nth that is neither 1 to 5 nor last';
  if (nth !== undefined && weekdays.length === 0) return 'has nth without weekday';
  return {
    kind: 'weekday',
    weekdays,
    hour: Number(hour),
    minute: Number(minute),
    ...(nth === undefined ? {} : { nth: nth as number | 'last' }),
  };
}

const NAMES = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** `sun` or `sunday`; -1: neither. */
function weekdayNamed(given: unknown): number {
  const name = String(given).toLowerCase();
  return NAMES.findIndex((whole) => name === whole || name === whole.slice(0, 3));
}

function readFreeze(entry: Record<string, unknown>): Freeze | string {
  const unknown = unknownKey(entry, FREEZE_KEYS);
  if (unknown !== undefined) return unknown;
  const { tz, reason, environments = [] } = entry;
  if (tz !== undefined && (typeof tz !== 'string' || !isZone(tz))) return 'has a tz that is no IANA zone';
  if (typeof reason !== 'string' || reason.trim() === '') return 'has no reason';
  if (!Array.isArray(environments) || !environments.every((each) => typeof each === 'string'))
    return 'has environments that are not a list of names';
  const from = momentOf(entry['from'], tz, 'from');
  const to = momentOf(entry['to'], tz, 'to');
  if (from === undefined || to === undefined)
    return 'has no from and to as 2026-12-20, 2026-12-20T18:00 (both with tz) or 2026-12-20T18:00:00Z';
  if (to <= from) return 'ends before it begins';
  return { from, to, reason: reason.trim(), environments: environments as readonly string[] };
}

/** A day without a time begins as `from` and ends as `to`: whoever writes "to 2 January" means that day too. */
function momentOf(value: unknown, zone: string | undefined, side: 'from' | 'to'): Instant | undefined {
  if (typeof value !== 'string') return undefined;
  const [, year, month, day, hour, minute, exact] = MOMENT.exec(value) ?? [];
  if (year === undefined) return undefined;
  const written = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour ?? 0), Number(minute ?? 0));
  // 31 February is read as 3 March by Date; here it is no day.
  if (new Date(written).getUTCDate() !== Number(day) || Number(month) > 12) return undefined;
  if (/(?:Z|[+-]\d\d:\d\d)$/.test(value) && hour !== undefined) {
    const moment = Date.parse(value);
    return Number.isFinite(moment) ? instant(moment) : undefined;
  }
  if (zone === undefined || exact !== undefined) return undefined;
  const wall = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour ?? 0),
    minute: Number(minute ?? 0),
  };
  if (hour === undefined && side === 'to') {
    const next = new Date(written + days(1));
    return instantOf(
      { year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate(), hour: 0, minute: 0 },
      zone,
    );
  }
  return instantOf(wall, zone);
}

function unknownKey(entry: Record<string, unknown>, known: readonly string[]): string | undefined {
  const found = Object.keys(entry).find((key) => !known.includes(key));
  return found === undefined ? undefined : `has the unknown key ${found}`;
}
