import { describe, expect, test } from '@jest/globals';
import { type LoadEvidence, judgeLoad, samplesFor } from '../../../src/domain/load/judge-load.ts';
import type { Generator, Measured, Times } from '../../../src/domain/load/measured.ts';
import { type LoadRule, readLoadRule } from '../../../src/domain/load/rule.ts';

const times = (value: number): Times => ({
  p50: value / 4,
  p75: value / 3,
  p90: value / 2,
  p95: value,
  p99: value * 2,
  p999: value * 3,
  max: value * 4,
  mean: value / 2,
});
const measured = (more: Partial<Measured> = {}): Measured => ({
  requests: 10_000,
  errors: 0,
  response: times(400),
  service: times(300),
  rate: 100,
  ...more,
});
const generator: Generator = { planned: 10_000, started: 10_000, lagP99: 1, busy: 0.2, waited: 0, ended: 'plan' };

const rule = (text: string, scenario?: string): LoadRule => {
  const [, level, rest = ''] = /^(fail|warn): (.*)$/.exec(text) ?? [];
  const read = readLoadRule(rest);
  if (!read.ok) throw new Error(read.problem);
  return { ...read.rule, level: level as 'fail' | 'warn', at: [], ...(scenario === undefined ? {} : { scenario }) };
};

const judged = (rules: readonly LoadRule[], more: Partial<LoadEvidence> = {}) => {
  const all = measured();
  const model = { kind: 'open', phases: [], concurrency: 1 } as const;
  return judgeLoad(rules, { all, scenarios: new Map(), generator, model, ...more });
};

describe('a rule', () => {
  test.each([
    { name: 'that holds passes', text: 'fail: p95 > 500ms', verdict: 'pass', words: 'p95 400ms <= 500ms (n=10000)' },
    { name: 'that is broken fails', text: 'fail: p95 > 300ms', verdict: 'fail', words: 'p95 400ms > 300ms (n=10000)' },
    {
      name: 'that only warns warns',
      text: 'warn: mean > 0.1s',
      verdict: 'warn',
      words: 'mean 200ms > 100ms (n=10000)',
    },
    {
      name: 'of the service time',
      text: 'fail: service-p95 > 350ms',
      verdict: 'pass',
      words: 'service-p95 300ms <= 350ms (n=10000)',
    },
    { name: 'of the rate', text: 'fail: requests < 1000/s', verdict: 'fail', words: 'rate 100/s < 1000/s (n=10000)' },
    { name: 'at its limit', text: 'fail: p95 >= 400ms', verdict: 'fail', words: 'p95 400ms >= 400ms (n=10000)' },
  ])('$name', ({ text, verdict, words }) => {
    const judgement = judged([rule(text)]);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.rules.map((each) => each.words)).toEqual([words]);
  });

  test('of errors counts them', () => {
    const all = measured({ errors: 13 });
    expect(judged([rule('fail: error-rate > 0.1%')], { all })).toMatchObject({
      verdict: 'fail',
      rules: [{ outcome: 'broken', words: 'error-rate 0.13% > 0.1% (n=10000)' }],
    });
  });

  test.each([
    { name: 'are a warning where no rule speaks of them', errors: 3, texts: ['fail: p95 > 500ms'], verdict: 'warn' },
    { name: 'fail where every answer was one', errors: 10_000, texts: ['warn: p95 > 500ms'], verdict: 'fail' },
    { name: 'are what a rule says, where one does', errors: 3, texts: ['fail: error-rate > 1%'], verdict: 'pass' },
  ])('errors $name', ({ errors, texts, verdict }) => {
    const found = judged(texts.map((text) => rule(text)), { all: measured({ errors }) }); // prettier-ignore
    expect(found.verdict).toBe(verdict);
    expect(found.rules.filter(({ rule: { text } }) => text === 'error-rate > 0%')).toHaveLength(
      verdict === 'pass' ? 0 : 1,
    );
  });

  test('errors of a scenario are not covered by the rule of another one', () => {
    const scenarios = new Map([
      ['cart', measured({ requests: 1_000 })],
      ['login', measured({ requests: 1_000, errors: 1_000 })],
    ]);
    const found = judged([rule('fail: error-rate > 1%', 'cart')], { all: measured({ errors: 1_000 }), scenarios });
    expect(found.verdict).toBe('fail');
    expect(found.rules.at(-1)).toMatchObject({ rule: { level: 'fail', scenario: 'login' }, outcome: 'broken' });
  });

  test('of one scenario looks at it alone', () => {
    const scenarios = new Map([['hub', measured({ response: times(90), requests: 500 })]]);
    expect(judged([rule('fail: p95 > 100ms', 'hub')], { scenarios })).toMatchObject({
      verdict: 'pass',
      rules: [{ words: 'p95 of hub 90ms <= 100ms (n=500)' }],
    });
  });

  test.each([
    {
      name: 'a share',
      text: 'fail: p95 > stable + 10%',
      verdict: 'fail',
      words: 'p95 400ms > 330ms (stable + 10%) (n=10000)',
    },
    {
      name: 'milliseconds',
      text: 'fail: p95 > stable + 150ms',
      verdict: 'pass',
      words: 'p95 400ms <= 450ms (stable + 150ms) (n=10000)',
    },
    {
      name: 'percentage points',
      text: 'fail: error-rate > stable + 0.1pp',
      verdict: 'pass',
      words: 'error-rate 0% <= 0.1% (stable + 0.1pp) (n=10000)',
    },
  ])('against stable, by $name', ({ text, verdict, words }) => {
    const stable = { all: measured({ response: times(300) }), scenarios: new Map<string, Measured>() };
    const judgement = judged([rule(text)], { stable });
    expect(judgement).toMatchObject({ verdict, rules: [{ words }] });
  });
});

describe('nothing can be said', () => {
  test.each<{ name: string; text: string; more: Partial<LoadEvidence>; says: string }>([
    {
      name: 'without an answer',
      text: 'fail: p95 > 1s',
      more: { all: measured({ requests: 0 }) },
      says: 'nothing was measured: no request was sent. Look at the plan of the load',
    },
    {
      name: 'by 100 answers of a p99',
      text: 'fail: p99 > 1s',
      more: { all: measured({ requests: 100 }) },
      says: 'p99 > 1s cannot be shown by 100 answers: it needs 299. Send more, or claim less',
    },
    {
      name: 'by 100 answers of one error in a thousand',
      text: 'fail: error-rate > 0.1%',
      more: { all: measured({ requests: 100 }) },
      says: 'error-rate > 0.1% cannot be shown by 100 answers: it needs 2995. Send more, or claim less',
    },
    {
      name: 'of a scenario that nobody met',
      text: 'fail: p95 > 1s',
      more: {},
      says: 'p95 > 1s of hub: nothing was measured',
    },
    {
      name: 'against a stable release that was not measured',
      text: 'fail: p95 > stable + 10%',
      more: {},
      says: 'p95 > stable + 10%: nothing of the stable release was measured. Give a baseline, or `stable` in the load',
    },
    {
      name: 'by a generator that was late',
      text: 'fail: p95 > 1s',
      more: { generator: { ...generator, lagP99: 148 } },
      says: 'the generator was too slow: 99 % of the arrivals within 148ms of their plan, limit 100ms. Use a larger runner, or split the load',
    },
    {
      name: 'of a broken limit by a generator that was a little late',
      text: 'fail: p95 > 300ms',
      more: { generator: { ...generator, lagP99: 48 } },
      says: 'p95 400ms > 300ms (n=10000), but the generator was disturbed (lag p99 48ms). Use a larger runner, or split the load',
    },
    {
      name: 'by a generator that left arrivals out',
      text: 'fail: p95 > 1s',
      more: { generator: { ...generator, started: 9_900 } },
      says: 'only 9900 of 10000 arrivals were started. Use a larger runner, or split the load',
    },
    {
      name: 'once the budget is used up',
      text: 'fail: p95 > 1s',
      more: { generator: { ...generator, started: 10, ended: 'budget' } },
      says: 'the budget of requests was used up before the plan was done. Raise max-requests, or plan less',
    },
    {
      name: 'of a rate that the generator could not make',
      text: 'fail: requests < 1000/s',
      more: { generator: { ...generator, busy: 0.97 } },
      says: 'rate 100/s < 1000/s (n=10000), but the generator was busy for 97 % of the time. Use a larger runner, or split the load',
    },
  ])('$name', ({ text, more, says }) => {
    const scenario = says.includes(' of hub') ? 'hub' : undefined;
    const judgement = judged([rule(text, scenario)], more);
    expect(judgement).toMatchObject({ verdict: 'invalid', invalid: [says] });
  });

  test('a warning that cannot be shown is a warning, not a pass', () => {
    expect(judged([rule('warn: p99 > 1s')], { all: measured({ requests: 100 }) }).verdict).toBe('warn');
  });

  test('errors are no doing of a slow generator: they fail', () => {
    const more = { all: measured({ errors: 5_000 }), generator: { ...generator, lagP99: 48 } };
    expect(judged([rule('fail: error-rate > 1%'), rule('fail: p95 > 10ms')], more)).toMatchObject({
      verdict: 'fail',
      rules: [{ outcome: 'broken' }, { outcome: 'unknown' }],
    });
  });

  test('a percentile over its limit fails with few answers, too', () => {
    expect(judged([rule('fail: p99 > 10ms')], { all: measured({ requests: 20 }) }).verdict).toBe('fail');
  });

  test('a limit that holds although the generator was a little late holds', () => {
    expect(judged([rule('fail: p95 > 500ms')], { generator: { ...generator, lagP99: 48 } }).verdict).toBe('pass');
  });

  test('a closed load has no plan to be late for', () => {
    const model = { kind: 'closed', concurrency: 10 } as const;
    expect(judged([rule('fail: p95 > 1s')], { model, generator: { ...generator, lagP99: 199 } }).verdict).toBe('pass');
  });
});

test.each([
  { text: 'fail: p50 > 1s', needs: 5 },
  { text: 'fail: p95 > 1s', needs: 59 },
  { text: 'fail: p99 > 1s', needs: 299 },
  { text: 'fail: error-rate > 5%', needs: 59 },
  { text: 'fail: error-rate > 0.1%', needs: 2_995 },
  { text: 'fail: error-rate > 0%', needs: 1 },
  { text: 'fail: mean > 1s', needs: 20 },
  { text: 'fail: requests < 1/s', needs: 1 },
])('$text needs $needs answers', ({ text, needs }) => {
  const read = rule(text);
  expect(samplesFor(read, read.limit.kind === 'fixed' ? read.limit.value : 0)).toBe(needs);
});
