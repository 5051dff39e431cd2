import { describe, expect, test } from '@jest/globals';
import { binomialTail, lowerBound } from '../../../src/domain/analysis/binomial.ts';

describe('the exact bound of a rate', () => {
  // Clopper-Pearson intervals as in textbooks: the two-sided 95 % interval has the one-sided 97.5 % bound as its lower end.
  test.each([
    { name: '6 of 20', n: 20, k: 6, confidence: 0.975, bound: 0.1189 },
    { name: '1 of 10', n: 10, k: 1, confidence: 0.975, bound: 0.0025 },
    { name: 'all of 10, which is the tenth root of 2.5 %', n: 10, k: 10, confidence: 0.975, bound: 0.6915 },
    { name: '10 of 100', n: 100, k: 10, confidence: 0.975, bound: 0.049 },
    { name: 'none of 50', n: 50, k: 0, confidence: 0.999, bound: 0 },
  ])('is right for $name', ({ n, k, confidence, bound }) => {
    expect(lowerBound({ n, k, confidence })).toBeCloseTo(bound, 3);
  });

  test('is the rate at which so many failures become rare', () => {
    const bound = lowerBound({ n: 412, k: 128, confidence: 0.999 });
    expect(binomialTail({ n: 412, k: 128, p: bound })).toBeCloseTo(0.001, 6);
  });

  test('stays exact for many requests', () => {
    expect(lowerBound({ n: 1_000_000, k: 50_000, confidence: 0.999 })).toBeCloseTo(0.04933, 4);
  });
});

describe('the tail of a binomial', () => {
  test.each([
    { name: 'one of three coins', n: 3, k: 1, p: 0.5, tail: 0.875 },
    { name: 'all of three coins', n: 3, k: 3, p: 0.5, tail: 0.125 },
    { name: 'nothing is asked for', n: 3, k: 0, p: 0.5, tail: 1 },
    { name: 'more than there are', n: 3, k: 4, p: 0.5, tail: 0 },
    { name: 'a rate of zero', n: 3, k: 1, p: 0, tail: 0 },
    { name: 'a rate of one', n: 3, k: 3, p: 1, tail: 1 },
  ])('is right when $name', ({ n, k, p, tail }) => {
    expect(binomialTail({ n, k, p })).toBeCloseTo(tail, 10);
  });
});
