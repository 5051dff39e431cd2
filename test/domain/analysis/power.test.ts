import { expect, test } from '@jest/globals';
import { powerWords } from '../../../src/domain/analysis/power.ts';
import { policyOf } from '../policy/policies.ts';

const from = { from: 'prometheus', url: 'http://p', bad: 'b{color="{color}"}', total: 't{color="{color}"}' };
const policy = policyOf(['error-rate > 5% for 2m', 'error-rate > stable + 0.1pp'], { metrics: { 'error-rate': from } });

test('a power check says what each step sees, and how long the margin would take', () => {
  expect(powerWords(policy, { requestsPerSecond: 50, errorRate: 0.005 })).toEqual([
    'error-rate > stable + 0.1pp: at 50 requests/s and 0.5 % errors, 10 % sees +1.1 pp in 5m, 50 % sees +0.66 pp in 5m; + 0.1pp takes about 2h17m at 50 %',
  ]);
});

test('few requests are said of limits too', () => {
  expect(powerWords(policy, { requestsPerSecond: 1, errorRate: 0 })).toEqual([
    'error-rate > 5% for 2m: at 1 requests/s and 0 % errors, 10 % needs 3m for 20 requests',
    expect.stringMatching(/^error-rate > stable \+ 0\.1pp: at 1 requests\/s and 0 % errors, 10 % sees \+\d+/),
  ]);
});

test('more requests see a smaller difference', () => {
  const seen = [5, 50, 500].map((requestsPerSecond) => {
    const [line = ''] = powerWords(policy, { requestsPerSecond, errorRate: 0.005 }).slice(-1);
    return Number(/50 % sees \+([\d.]+) pp/.exec(line)?.[1]);
  });
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
  expect(new Set(seen).size).toBe(3);
});

test('probes make their own requests, so nothing is said of them', () => {
  expect(powerWords(policyOf(['error-rate > 5%']), { requestsPerSecond: 0.1, errorRate: 0 })).toEqual([]);
});
