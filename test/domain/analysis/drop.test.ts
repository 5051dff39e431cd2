import { describe, expect, test } from '@jest/globals';
import { chanceOf, poisson } from '../../../bench/analysis/chance.ts';
import { dropOf, isShared } from '../../../src/domain/analysis/drop.ts';
import { type Reading, type Sample, withShare } from '../../../src/domain/analysis/sample.ts';
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
const dropIn = (samples: readonly Sample[]) => dropOf({ samples, interval: INTERVAL, timeout: minutes(2) });
const drop = (readings: readonly (number | Reading)[]) => dropIn(looks(readings));

describe('requests that fall away', () => {
  test('are seen within a minute, though a check of ours is still answered, and since they fell', () => {
    const fallen = drop([...times(20, 30), ...times(4, 1)]);
    expect(fallen).toMatchObject({
      since: BEGIN + 20 * INTERVAL,
      to: BEGIN + 24 * INTERVAL,
      requests: 4,
      within: minutes(1),
      usual: 120,
    });
    expect(drop([...times(20, 30), ...times(3, 1)])).toBeUndefined();
  });

  test('stay fallen for as long as next to nothing comes, however long ago that began', () => {
    expect(drop([...times(20, 30), ...times(100, 1)])).toMatchObject({ since: BEGIN + 20 * INTERVAL, usual: 120 });
  });

  test('are over when they come again', () => {
    expect(drop([...times(20, 30), ...times(8, 1), ...times(4, 12)])).toBeUndefined();
  });

  test('are none when a step has just given it more', () => {
    expect(drop([...times(20, 60), ...times(20, 300)])).toBeUndefined();
  });

  /** So many looks at such a share of 300 requests a look. */
  const steps = (...parts: readonly (readonly [looks: number, percent: number, requests: number])[]) =>
    parts.flatMap(([many, percent, each]) => times(many, { percent, requests: each })).map(({ percent, requests: samples }, index): Sample => ({ ...(looks(times(index + 1, samples)).at(-1) as Sample), percent })); // prettier-ignore

  test.each([
    { name: 'in the middle of a step, by what came in it', parts: [[20, 10, 30], [8, 50, 150], [6, 50, 4]] as const, usual: 600 },
    { name: 'as a step begins, by what came before it', parts: [[20, 10, 30], [6, 50, 1]] as const, usual: 120 },
    { name: 'as a steep step begins', parts: [[20, 5, 15], [6, 95, 1]] as const, usual: 60 },
    { name: 'after the last step', parts: [[20, 10, 30], [20, 50, 150], [3, 100, 300], [6, 100, 4]] as const, usual: 600 },
  ])('are seen $name', ({ parts, usual }) => {
    expect(dropIn(steps(...parts))).toMatchObject({ usual: expect.closeTo(usual) });
  }); // prettier-ignore

  test('are none of a source that has the same at any weight, as our own probes', () => {
    const all = steps([20, 5, 15], [20, 50, 15], [20, 100, 15]);
    for (let end = 1; end <= all.length; end++) expect(dropIn(all.slice(0, end))).toBeUndefined();
  });

  test('are none of clients that stay where they are for a while', () => {
    const all = steps([20, 5, 15], [4, 50, 17], [4, 50, 30], [20, 50, 150], [4, 100, 150], [20, 100, 300]);
    for (let end = 1; end <= all.length; end++) expect(dropIn(all.slice(0, end))).toBeUndefined();
  });

  test('are none in steps that follow the weights', () => {
    const all = steps([20, 5, 15], [20, 60, 180], [20, 100, 300]);
    for (let end = 1; end <= all.length; end++) expect(dropIn(all.slice(0, end))).toBeUndefined();
  });

  test('are seen where nobody knows the share, too, against no more than what half of all looks had', () => {
    expect(drop([...times(20, 60), ...times(10, 300), ...times(4, 1)])).toMatchObject({ requests: 4, usual: 240 });
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

  test.each([
    { name: 'one look of a retry storm', burst: times(1, 800) },
    { name: 'half a minute of warming up', burst: times(2, 400) },
    { name: 'a minute of a scanner', burst: times(4, 200) },
    { name: 'two minutes of a batch', burst: times(8, 100) },
  ])('are not what follows $name', ({ burst }) => {
    for (const quiet of [1, 4, 8, 40, 200])
      expect(drop([...times(12, 10), ...burst, ...times(quiet, 10)])).toBeUndefined();
  }); // prettier-ignore

  describe('of a source with minutes', () => {
    /** Looked at four times each, and known so late. */
    const minutely = (counts: readonly number[]): readonly Sample[] =>
      counts.flatMap((samples, minute) =>
        [0, 1, 2, 3].map((quarter) => ({
          series: 'error-rate', at: instant(BEGIN + (minute + 2) * minutes(1) + quarter * INTERVAL), to: instant(BEGIN + (minute + 1) * minutes(1)), window: minutes(1), reading: requests(samples),
        })),
      ); // prettier-ignore

    test('are two of its minutes, and how late it is, is no silence', () => {
      expect(dropIn(minutely([...times(6, 120), 4, 6]))).toMatchObject({ since: BEGIN + minutes(6), to: BEGIN + minutes(8), requests: 10, within: minutes(2), usual: 240 });
    }); // prettier-ignore

    test.each([
      { name: 'one low minute', counts: [...times(6, 120), 4, 120] },
      { name: 'one low minute, as the newest', counts: [...times(6, 60), 4] },
      { name: 'one minute that is not there yet', counts: [...times(6, 120), 0] },
      { name: 'a client with a clock', counts: [400, 10, 10, 10, 10, 400, 10, 10, 10, 10, 400, 10, 10] },
    ])('are not $name', ({ counts }) => {
      for (let end = 1; end <= counts.length; end++) expect(dropIn(minutely(counts.slice(0, end)))).toBeUndefined();
    });

    test('are each taken as it was known last', () => {
      const [first = [], then = []] = [
        [...times(6, 120), 4, 8],
        [...times(6, 120), 110, 118],
      ].map(minutely);
      expect(dropIn([...first, ...then.slice(-8)])).toBeUndefined();
    });
  });

  test.each([0.3, 2, 8, 30, 300])('are never seen in traffic that only varies: %d requests a look', (rate) => {
    const chance = chanceOf(rate * 10);
    for (let release = 0; release < 60; release++) {
      expect(drop(Array.from({ length: 120 }, () => poisson(rate, chance)))).toBeUndefined();
    }
  });
});

describe('a fall that stable has, too', () => {
  const fallen = drop([...times(20, 30), ...times(8, 1)]);
  const at = (parts: readonly (readonly [looks: number, percent: number, requests: number])[]): readonly Sample[] =>
    looks(parts.flatMap(([many, , each]) => times(many, each))).map((sample, index) => ({ ...sample, percent: parts.flatMap(([many, percent]) => times(many, percent))[index] ?? 0 })); // prettier-ignore
  test.each([
    { name: 'is one of users', parts: [[20, 10, 270], [8, 10, 20]] as const, shared: true },
    { name: 'is none while stable has its own', parts: [[20, 10, 270], [8, 10, 250]] as const, shared: false },
    { name: 'is none where a steep step leaves stable what it should', parts: [[20, 5, 285], [8, 95, 15]] as const, shared: false },
    { name: 'is one of users in a step, too', parts: [[20, 10, 270], [8, 50, 10]] as const, shared: true },
    { name: 'is the same at 100 %, by what stable had until then', parts: [[20, 50, 150], [4, 50, 10], [4, 100, 1]] as const, shared: true },
    { name: 'is none at 100 % because stable has only our checks there', parts: [[20, 50, 150], [8, 100, 1]] as const, shared: false },
    { name: 'is not known where stable has no answer', parts: [[20, 10, 270], [8, 10, 0]] as const, shared: false },
    { name: 'is not known where stable never had anybody', parts: [[28, 10, 0]] as const, shared: false },
  ])('$name', ({ parts, shared }) => {
    expect(fallen && isShared(fallen, at(parts))).toBe(shared);
  }); // prettier-ignore
});

describe('the share of a look', () => {
  const shares = [
    { since: instant(BEGIN), percent: 10 },
    { since: instant(BEGIN + 10 * INTERVAL), percent: 50 },
  ];
  const [early, late] = [looks(times(10, 1)).at(-1), looks(times(11, 1)).at(-1)];
  test('is what the candidate had as its window began; before all that is known, nothing is said', () => {
    expect(early && withShare(early, shares).percent).toBe(10);
    expect(late && withShare(late, shares).percent).toBe(50);
    expect(early && withShare(early, shares.slice(1)).percent).toBeUndefined();
  });
});
