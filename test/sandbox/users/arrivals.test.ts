import { expect, test } from '@jest/globals';
import { seededChance } from '../../../sandbox/plane/chance.ts';
import { gapsBetween } from '../../../sandbox/users/arrivals.ts';

const COUNT = 20_000;
const gaps = (arrivals: 'poisson' | 'uniform', seed = 'a'): number[] =>
  Array.from({ length: COUNT }, gapsBetween(arrivals, 50, seededChance(seed)));
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('uniform arrivals are all alike', () => {
  expect(new Set(gaps('uniform'))).toEqual(new Set([20]));
});

test('Poisson arrivals have exponential gaps: the mean of the rate, and as much spread as mean', () => {
  const drawn = gaps('poisson');
  const mean = meanOf(drawn);
  const deviation = Math.sqrt(meanOf(drawn.map((gap) => (gap - mean) ** 2)));
  // 4 standard errors of the mean of an exponential.
  expect(Math.abs(mean - 20)).toBeLessThan((4 * 20) / Math.sqrt(COUNT));
  expect(Math.abs(deviation - 20)).toBeLessThan(1.5);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
});

test('the same seed gives the same arrivals, another seed others', () => {
  expect(gaps('poisson', 'a')).toEqual(gaps('poisson', 'a'));
  expect(gaps('poisson', 'a')).not.toEqual(gaps('poisson', 'b'));
});
