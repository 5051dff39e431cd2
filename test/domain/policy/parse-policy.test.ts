import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { longestTime, shortestTime } from '../../../src/domain/policy/budget.ts';
import { parsePolicy } from '../../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';

const policyOf = (value: unknown): Policy => {
  const read = parsePolicy(value);
  expect(read).toMatchObject({ ok: true });
  return (read as { value: Policy }).value;
};
const problemsOf = (value: unknown): readonly { input: string; problem: string; nearest?: string }[] => {
  const read = parsePolicy(value);
  expect(read).toMatchObject({ ok: false });
  return (read as { problems: readonly { input: string; problem: string }[] }).problems;
};
const FAILS = ['fail: error-rate > 5% for 2m'];

describe('a policy', () => {
  test('is read whole, with windows, samples and units resolved', () => {
    const policy = policyOf(
      parse(`
steps: [10%, 50%, 100%]
bake: 5m
recheck: { after: 30s, for: 2m }
deadline: 30m
rollback-within: 2m
interval: 15s
rules:
  - fail: health fails 4 in a row
  - fail: error-rate > 5% for 2m
  - fail: p95 > 2s for 5m
    min-samples: 50
    window: 1m
  - warn: queue-depth >= 100
on-inconclusive: hold
on-no-data: continue
no-data-timeout: 90s
metrics:
  health: { from: probe, path: /ready }
  error-rate: { from: web, url: 'https://metrics/{target-group}', value: $.rate, samples: $.n }
  queue-depth: { from: web, url: 'https://metrics/q', value: $.depth }
`),
    );
    expect(policy).toMatchObject({
      steps: [10, 50, 100],
      bake: 300_000,
      recheck: { after: 30_000, for: 120_000 },
      deadline: 1_800_000,
      rollbackWithin: 120_000,
      onInconclusive: 'hold',
      onNoData: 'continue',
      noDataTimeout: 90_000,
    });
    expect(policy.rules).toEqual([
      { kind: 'streak', text: 'health fails 4 in a row', level: 'fail', metric: 'health', times: 4 },
      {
        kind: 'threshold', text: 'error-rate > 5% for 2m', level: 'fail', metric: 'error-rate', comparator: '>',
        limit: { value: 0.05, unit: '%' }, hold: 120_000, window: 30_000, minSamples: 20, fastFail: 'on',
      },
      {
        kind: 'threshold', text: 'p95 > 2s for 5m', level: 'fail', metric: 'p95', comparator: '>',
        limit: { value: 2_000, unit: 's' }, hold: 300_000, window: 60_000, minSamples: 50, fastFail: 'on',
      },
      {
        kind: 'threshold', text: 'queue-depth >= 100', level: 'warn', metric: 'queue-depth', comparator: '>=',
        limit: { value: 100, unit: '' }, hold: 0, window: 30_000, minSamples: 1, fastFail: 'off',
      },
    ]); // prettier-ignore
    expect(policy.metrics['p95']).toEqual({ from: 'probe', path: '/', every: 1_000, timeout: 5_000 });
    expect(policy.metrics['health']).toMatchObject({ from: 'probe', path: '/ready' });
    expect(policy.metrics['error-rate']).toMatchObject({ from: 'web', value: '$.rate', samples: '$.n' });
  });

  test('made of the inputs steps, bake and rules alone is the same policy as the file', () => {
    const inputs = policyOf({
      steps: '10,50,100',
      bake: '5m',
      rules: ['error-rate > 5% for 2m', 'warn: p95 > 800ms for 10m'],
    });
    const file = policyOf({
      steps: ['10%', '50%', '100%'],
      bake: '5m',
      rules: [{ fail: 'error-rate > 5% for 2m' }, { warn: 'p95 > 800ms for 10m' }],
    });
    expect(inputs).toEqual(file);
  });

  test('needs only rules: all else has the usual values', () => {
    expect(policyOf({ rules: FAILS })).toMatchObject({
      steps: [10, 50, 100], bake: 300_000, recheck: { after: 30_000, for: 120_000 }, deadline: 1_800_000, rollbackWithin: 120_000,
      onInconclusive: 'continue', onNoData: 'rollback', noDataTimeout: 120_000, interval: 15_000,
    }); // prettier-ignore
  });

  test('of the example is good', () => {
    const text = readFileSync('examples/wesign-charts/production-policy.yml', 'utf8');
    expect(parsePolicy(parse(text))).toMatchObject({ ok: true });
  });

  test('does without a recheck only when it says so', () => {
    expect(policyOf({ rules: FAILS, recheck: 'none' }).recheck).toBeUndefined();
  });

  test('knows the time it takes at least and at most', () => {
    const policy = policyOf({ rules: FAILS });
    expect(shortestTime(policy)).toBe((15 + 2.5) * 60_000);
    expect(longestTime(policy)).toBe((15 + 2.5 + 4 * 2) * 60_000);
  });
});

describe('a policy is refused', () => {
  test.each([
    { name: 'a document that is no mapping', value: ['rules'], input: 'policy', problem: 'is not a mapping' },
    { name: 'an unknown key, with the nearest', value: { rules: FAILS, baek: '5m' }, input: 'baek', problem: 'is not a known key', nearest: 'bake' },
    { name: 'no rules', value: {}, input: 'rules', problem: 'without a rule nothing is judged' },
    { name: 'an empty list of rules', value: { rules: [] }, input: 'rules', problem: 'has no rule that fails' },
    { name: 'rules that only warn', value: { rules: ['warn: error-rate > 5%'] }, input: 'rules', problem: 'has no rule that fails' },
    { name: 'both fail and warn', value: { rules: [{ fail: 'error-rate > 5%', warn: 'error-rate > 1%' }] }, input: 'rules[0]', problem: 'needs one of fail and warn' },
    { name: 'a sentence that is no rule', value: { rules: ['error-rate is high'] }, input: 'rules[0].fail', problem: 'is not a rule' },
    { name: 'an unknown metric, with the nearest', value: { rules: ['eror-rate > 5%'] }, input: 'rules[0].fail', problem: 'names the metric eror-rate', nearest: 'error-rate' },
    { name: 'a limit without a unit', value: { rules: ['error-rate > 5'] }, input: 'rules[0].fail', problem: 'has a limit without a unit' },
    { name: 'a limit in the wrong unit', value: { rules: ['p95 > 5%'] }, input: 'rules[0].fail', problem: 'has a limit in %' },
    { name: 'an unknown comparator', value: { rules: ['error-rate == 5%'] }, input: 'rules[0].fail', problem: 'has the comparator ==' },
    { name: 'a hold without a unit', value: { rules: ['error-rate > 5% for 2'] }, input: 'rules[0].fail', problem: 'holds for "2"' },
    { name: 'a latency that fails in a row', value: { rules: ['p95 fails 3 in a row'] }, input: 'rules[0].fail', problem: 'only checks fail' },
    { name: 'zero failures in a row', value: { rules: ['health fails 0 in a row'] }, input: 'rules[0].fail', problem: 'counts "0" failures' },
    { name: 'a test of a limit', value: { rules: [{ fail: 'error-rate > 5%', test: { alpha: 0.01 } }] }, input: 'rules[0].test', problem: 'belongs to comparisons with stable' },
    { name: 'a window of a comparison', value: { rules: [{ fail: 'error-rate > stable + 1pp', window: '1m' }] }, input: 'rules[0].window', problem: 'does not apply to a comparison with stable' },
    { name: 'a comparison that holds for a time', value: { rules: ['error-rate > stable + 1pp for 2m'] }, input: 'rules[0].fail', problem: 'adds up all requests' },
    { name: 'a comparison of requests', value: { rules: ['requests < stable - 10%'] }, input: 'rules[0].fail', problem: 'cannot compare requests with stable' },
    { name: 'a comparison of means, in which nothing can be counted', value: { rules: ['mean > stable + 5ms'] }, input: 'rules[0].fail', problem: 'cannot compare mean with stable' },
    { name: 'a margin in the wrong unit', value: { rules: ['p95 > stable + 1pp'] }, input: 'rules[0].fail', problem: 'has the margin "stable + 1pp"' },
    { name: 'a rate that must rise', value: { rules: ['error-rate < stable - 1pp'] }, input: 'rules[0].fail', problem: 'wants more of error-rate' },
    { name: 'a candidate that must be better', value: { rules: ['error-rate > stable - 1pp'] }, input: 'rules[0].fail', problem: 'wants the candidate to be better' },
    { name: 'a comparison by a source that knows one color', value: { rules: ['error-rate > stable + 1pp'], metrics: { 'error-rate': { from: 'web', url: 'http://m/all', value: '$.v', samples: '$.n' } } }, input: 'rules[0].fail', problem: 'cannot tell stable from the candidate' },
    { name: 'a comparison of times by a source that counts nothing', value: { rules: ['p95 > stable + 50ms'], metrics: { p95: { from: 'web', url: 'http://m/{color}', value: '$.v', samples: '$.n' } } }, input: 'rules[0].fail', problem: 'does not count slow requests' },
    { name: 'a comparison where stable never has requests', value: { rules: ['error-rate > stable + 1pp'], steps: '100' }, input: 'steps', problem: 'has no step below 100%' },
    { name: 'a chance of a false alarm that is none', value: { rules: [{ fail: 'error-rate > stable + 1pp', test: { alpha: 5 } }] }, input: 'rules[0].test.alpha', problem: 'is not a chance of a false alarm' },
    { name: 'an uncertainty without its unit', value: { rules: [{ fail: 'error-rate > stable + 1pp', 'max-uncertainty': 1 }] }, input: 'rules[0].max-uncertainty', problem: 'is not a difference of rates' },
    { name: 'a step that ends before CloudWatch knows of it', value: { rules: FAILS, bake: '1m', metrics: { 'error-rate': { from: 'cloudwatch' } } }, input: 'bake', problem: 'knows a minute 1m30s after it began' },
    { name: 'unanswered requests of what is no rate of errors', value: { rules: FAILS, metrics: { p95: { from: 'cloudwatch', unanswered: 'errors' } } }, input: 'metrics.p95.unanswered', problem: 'says nothing to this metric' },
    { name: 'a step that ends before CloudWatch knows what was not answered', value: { rules: FAILS, bake: '2m', metrics: { 'error-rate': { from: 'cloudwatch', unanswered: 'errors' } } }, input: 'bake', problem: 'knows a minute 2m30s after it began' },
    { name: 'CloudWatch without a metric of its own', value: { rules: FAILS, metrics: { x: { from: 'cloudwatch' } } }, input: 'metrics.x.queries', problem: 'is missing' },
    { name: 'maths without the metrics that it names', value: { rules: FAILS, metrics: { x: { from: 'cloudwatch', value: 'a / b' } } }, input: 'metrics.x.value', problem: 'maths without the metrics' },
    { name: 'a rate of CloudWatch without its requests', value: { rules: FAILS, metrics: { 'error-rate': { from: 'cloudwatch', value: 'a', queries: { a: { namespace: 'N', metric: 'M' } } } } }, input: 'metrics.error-rate.queries', problem: 'does not say what error-rate is' },
    { name: 'a query of CloudWatch without a namespace', value: { rules: FAILS, metrics: { x: { from: 'cloudwatch', value: 'a', queries: { a: { metric: 'M' } } } } }, input: 'metrics.x.queries.a.namespace', problem: 'is missing' },
    { name: 'Prometheus without its address', value: { rules: FAILS, metrics: { x: { from: 'prometheus', value: 'up' } } }, input: 'metrics.x.url', problem: 'is missing' },
    { name: 'Prometheus without a query', value: { rules: FAILS, metrics: { 'error-rate': { from: 'prometheus', url: 'http://p', bad: 'a' } } }, input: 'metrics.error-rate.bad', problem: 'is not what error-rate is read from' },
    { name: 'a function around a counter', value: { rules: FAILS, metrics: { 'error-rate': { from: 'prometheus', url: 'http://p', bad: 'rate(a[1m])', total: 'b' } } }, input: 'metrics.error-rate.bad', problem: 'is not a selector of a counter' },
    { name: 'an unknown source, with the nearest', value: { rules: FAILS, metrics: { p95: { from: 'porbe' } } }, input: 'metrics.p95.from', problem: 'is not a source', nearest: 'probe' },
    { name: 'a rate from the web without its number of requests', value: { rules: FAILS, metrics: { 'error-rate': { from: 'web', url: 'http://m', value: '$.v' } } }, input: 'metrics.error-rate.samples', problem: 'is missing' },
    { name: 'an unknown placeholder, with the nearest', value: { rules: FAILS, metrics: { x: { from: 'web', url: 'http://m/{colour}', value: '$.v' } } }, input: 'metrics.x.url', problem: 'has the placeholder {colour}', nearest: 'color' },
    { name: 'requests of users without a source', value: { rules: ['requests < 1/s'] }, input: 'metrics.requests', problem: 'no probe can measure it' },
    { name: 'a metric of the user by probe', value: { rules: FAILS, metrics: { depth: { from: 'probe' } } }, input: 'metrics.depth.from', problem: 'a probe knows the built-in metrics only' },
    { name: 'a duration that is a bare number', value: { rules: FAILS, bake: 5 }, input: 'bake', problem: 'is not a duration' },
    { name: 'an empty duration', value: { rules: FAILS, bake: null }, input: 'bake', problem: 'is not a duration' },
    { name: 'an unknown word, with the nearest', value: { rules: FAILS, 'on-no-data': 'rolback' }, input: 'on-no-data', problem: 'is not one of', nearest: 'rollback' },
    { name: 'steps that fall', value: { rules: FAILS, steps: [50, 10, 100] }, input: 'steps', problem: 'does not rise' },
    { name: 'steps that stay below 100 %', value: { rules: FAILS, steps: '10,50' }, input: 'steps', problem: 'does not end with 100%' },
    { name: 'a step of 0 %', value: { rules: FAILS, steps: '0,100' }, input: 'steps', problem: 'does not rise' },
    { name: 'a step that is no number', value: { rules: FAILS, steps: '10,half,100' }, input: 'steps', problem: 'does not rise' },
    { name: 'a bake that holds no measurement', value: { rules: FAILS, bake: '5s' }, input: 'bake', problem: 'is shorter than the interval' },
    { name: 'a deadline before the steps can end', value: { rules: FAILS, bake: '10m' }, input: 'deadline', problem: 'cannot be met: 3 steps of 10m and a recheck of 2m30s take 32m30s at least, the deadline is 30m' },
  ] as { name: string; value: unknown; input: string; problem: string; nearest?: string }[])('for $name', ({ value, input, problem, nearest }) => {
    const problems = problemsOf(value);
    const expected = { input, problem: expect.stringContaining(problem) as unknown, ...(nearest ? { nearest } : {}) };
    expect(problems).toContainEqual(expect.objectContaining(expected));
  }); // prettier-ignore

  test('with every problem at once', () => {
    const problems = problemsOf({ rules: ['error-rate > 5'], bake: '5', steps: '10', metrics: { p95: {} } });
    expect(problems.map((each) => each.input)).toEqual(['metrics.p95.from', 'rules[0].fail', 'steps', 'bake']);
  });
});

describe('the chance of taking back a release that is as good as stable', () => {
  test.each([
    { name: 'of one comparison', rules: ['error-rate > stable + 1pp'], alphas: [0.001] },
    {
      name: 'is shared by those that can fail',
      rules: ['error-rate > stable + 1pp', 'p95 > stable + 50ms', ...FAILS],
      alphas: [0.000_5, 0.000_5],
    },
    {
      name: 'is not shared with one that warns, which takes nothing back',
      rules: ['error-rate > stable + 1pp', 'warn: p95 > stable + 50ms'],
      alphas: [0.001, 0.001],
    },
    {
      name: 'is what a rule says',
      rules: [{ fail: 'error-rate > stable + 1pp', test: { alpha: 0.05 } }, 'p95 > stable + 50ms'],
      alphas: [0.05, 0.000_5],
    },
  ])('$name', ({ rules, alphas }) => {
    const compared = policyOf({ rules }).rules.flatMap((rule) => (rule.kind === 'comparison' ? [rule.alpha] : []));
    expect(compared).toEqual(alphas);
  });
});

describe('a step that people must let in', () => {
  test('is read with its file and its time, 10m where none is given', () => {
    const steps = ['10%', { to: '50%', approve: 'approvers.yml', within: '5m' }, { to: 100, approve: 'approvers.yml' }];
    const { gates, steps: percents } = policyOf({ steps, rules: FAILS, bake: '3m' });
    expect(percents).toEqual([10, 50, 100]);
    expect(gates).toEqual([
      { before: 50, file: 'approvers.yml', within: 300_000 },
      { before: 100, file: 'approvers.yml', within: 600_000 },
    ]);
  });

  test('needs room before the deadline for all of its time, beside what is judged', () => {
    const steps = ['10%', { to: '50%', approve: 'approvers.yml', within: '13m' }, '100%'];
    expect(problemsOf({ steps, rules: FAILS })).toEqual([
      expect.objectContaining({
        input: 'deadline',
        problem:
          'cannot be met: 3 steps of 5m and a recheck of 2m30s take 17m30s at least, an approval may take 13m more, the deadline is 30m',
      }),
    ]);
    expect(policyOf({ steps, rules: FAILS, deadline: '30m30s' }).gates).toHaveLength(1);
  });

  test.each([
    { name: 'at the first step', step: [{ to: '10%', approve: 'a.yml' }, '100%'], input: 'steps[0].approve', problem: 'cannot stand at the first step' },
    { name: 'without a file', step: ['10%', { to: '100%', approve: '' }], input: 'steps[1].approve', problem: 'is not the path of a file' },
    { name: 'with rules in place of a file', step: ['10%', { to: '100%', approve: { approvers: [] } }], input: 'steps[1].approve', problem: 'is not the path of a file' },
    { name: 'without a percentage', step: ['10%', { approve: 'a.yml' }, '100%'], input: 'steps[1].to', problem: 'is missing' },
    { name: 'with a time and nobody to ask', step: ['10%', { to: '100%', within: '5m' }], input: 'steps[1].within', problem: 'says nothing without approve' },
    { name: 'with a time that nobody can keep', step: ['10%', { to: '100%', approve: 'a.yml', within: '10s' }], input: 'steps[1].within', problem: '' },
    { name: 'with a misspelt key', step: ['10%', { to: '100%', aprove: 'a.yml' }], input: 'steps[1].aprove', problem: 'is not a known key' },
  ])('$name is a problem that names its place', ({ step, input, problem }) => {
    expect(problemsOf({ steps: step, rules: FAILS })).toContainEqual(
      expect.objectContaining({ input, problem: expect.stringContaining(problem) }),
    );
  }); // prettier-ignore
});
