import { describe, expect, test } from '@jest/globals';
import { junitXml } from '../../../src/domain/checks/junit.ts';
import { milliseconds } from '../../../src/domain/duration.ts';
import { latencyChart } from '../../../src/domain/load/chart.ts';
import { readLoadRule } from '../../../src/domain/load/rule.ts';
import { readBaseline, type LoadResult } from '../../../src/domain/load/result.ts';
import { hostProblems, productionProblems } from '../../../src/domain/load/safety.ts';
import { readShortLoad } from '../../../src/domain/load/short.ts';
import { weightedTurns } from '../../../src/domain/load/weighted.ts';
import type { ResolvedStep } from '../../../src/domain/checks/document.ts';
import type { LoadModel, ResolvedLoad } from '../../../src/domain/load/load.ts';

describe('a load in short words', () => {
  test.each([
    { text: '100 requests at 10', value: { closed: { count: 100, concurrency: 10 } } },
    { text: '1 request at 1', value: { closed: { count: 1, concurrency: 1 } } },
    { text: ' 60s  at 10 ', value: { closed: { duration: '60s', concurrency: 10 } } },
    { text: '1m30s at 20/s', value: { phases: [{ duration: '1m30s', arrivals: '20/s' }] } },
    { text: '60s at 0.5/s', value: { phases: [{ duration: '60s', arrivals: '0.5/s' }] } },
  ])('$text', ({ text, value }) => {
    expect(readShortLoad(text)).toEqual({ ok: true, value });
  });

  test.each([
    '100 at 10',
    '100 requests',
    '0 requests at 10',
    '100 requests at 0',
    '100 requests at 10/s',
    '60s at 0/s',
    '60s at 1.5',
    '60 at 10/s',
    '',
  ])('refuses "%s"', (text) => {
    expect(readShortLoad(text)).toMatchObject({ ok: false, problem: 'is not a load' });
  });
});

test.each([
  { text: 'p95 > 500ms for 2m', problem: 'holds for a time, but a load is judged as a whole' },
  { text: 'health fails 3 in a row', problem: 'names the metric health, which is not defined' },
  { text: 'p97 > 1s', problem: 'names the metric p97, which is not defined' },
  { text: 'service-requests > 1/s', problem: 'names the metric requests, which is not defined' },
  { text: 'p95 > 500', problem: 'has a limit without a unit, but p95 is measured in ms' },
])('the rule "$text" is refused', ({ text, problem }) => {
  expect(readLoadRule(text)).toMatchObject({ ok: false, problem });
});

test('scenarios have their turns as often as their weights say, evenly spread', () => {
  const next = weightedTurns([{ weight: 70 }, { weight: 25 }, { weight: 5 }]);
  const turns = Array.from({ length: 100 }, () => next()?.weight ?? 0);
  expect([70, 25, 5].map((weight) => turns.filter((each) => each === weight).length)).toEqual([70, 25, 5]);
  expect(turns.slice(0, 10)).toEqual([70, 25, 70, 70, 70, 25, 70, 70, 5, 70]);
});

describe('production', () => {
  const load = (model: LoadModel) => ({ name: 'l', at: [], rules: [], budget: 1_000_000, scenarios: [], model });
  const phases = (rate: number, length = 10_000) => [{ duration: milliseconds(length), from: rate, to: rate }];
  test.each<{ name: string; model: LoadModel; problem: string | undefined }>([
    { name: 'takes 100 requests at 10', model: { kind: 'closed', count: 100, concurrency: 10 }, problem: undefined },
    {
      name: 'takes 50 a second for 20 s',
      model: { kind: 'open', phases: phases(50, 20_000), concurrency: 9 },
      problem: undefined,
    },
    {
      name: 'is kept from 2000 requests',
      model: { kind: 'closed', count: 2_000, concurrency: 10 },
      problem: 'plans 2000 requests at the stage production',
    },
    {
      name: 'is kept from 60 at a time',
      model: { kind: 'closed', count: 100, concurrency: 60 },
      problem: 'plans 60 users at a time at the stage production',
    },
    {
      name: 'is kept from a load without a count',
      model: { kind: 'closed', duration: milliseconds(1), concurrency: 1 },
      problem: 'plans as many requests as fit at the stage production',
    },
    {
      name: 'is kept from 60 a second',
      model: { kind: 'open', phases: phases(60), concurrency: 9 },
      problem: 'plans 60 arrivals a second at the stage production',
    },
    {
      name: 'is kept from 5000 arrivals',
      model: { kind: 'open', phases: phases(50, 100_000), concurrency: 9 },
      problem: 'plans 5000 requests at the stage production',
    },
  ])('$name', ({ model, problem }) => {
    const of = (stage: string, allowed: 'yes' | 'no') =>
      productionProblems([load(model)], { stage, allowed }).map((each) => each.problem);
    expect(of('production', 'no')).toEqual(problem === undefined ? [] : [problem]);
    expect(of('production', 'yes')).toEqual([]);
    expect(of('staging', 'no')).toEqual([]);
  });

  test('counts what all loads and all steps make together', () => {
    const model: LoadModel = { kind: 'closed', count: 400, concurrency: 10 };
    const step: ResolvedStep = {
      kind: 'request',
      name: 's',
      at: [],
      answers: 1,
      fill: () => ({ ok: false, problem: '' }),
    };
    const flow = { ...load(model), scenarios: [{ name: 'f', at: [], weight: 1, steps: [step, step, step] }] };
    const of = (...loads: readonly ResolvedLoad[]) =>
      productionProblems(loads, { stage: 'eu-prod', allowed: 'no' }).map((each) => each.problem);
    expect(of(load(model), load(model))).toEqual([]);
    expect(of(load(model), load(model), load(model))).toEqual(['plans 1200 requests in 3 loads at the stage eu-prod']);
    expect(of(flow)).toEqual(['plans 1200 requests at the stage eu-prod']);
  });

  test.each([
    { stage: 'production', is: 1 },
    { stage: 'PROD-eu', is: 1 },
    { stage: 'eu-prod', is: 1 },
    { stage: 'live', is: 1 },
    { stage: 'prd', is: 1 },
    { stage: 'reproduction', is: 0 },
    { stage: 'delivery', is: 0 },
    { stage: 'staging', is: 0 },
  ])('the stage $stage has the cap: $is', ({ stage, is }) => {
    const large = load({ kind: 'closed', count: 2_000, concurrency: 1 });
    expect(productionProblems([large], { stage, allowed: 'no' })).toHaveLength(is);
  });

  test('hosts that are not on the list are named', () => {
    expect(hostProblems(['a.test', 'b.test', 'b.test'], ['A.test'])).toMatchObject([{ given: 'b.test' }]);
    expect(hostProblems(['a.test'], undefined)).toEqual([]);
  });
});

const part = { name: 'all', requests: 3, errors: 1, rate: 1, histograms: { response: '', service: '' } };
const times = { p50: 1, p75: 2, p90: 3, p95: 4.5678, p99: 5, p999: 6, max: 7, mean: 2 };
const result: LoadResult = {
  name: 'quick "one"',
  verdict: 'fail',
  rules: [
    { rule: 'p95 > 1ms', level: 'fail', outcome: 'broken', words: 'p95 4.6ms > 1ms (n=3)' },
    { rule: 'p99 > 1s', level: 'fail', outcome: 'unknown', words: 'cannot be shown' },
    { rule: 'mean > 1ms', level: 'warn', outcome: 'broken', words: 'mean 2ms > 1ms' },
  ],
  invalid: ['cannot be shown', 'the generator was too slow'],
  all: { ...part, response: times, service: times },
  scenarios: [],
  reasons: [],
  versions: {},
  generator: { started: 3, lagP99: 1, busy: 0.1, waited: 0, ended: 'plan', lag: '' },
  slices: [],
  startedAt: '',
  finishedAt: '',
  seconds: 1.5,
};

test('the latency curve is a Mermaid chart', () => {
  expect(latencyChart(result)).toBe(
    `xychart-beta
  title "quick 'one': response and service time (ms)"
  x-axis ["p50", "p75", "p90", "p95", "p99", "p99.9", "max"]
  y-axis "ms"
  line [1, 2, 3, 4.57, 5, 6, 7]
  line [1, 2, 3, 4.57, 5, 6, 7]`,
  );
});

test('JUnit XML has a case for each check and each rule', () => {
  const check = { at: [], method: 'GET', path: '/', tries: 1 } as const;
  const xml = junitXml(
    [
      { ...check, name: 'health', verdict: 'pass', durationMs: 120, reasons: [] },
      { ...check, name: 'a < "b"', verdict: 'fail', durationMs: 5, reasons: ['status 500 & more\u0001', 'two\nlines'] },
    ],
    [result],
  );
  expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="smoke-test">
  <testsuite name="checks" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="checks" name="health" time="0.120"/>
    <testcase classname="checks" name="a &lt; &quot;b&quot;" time="0.005">
      <failure message="status 500 &amp; more?; two&#10;lines"/>
    </testcase>
  </testsuite>
  <testsuite name="load quick &quot;one&quot;" tests="4" failures="1" errors="2" skipped="0">
    <testcase classname="load quick &quot;one&quot;" name="fail: p95 &gt; 1ms" time="1.500">
      <failure message="p95 4.6ms &gt; 1ms (n=3)"/>
    </testcase>
    <testcase classname="load quick &quot;one&quot;" name="fail: p99 &gt; 1s" time="1.500">
      <error message="cannot be shown"/>
    </testcase>
    <testcase classname="load quick &quot;one&quot;" name="warn: mean &gt; 1ms" time="1.500"/>
    <testcase classname="load quick &quot;one&quot;" name="validity" time="1.500">
      <error message="the generator was too slow"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test('a baseline is a result file of ours and nothing else', () => {
  const file = JSON.stringify({ schema: 'sluice/checks-result/v1', loads: [result] });
  expect(readBaseline(file)?.get(result.name)?.all.requests).toBe(3);
  expect(readBaseline('{"schema":"other/v1","loads":[]}')).toBeUndefined();
  expect(readBaseline('no JSON')).toBeUndefined();
});
