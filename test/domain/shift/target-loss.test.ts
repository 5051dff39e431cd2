import { describe, expect, test } from '@jest/globals';
import type { Reading } from '../../../src/domain/analysis/sample.ts';
import { countsAfter, isWornOut, lossOf, standingAfter, withTargets } from '../../../src/domain/shift/target-loss.ts';

describe('the loss of targets', () => {
  test.each([
    { name: 'nothing seen', counts: [], is: undefined, worn: false },
    { name: 'all of them still there', counts: [2, 2, 2], is: { most: 2, now: 2, lost: 0 }, worn: false },
    { name: 'more than at the beginning', counts: [2, 4], is: { begun: 2, most: 4, now: 4, lost: 0 }, worn: false },
    { name: 'one gone', counts: [2, 1], is: { most: 2, now: 1, lost: 1 }, worn: false },
    { name: 'one gone and replaced', counts: [2, 1, 2], is: { most: 2, now: 2, lost: 1 }, worn: false },
    { name: 'one after the other', counts: [2, 1, 2, 1, 2], is: { most: 2, now: 2, lost: 2 }, worn: true },
    { name: 'all at once', counts: [2, 0], is: { most: 2, now: 0, lost: 2 }, worn: true },
    { name: 'none to begin with', counts: [0, 1, 0], is: { begun: 0, most: 1, now: 0, lost: 1 }, worn: true },
    { name: 'never any', counts: [0, 0], is: { most: 0, now: 0, lost: 0 }, worn: false },
    { name: 'some of the many that followed', counts: [2, 3, 4, 20, 19, 18], is: { begun: 2, most: 20, lost: 2 }, worn: false },
    { name: 'each of four once', counts: [4, 3, 4, 3, 4, 3, 4, 3], is: { most: 4, now: 3, lost: 4 }, worn: true },
  ])('with $name', ({ counts, is, worn }) => {
    const loss = lossOf(counts);
    expect({ loss }).toMatchObject({ loss: is });
    expect(loss !== undefined && isWornOut(loss)).toBe(worn);
  }); // prettier-ignore

  test.each([
    { name: 'fewer with the load', counts: [10, 8, 6, 2], lost: 0, worn: false },
    { name: 'some that were replaced', counts: [4, 3, 4, 3, 4], lost: 2, worn: false },
    { name: 'all of them replaced', counts: [2, 1, 2, 1, 2], lost: 2, worn: true },
    { name: 'more than ever went', counts: [4, 3, 8], lost: 1, worn: false },
  ])('of a size that is free, with $name', ({ counts, lost, worn }) => {
    const loss = lossOf(counts, 'free');
    expect(loss).toMatchObject({ lost });
    expect(loss !== undefined && isWornOut(loss)).toBe(worn);
  });
});

describe('what a look adds to the counts', () => {
  const seen = (...members: readonly string[]) => ({ healthy: members.length, members });
  test.each([
    { name: 'the first one', before: undefined, now: seen('a', 'b'), adds: [2] },
    { name: 'nothing new', before: seen('a', 'b'), now: seen('b', 'a'), adds: [] },
    { name: 'one gone', before: seen('a', 'b'), now: seen('a'), adds: [1] },
    { name: 'one more', before: seen('a'), now: seen('a', 'b'), adds: [2] },
    { name: 'one replaced between the looks', before: seen('a', 'b'), now: seen('a', 'c'), adds: [1, 2] },
    { name: 'all replaced', before: seen('a', 'b'), now: seen('c', 'd'), adds: [0, 2] },
    { name: 'all replaced by fewer', before: seen('a', 'b', 'c'), now: seen('d'), adds: [0, 1] },
    { name: 'fewer, and nobody knows which', before: { healthy: 2 }, now: { healthy: 1 }, adds: [1] },
    { name: 'as many, and nobody knows which', before: { healthy: 2 }, now: seen('a', 'b'), adds: [] },
  ])('$name', ({ before, now, adds }) => {
    expect(countsAfter(before, now)).toEqual(adds);
  });
});

describe('a reading of health', () => {
  const good: Reading = { kind: 'value', value: 1, samples: 1 };
  test.each([
    { name: 'stays while all targets are there', reading: good, counts: [2, 2], value: 1 },
    { name: 'is the share of targets that are left', reading: good, counts: [4, 3], value: 0.75 },
    { name: 'stays where the check is worse', reading: { ...good, value: 0 }, counts: [4, 3], value: 0 },
    {
      name: 'stays when one of those that came with the load is replaced',
      reading: good,
      counts: [4, 20, 19],
      value: 1,
    },
    { name: 'is the share of the most when over half of them are gone', reading: good, counts: [2, 20, 8], value: 0.4 },
    { name: 'is there without a check', reading: { kind: 'no-data' } as Reading, counts: [4, 3], value: 0.75 },
  ])('$name', ({ reading, counts, value }) => {
    expect(withTargets(reading, lossOf(counts))).toMatchObject({ kind: 'value', value });
  });

  /** Looks: healthy ones of the registered ones. */
  test.each([
    { name: 'is whole when there are fewer with the load', looks: [[4, 4], [2, 2], [1, 1]], value: 1 },
    { name: 'is the share of those that are left of the registered ones', looks: [[10, 10], [9, 10], [5, 10], [1, 10]], value: 0.1 },
    { name: 'is whole while new ones start', looks: [[2, 2], [2, 8]], value: 1 },
    { name: 'is whole while new ones start after some were taken', looks: [[10, 10], [2, 2], [2, 8]], value: 1 },
    { name: 'is whole when one of those that came with the load is replaced', looks: [[4, 4], [20, 20], [19, 20]], value: 1 },
    { name: 'is the share of those that are left of what was not taken', looks: [[10, 10], [4, 4], [1, 4]], value: 0.25 },
    { name: 'of a source that tells no total is whole', looks: [[4, 0], [1, 0]], value: 1 },
  ])('of a size that is free $name', ({ looks, value }) => {
    const seen = looks.map(([healthy = 0, total = 0]) => ({ healthy, total }));
    const standing = seen.reduce<number | undefined>(standingAfter, undefined);
    const counts = seen.map(({ healthy }) => healthy);
    expect(withTargets(good, lossOf(counts, 'free'), standing)).toMatchObject({ kind: 'value', value });
  }); // prettier-ignore

  test('that could not be taken is no failure while all targets are there', () => {
    const error: Reading = { kind: 'error', message: 'refused' };
    expect(withTargets(error, lossOf([2, 2]))).toEqual(error);
  });
});
