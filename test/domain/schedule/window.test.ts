import { describe, expect, test } from '@jest/globals';
import { formatInstant, instant } from '../../../src/domain/duration.ts';
import { readFreezes, readWindows } from '../../../src/domain/schedule/parse.ts';
import { type Schedule, openingAt, spansOf, upcoming } from '../../../src/domain/schedule/window.ts';

const at = (text: string) => instant(Date.parse(text));
const windows = (value: unknown): Schedule['windows'] => {
  const read = readWindows(value);
  return read.ok ? read.value : [];
};
const freezes = (value: unknown): Schedule['freezes'] => {
  const read = readFreezes(value);
  return read.ok ? read.value : [];
};
const opens = (rule: unknown, from: string, to: string): string[] =>
  windows([rule]).flatMap((each) =>
    spansOf(each, at(from), at(to)).map((span) => `${formatInstant(span.from)} ${formatInstant(span.to)}`),
  );
const SECOND_SUNDAY = { weekday: 'sun', nth: 2, at: '02:00', tz: 'America/New_York', duration: '2h' };

describe('when a window opens', () => {
  test.each<[string, unknown, string, string, string[]]>([
    [
      'second Sunday 02:00 in New York, in winter',
      SECOND_SUNDAY,
      '2026-02-01T00:00:00Z',
      '2026-02-28T00:00:00Z',
      ['2026-02-08T07:00:00Z 2026-02-08T09:00:00Z'],
    ],
    [
      'second Sunday of March: 02:00 does not exist in New York, it begins at 03:00 and lasts two hours of real time',
      SECOND_SUNDAY,
      '2026-03-01T00:00:00Z',
      '2026-03-31T00:00:00Z',
      ['2026-03-08T07:00:00Z 2026-03-08T09:00:00Z'],
    ],
    [
      'the same as cron',
      { cron: '0 2 * * sun#2', tz: 'America/New_York', duration: '2h' },
      '2026-03-01T00:00:00Z',
      '2026-04-30T00:00:00Z',
      ['2026-03-08T07:00:00Z 2026-03-08T09:00:00Z', '2026-04-12T06:00:00Z 2026-04-12T08:00:00Z'],
    ],
    [
      'an hour that New York has twice in autumn: the first is meant',
      { weekday: 'sun', at: '01:30', tz: 'America/New_York', duration: '30m' },
      '2026-11-01T00:00:00Z',
      '2026-11-02T00:00:00Z',
      ['2026-11-01T05:30:00Z 2026-11-01T06:00:00Z'],
    ],
    [
      'every week on two days',
      { weekday: ['tue', 'thu'], at: '14:00', tz: 'Europe/Berlin', duration: '1h' },
      '2026-07-06T00:00:00Z',
      '2026-07-11T00:00:00Z',
      ['2026-07-07T12:00:00Z 2026-07-07T13:00:00Z', '2026-07-09T12:00:00Z 2026-07-09T13:00:00Z'],
    ],
    [
      'the last Friday of the month',
      { weekday: 'fri', nth: 'last', at: '20:00', tz: 'UTC', duration: '1h' },
      '2026-01-01T00:00:00Z',
      '2026-02-28T23:00:00Z',
      ['2026-01-30T20:00:00Z 2026-01-30T21:00:00Z', '2026-02-27T20:00:00Z 2026-02-27T21:00:00Z'],
    ],
    [
      'every day, on the far side of the date line',
      { at: '00:30', tz: 'Pacific/Kiritimati', duration: '1h' },
      '2026-01-01T00:00:00Z',
      '2026-01-02T09:00:00Z',
      ['2026-01-01T10:30:00Z 2026-01-01T11:30:00Z'],
    ],
    [
      'one that began before and is still open',
      { at: '23:00', tz: 'UTC', duration: '3h' },
      '2026-01-02T00:30:00Z',
      '2026-01-02T01:00:00Z',
      ['2026-01-01T23:00:00Z 2026-01-02T02:00:00Z'],
    ],
    [
      'a fifth Sunday in a month that has four',
      { ...SECOND_SUNDAY, nth: 5 },
      '2026-02-01T00:00:00Z',
      '2026-02-28T00:00:00Z',
      [],
    ],
    [
      'cron by day of month or weekday, either is enough',
      { cron: '0 0 13 * fri', tz: 'UTC', duration: '1h' },
      '2026-01-12T00:00:00Z',
      '2026-01-17T00:00:00Z',
      ['2026-01-13T00:00:00Z 2026-01-13T01:00:00Z', '2026-01-16T00:00:00Z 2026-01-16T01:00:00Z'],
    ],
  ])('%s', (_name, rule, from, to, expected) => {
    expect(opens(rule, from, to)).toEqual(expected);
  });
});

describe('now', () => {
  const christmas = freezes([{ from: '2026-12-20', to: '2027-01-02', tz: 'Europe/Berlin', reason: 'Christmas' }]);
  const daily = windows([{ at: '10:00', tz: 'Europe/Berlin', duration: '2h' }]);
  test.each<[string, Schedule, string, unknown]>([
    [
      'without windows and freezes it is always open',
      { windows: [], freezes: [] },
      '2026-06-01T00:00:00Z',
      { kind: 'open', until: 'always' },
    ],
    [
      'inside of a window',
      { windows: daily, freezes: [] },
      '2026-12-01T09:30:00Z',
      { kind: 'open', until: at('2026-12-01T11:00:00Z') },
    ],
    [
      'at its very end it is closed',
      { windows: daily, freezes: [] },
      '2026-12-01T11:00:00Z',
      { kind: 'closed', because: 'no window is open' },
    ],
    [
      'a freeze wins over a window, and the next one is after it, the last day included',
      { windows: daily, freezes: christmas },
      '2026-12-24T09:30:00Z',
      {
        kind: 'closed',
        because: 'frozen: Christmas',
        next: { from: at('2027-01-03T09:00:00Z'), to: at('2027-01-03T11:00:00Z') },
      },
    ],
    [
      'a freeze of another environment does not count',
      {
        windows: [],
        freezes: freezes([{ from: '2026-12-20', to: '2027-01-02', tz: 'UTC', reason: 'x', environments: ['staging'] }]),
      },
      '2026-12-24T09:30:00Z',
      { kind: 'open', until: 'always' },
    ],
    [
      'a freeze without windows ends by itself',
      { windows: [], freezes: christmas },
      '2026-12-24T09:30:00Z',
      { kind: 'closed', because: 'frozen: Christmas', next: { from: at('2027-01-02T23:00:00Z') } },
    ],
    [
      'a window that never comes',
      { windows: windows([{ cron: '0 0 30 2 *', tz: 'UTC', duration: '1h' }]), freezes: [] },
      '2026-06-01T00:00:00Z',
      { kind: 'closed', next: undefined },
    ],
  ])('%s', (_name, schedule, now, expected) => {
    expect(openingAt(schedule, 'production', at(now))).toMatchObject(expected as object);
  });

  test('the next window is not the one that is open', () => {
    expect(upcoming({ windows: daily, freezes: [] }, 'production', at('2026-12-01T09:30:00Z'))?.from).toBe(
      at('2026-12-02T09:00:00Z'),
    );
  });
});

describe('what is no schedule', () => {
  test.each<[string, unknown, RegExp]>([
    ['no list', { weekday: 'sun' }, /is not a list/],
    ['a zone that does not change over', [{ ...SECOND_SUNDAY, tz: 'EST' }], /no tz that is an IANA zone/],
    ['an unknown zone', [{ ...SECOND_SUNDAY, tz: 'America/Nowhere' }], /no tz/],
    ['an offset', [{ ...SECOND_SUNDAY, tz: '+05:00' }], /no tz/],
    ['no duration', [{ ...SECOND_SUNDAY, duration: undefined }], /no duration/],
    ['a duration without a unit', [{ ...SECOND_SUNDAY, duration: 120 }], /no duration/],
    ['25 o’clock', [{ ...SECOND_SUNDAY, at: '25:00' }], /no time/],
    ['a time as a number, as YAML 1.1 reads 02:00', [{ ...SECOND_SUNDAY, at: 120 }], /no time/],
    ['an unknown day', [{ ...SECOND_SUNDAY, weekday: 'sunflower', nth: 2 }], /none of sun/],
    ['the sixth', [{ ...SECOND_SUNDAY, nth: 6 }], /neither 1 to 5 nor last/],
    ['nth of no day', [{ nth: 2, at: '02:00', tz: 'UTC', duration: '1h' }], /nth without weekday/],
    ['an unknown key', [{ ...SECOND_SUNDAY, zone: 'UTC' }], /unknown key zone/],
    ['six fields of cron', [{ cron: '0 0 2 * * sun', tz: 'UTC', duration: '1h' }], /five fields/],
    ['minute 60', [{ cron: '60 2 * * *', tz: 'UTC', duration: '1h' }], /five fields/],
    ['cron and at', [{ cron: '0 2 * * *', at: '02:00', tz: 'UTC', duration: '1h' }], /also weekday/],
  ])('%s', (_name, value, problem) => {
    expect(readWindows(value)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });

  test.each<[string, unknown, RegExp]>([
    ['a freeze without a reason', [{ from: '2026-12-20', to: '2026-12-21', tz: 'UTC' }], /no reason/],
    ['a day without a zone', [{ from: '2026-12-20', to: '2026-12-21', reason: 'x' }], /from and to/],
    ['a day that does not exist', [{ from: '2026-02-30', to: '2026-03-21', tz: 'UTC', reason: 'x' }], /from and to/],
    ['an end before the begin', [{ from: '2026-12-21', to: '2026-12-01', tz: 'UTC', reason: 'x' }], /ends before/],
  ])('%s', (_name, value, problem) => {
    expect(readFreezes(value)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});
