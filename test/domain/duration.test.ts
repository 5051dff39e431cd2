import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  after,
  before,
  between,
  formatDuration,
  formatInstant,
  formatTimeOfDay,
  instant,
  milliseconds,
  minutes,
  parseDuration,
  seconds,
} from '../../src/domain/duration.ts';

describe('a duration is read', () => {
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    ['1h 30m', 5_400_000],
    [' 5m ', 300_000],
    ['0s', 0],
    ['1m500ms', 60_500],
  ])('from %s', (given, expected) => {
    expect(parseDuration(given)).toBe(expected);
  });
});

describe('a duration is not read', () => {
  test.each([
    ['nothing', ''],
    ['blanks', '  '],
    ['a bare number, whose unit nobody can guess', '5'],
    ['a bare number at the end', '1m30'],
    ['a unit alone', 'm'],
    ['units that rise', '30m1h'],
    ['a unit twice', '5m5m'],
    ['a sign', '-5m'],
    ['an unknown unit', '5w'],
    ['capital letters', '5M'],
    ['a comma', '1,5h'],
    ['words', 'five minutes'],
    ['an exponent', '1e3s'],
  ])('from %s', (_name, given) => {
    expect(parseDuration(given)).toBeUndefined();
  });
});

describe('a duration is written', () => {
  test.each([
    [0, '0ms'],
    [340, '340ms'],
    [2_500, '2.5s'],
    [59_940, '59.9s'],
    [59_999, '1m'],
    [60_000, '1m'],
    [5_400_000, '1h30m'],
    [90_061_000, '1d1h1m1s'],
    [-5_000, '-5s'],
  ])('%d ms as %s', (length, expected) => {
    expect(formatDuration(milliseconds(length))).toBe(expected);
  });

  test('so that it is read back: to 1 ms below a second, to 0.1 s below a minute, to 1 s above', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 * 86_400_000 }), (length) => {
        const back = parseDuration(formatDuration(milliseconds(length)));
        const precision = [1_000, 60_000].filter((limit) => length >= limit).length;
        expect(Math.abs((back ?? Number.NaN) - length)).toBeLessThanOrEqual([0, 50, 500][precision] ?? 0);
      }),
    );
  });
});

test('moments and lengths add up, and are written in UTC to the second', () => {
  const noon = instant(Date.UTC(2026, 0, 1, 12, 0, 0, 789));
  expect(between(noon, after(noon, minutes(5)))).toBe(minutes(5));
  expect(between(noon, before(noon, seconds(1)))).toBe(-1_000);
  expect(formatInstant(noon)).toBe('2026-01-01T12:00:00Z');
  expect(formatTimeOfDay(after(noon, seconds(61)))).toBe('12:01:01');
});
