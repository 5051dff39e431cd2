import { describe, expect, test } from '@jest/globals';
import { type PairedBlocks, bucketOf, newPairedBlocks, timeOf } from '../../../src/domain/load/blocks.ts';
import { isPairable, judgePaired } from '../../../src/domain/load/judge-paired.ts';
import type { Measured } from '../../../src/domain/load/measured.ts';
import { pairedInterval } from '../../../src/domain/load/paired-interval.ts';
import { readLoadRule } from '../../../src/domain/load/rule.ts';

/** mulberry32: chance that is the same at every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface World {
  readonly seed?: number;
  /** Answers of each side; 50 a second. */
  readonly each?: number;
  /** The new release takes so many times as long. */
  readonly slower?: number;
  /** Shares of answers that fail. */
  readonly errors?: { readonly own: number; readonly stable: number };
  /** Both sides are this many times slower in the second half: the machine is busy. */
  readonly busy?: number;
}

/** Times of answers are log-normal around 80 ms. */
function shared({ seed = 1, each = 2_000, slower = 1, errors = { own: 0, stable: 0 }, busy = 1 }: World): PairedBlocks {
  const random = chance(seed);
  const blocks = newPairedBlocks();
  for (let index = 0; index < each; index++) {
    for (const side of ['own', 'stable'] as const) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const time = 80 * Math.exp(0.5 * normal) * (side === 'own' ? slower : 1) * (index > each / 2 ? busy : 1);
      const error = random() < errors[side] ? 'HTTP 500' : undefined;
      blocks.add(side, { scenario: 'shop', response: time, service: time, error }, index * 20);
    }
  }
  return blocks;
}

const judged = (text: string, blocks: PairedBlocks, scenario?: string) => {
  const read = readLoadRule(text);
  if (!read.ok) throw new Error(read.problem);
  const rule = { ...read.rule, level: 'fail' as const, at: [], ...(scenario === undefined ? {} : { scenario }) };
  if (!isPairable(rule)) throw new Error(`${text} is not for pairs`);
  const count = (side: 'own' | 'stable') => blocks.pairs().reduce((sum, pair) => sum + pair[side].requests, 0);
  const times = { p50: 80, p75: 110, p90: 150, p95: 180, p99: 260, p999: 400, max: 500, mean: 90 };
  const measured = (requests: number): Measured => ({ requests, errors: 0, response: times, service: times, rate: 50 });
  return judgePaired(rule, { blocks, own: measured(count('own')), stable: measured(count('stable')) });
};

describe('a rule against the other half of the load', () => {
  test.each<{ name: string; text: string; world: World; outcome: string; words: RegExp }>([
    {
      name: 'is kept by the same release',
      text: 'p95 > stable + 20%',
      world: {},
      outcome: 'kept',
      words:
        /^p95 180ms beside stable 180ms: x[\d.]+, at most x1\.\d\d with 95 % confidence, limit stable \+ 20% \(n=2000, stable n=2000\)$/,
    },
    {
      name: 'is broken by one that is a half slower',
      text: 'p95 > stable + 20%',
      world: { slower: 1.5 },
      outcome: 'broken',
      words: /: x1\.\d\d, at least x1\.[2-4]\d with 95 % confidence/,
    },
    {
      name: 'is not decided by a difference that may be chance',
      text: 'p95 > stable + 1%',
      world: { each: 300 },
      outcome: 'unknown',
      words: /between x0\.\d\d and x1\.\d\d with 95 % confidence.*: that is not decided\. Send more, or allow more$/,
    },
    {
      name: 'is kept while the machine becomes three times slower for both',
      text: 'p95 > stable + 20%',
      world: { busy: 3, each: 4_000 },
      outcome: 'kept',
      words: /at most x1\.\d\d/,
    },
    {
      name: 'in milliseconds takes their difference',
      text: 'mean > stable + 5ms',
      world: { slower: 1.3 },
      outcome: 'broken',
      words: /: \+\d+ms, at least \+\d+ms with 95 % confidence, limit stable \+ 5ms/,
    },
    {
      name: 'of a median',
      text: 'p50 > stable + 10%',
      world: {},
      outcome: 'kept',
      words: /^p50 80ms/,
    },
    {
      name: 'of the service time',
      text: 'service-mean > stable + 10%',
      world: {},
      outcome: 'kept',
      words: /^service-mean 90ms/,
    },
    {
      name: 'needs ten answers beyond a percentile on each side',
      text: 'p99 > stable + 50%',
      world: { each: 999 },
      outcome: 'unknown',
      words: /^p99 > stable \+ 50% cannot be compared by 999 answers of a side: it needs 1000\. Send more$/,
    },
    {
      name: 'needs stretches to compare',
      text: 'mean > stable + 10%',
      world: { each: 9, slower: 5 },
      outcome: 'unknown',
      words: /needs 20/,
    },
    {
      name: 'of errors is broken by many more',
      text: 'error-rate > stable + 1pp',
      world: { errors: { own: 0.06, stable: 0.01 } },
      outcome: 'broken',
      words:
        /^error-rate \+\d\.\d+ pp from stable, at least \+\d\.\d+ pp with 95 % confidence, limit stable \+ 1pp \(n=2000/,
    },
    {
      name: 'of errors is kept by the same share',
      text: 'error-rate > stable + 3pp',
      world: { errors: { own: 0.01, stable: 0.01 } },
      outcome: 'kept',
      words: /at most \+\d\.?\d* pp/,
    },
    {
      name: 'of errors is not kept by too few answers without one',
      text: 'error-rate > stable + 0.1pp',
      world: { each: 500 },
      outcome: 'unknown',
      words: /that is not decided/,
    },
    {
      name: 'of errors as a share of stable',
      text: 'error-rate > stable + 50%',
      world: { errors: { own: 0.2, stable: 0.05 } },
      outcome: 'broken',
      words: /from x1\.50 of stable/,
    },
  ])('$name', ({ text, world, outcome, words }) => {
    const judgement = judged(text, shared(world));
    expect(judgement.outcome).toBe(outcome);
    expect(judgement.words).toMatch(words);
  });

  test('of one scenario looks at it alone', () => {
    const blocks = shared({});
    for (let index = 0; index < 2_000; index++) {
      for (const side of ['own', 'stable'] as const) {
        const time = side === 'own' ? 300 : 100;
        blocks.add(side, { scenario: 'hub', response: time, service: time, error: undefined }, index * 20);
      }
    }
    expect(judged('p50 > stable + 20%', blocks, 'shop').outcome).toBe('kept');
    expect(judged('p50 > stable + 20%', blocks, 'hub')).toMatchObject({ outcome: 'broken' });
  });

  test('says the same at every look: chance is not asked', () => {
    const texts = [1, 2].map(() => judged('p95 > stable + 10%', shared({ each: 500 })).words);
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('the interval', () => {
  test('holds the truth about as often as it says: each bound is missed in 5 % of loads', () => {
    const loads = 150;
    const missed = { low: 0, high: 0 };
    for (let seed = 1; seed <= loads; seed++) {
      const pairs = shared({ seed, each: 400, busy: 2 }).pairs();
      const interval = pairedInterval(pairs, { time: 'response', of: 0.95, as: 'ratio' });
      if ((interval?.low ?? Infinity) > 1) missed.low += 1;
      if ((interval?.high ?? 0) < 1) missed.high += 1;
    }
    // 7.5 of 150 are expected; more than 15 would happen once in 150 such tests, by chance alone.
    expect(missed.low).toBeLessThanOrEqual(15);
    expect(missed.high).toBeLessThanOrEqual(15);
    expect(missed.low + missed.high).toBeGreaterThan(2);
  });

  test.each([
    ['no pair', []],
    [
      'one side alone',
      shared({ each: 500 })
        .pairs()
        .map((pair) => ({ ...pair, stable: { ...pair.stable, requests: 0 } })),
    ],
  ])('there is none of %s', (_name, pairs) => {
    expect(pairedInterval(pairs, { time: 'response', of: 'mean', as: 'ratio' })).toBeUndefined();
  });
});

describe('the stretches of a shared load', () => {
  test.each([
    ['a second', 50],
    ['a minute', 3_000],
    ['an hour', 180_000],
  ])('are 20 to 40 after %s, and hold every answer', (_name, each) => {
    const blocks = newPairedBlocks();
    for (let index = 0; index < each; index++)
      blocks.add('own', { scenario: 'a', response: 5, service: 4, error: undefined }, index * 20);
    const pairs = blocks.pairs();
    expect(pairs.length).toBeGreaterThanOrEqual(20);
    expect(pairs.length).toBeLessThanOrEqual(40);
    expect(pairs.reduce((sum, { own }) => sum + own.requests, 0)).toBe(each);
    expect(pairs.reduce((sum, { own }) => sum + [...own.response.counts.values()].reduce((a, b) => a + b, 0), 0)).toBe(
      each,
    );
  });

  test('a bucket is a fifth of a percent wide', () => {
    for (const value of [0.01, 1, 79.3, 1_234, 86_400_000])
      expect(Math.abs(timeOf(bucketOf(value)) / value - 1)).toBeLessThan(0.00101);
  });
});
