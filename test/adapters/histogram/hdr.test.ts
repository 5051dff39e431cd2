import { describe, expect, test } from '@jest/globals';
import { hdrHistograms } from '../../../src/adapters/histogram/hdr.ts';

const histograms = hdrHistograms();
const of = (values: readonly number[]) => {
  const histogram = histograms.create();
  for (const value of values) histogram.record(value);
  return histogram;
};

describe('a histogram', () => {
  test('has no values at first, and says 0', () => {
    const empty = histograms.create();
    expect([empty.count, empty.at(95), empty.mean, empty.max]).toEqual([0, 0, 0, 0]);
  });

  test('gives percentiles to three digits', () => {
    const histogram = of(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(histogram.count).toBe(1_000);
    expect(Math.abs(histogram.at(95) - 950)).toBeLessThan(1);
    expect(Math.abs(histogram.at(99) - 990)).toBeLessThan(1);
    expect(Math.abs(histogram.mean - 500.5)).toBeLessThan(0.5);
    expect(histogram.max).toBeGreaterThanOrEqual(1_000);
  });

  test('takes what is shorter than a microsecond and longer than a day', () => {
    const histogram = of([0, 1e12]);
    expect(histogram.count).toBe(2);
    expect(histogram.at(1)).toBe(0.001);
  });

  test('eight that are merged are exactly the one', () => {
    const values = Array.from({ length: 8_000 }, (_, index) => ((index * 7_919) % 5_000) / 3);
    const merged = histograms.create();
    for (let shard = 0; shard < 8; shard++) {
      const own = of(values.filter((_, index) => index % 8 === shard));
      merged.add(histograms.decode(own.encode()));
    }
    expect(merged.encode()).toBe(of(values).encode());
  });
});
