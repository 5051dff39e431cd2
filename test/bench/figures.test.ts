import { describe, expect, test } from '@jest/globals';
import { figureTable, holds, median } from '../../bench/figures.ts';

describe('the figures of a benchmark', () => {
  test.each([
    ['an odd count', [3, 1, 2], 2],
    ['an even count gives one that was measured', [4, 1, 3, 2], 2],
    ['one', [7], 7],
    ['none', [], Number.NaN],
  ])('the median of %s', (_, values, middle) => {
    expect(median(values)).toBe(middle);
  });

  test.each([
    ['below', 5, true],
    ['at', 6, true],
    ['above', 6.01, false],
    ['not measured', Number.NaN, false],
  ])('%s the goal', (_, value, verdict) => {
    expect(holds({ name: 'size', value, unit: 'MB', goal: 6 })).toBe(verdict);
  });

  test('a line per figure, with its goal, its comparison as a ratio and its verdict', () => {
    const table = figureTable([
      { name: 'size', value: 2.076, unit: 'MB', goal: 6 },
      { name: 'start', value: 82, unit: 'ms', goal: 60, comparison: { name: 'bare Node', value: 20 } },
    ]);
    expect(table.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      'figure | measured | goal | beside it',
      'size | 2.08 MB | <= 6 MB | holds',
      'start | 82 ms | <= 60 ms | bare Node 20 ms (x4.1) | MISSED',
    ]);
  });
});
