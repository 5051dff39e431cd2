import { describe, expect, test } from '@jest/globals';
import { chanceOf, poisson } from '../../../bench/analysis/chance.ts';
import { dropOf } from '../../../src/domain/analysis/drop.ts';
import type { Reading, Sample } from '../../../src/domain/analysis/sample.ts';
import { instant, minutes, seconds } from '../../../src/domain/duration.ts';

const INTERVAL = seconds(15);
const BEGIN = 1_000_000;

/** A look each 15 s, of the 15 s before it; a number is so many requests. */
const looks = (readings: readonly (number | Reading)[]): readonly Sample[] =>
  readings.map((each, index) => ({
    series: 'error-rate',
    at: instant(BEGIN + (index + 1) * INTERVAL),
    window: INTERVAL,
    reading: typeof each === 'number' ? requests(each) : each,
  }));
const requests = (samples: number): Reading =>
  samples === 0 ? { kind: 'no-data' } : { kind: 'value', value: 0, samples };
const times = <T>(count: number, each: T): readonly T[] => Array.from({ length: count }, () => each);
const OUTAGE: Reading = { kind: 'error', message: 'status 503' };
const drop = (readings: readonly (number | Reading)[]) => dropOf(looks(readings), INTERVAL);

describe('requests that fall away', () => {
  test('are seen within a minute, though a check of ours is still answered, and since they fell', () => {
    const fallen = drop([...times(20, 30), ...times(4, 1)]);
    expect(fallen).toEqual({ since: BEGIN + 20 * INTERVAL, requests: 4, within: minutes(1), usual: 120 });
    expect(drop([...times(20, 30), ...times(3, 1)])).toBeUndefined();
  });

  test('stay fallen for as long as next to nothing comes, however long ago that began', () => {
    expect(drop([...times(20, 30), ...times(100, 1)])).toMatchObject({ since: BEGIN + 20 * INTERVAL, usual: 120 });
  });

  test('are over when they come again', () => {
    expect(drop([...times(20, 30), ...times(8, 1), ...times(4, 12)])).toBeUndefined();
  });

  test('are none when a step has just given it more', () => {
    expect(drop([...times(20, 6), ...times(20, 30), ...times(4, 0)])).toMatchObject({ requests: 0, usual: 120 });
    expect(drop([...times(20, 6), ...times(20, 30)])).toBeUndefined();
    expect(drop([...times(20, 6), ...times(4, 30), ...times(4, 1)])).toMatchObject({ requests: 4, usual: 72 });
  });

  test('do not come and go with single requests: they are back with a fifth', () => {
    expect(drop([...times(20, 30), ...times(4, 1), ...times(4, 5)])).toMatchObject({ requests: 20 });
    expect(drop([...times(20, 30), ...times(4, 1), ...times(4, 7)])).toBeUndefined();
  });

  test.each([
    { name: 'a source that does not answer', readings: [...times(20, 30), ...times(10, OUTAGE)] },
    { name: 'the first period, which is not over', readings: [...times(4, { kind: 'not-yet' } as const), ...times(4, 30)] },
    { name: 'what falls to a fifth', readings: [...times(20, 30), ...times(8, 6)] },
    { name: 'so few that chance could do it', readings: [...times(20, 2), ...times(8, 0)] },
    { name: 'what was never more', readings: times(40, 1) },
    { name: 'nothing at all', readings: [] },
  ])('is not $name', ({ readings }) => {
    expect(drop(readings)).toBeUndefined();
  }); // prettier-ignore

  test('of a source with minutes are counted by its minutes, each as it was known last', () => {
    const at = (grid: number, minute: number, samples: number): Sample => ({
      series: 'error-rate', at: instant(BEGIN + grid * INTERVAL), to: instant(BEGIN + minute * minutes(1)), window: minutes(1), reading: requests(samples),
    }); // prettier-ignore
    const before = [1, 2, 3, 4, 5].flatMap((minute) =>
      [0, 1, 2, 3].map((quarter) => at(minute * 4 + quarter, minute, 120)),
    );
    expect(dropOf([...before, at(24, 6, 8)], INTERVAL)).toMatchObject({ requests: 8, within: minutes(1), usual: 120 });
    // Half the minute had not arrived when it was looked at first.
    expect(dropOf([...before, at(24, 6, 8), at(25, 6, 118)], INTERVAL)).toBeUndefined();
  });

  test.each([0.3, 2, 8, 30, 300])('are never seen in traffic that only varies: %d requests a look', (rate) => {
    const chance = chanceOf(rate * 10);
    for (let release = 0; release < 60; release++) {
      expect(drop(Array.from({ length: 120 }, () => poisson(rate, chance)))).toBeUndefined();
    }
  });
});
