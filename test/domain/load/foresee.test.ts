import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { type Baseline, foreseenProblems } from '../../../src/domain/load/foresee.ts';
import type { LoadPart } from '../../../src/domain/load/result.ts';

const OTHERS = `
checks:
  - { name: socket, ws: /ws, weight: 1, flow: [{ send: a }, { receive: true }] }
  - { name: everywhere, get: /, addresses: every }
flows:
  shop: { weight: 3, flow: [{ get: /a }, { think: 1s }, { get: /b }] }
`;

const foreseen = (load: string, baseline?: Baseline): readonly string[] => {
  const parsed = parseChecks(parseYaml(`version: 1\n${OTHERS}\nload: [{ name: l, ${load} }]`), matchers);
  const resolved = parsed.ok ? resolveChecks(parsed.value, () => undefined) : parsed;
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return (resolved.value.loads ?? []).flatMap((each) =>
    foreseenProblems(each, baseline).map(({ input, problem, accepted }) => `${input} ${problem}. ${accepted}`),
  );
};

const closed = (count: number, rules: string, more = 'get: /'): string =>
  `closed: { count: ${count}, concurrency: 2 }, ${more}, rules: [${rules}]`;
const needs = (needed: number, planned: number, of = ''): string =>
  `cannot be shown by this load: it needs ${needed} answers${of}, and ${planned} are planned`;

describe('a rule that the plan can never show', () => {
  test.each([
    { rule: 'fail: p50 > 1s', count: 4, needed: 5 },
    { rule: 'fail: p95 > 1s', count: 58, needed: 59 },
    { rule: 'warn: p99 > 1s', count: 298, needed: 299 },
    { rule: 'fail: mean > 1s', count: 19, needed: 20 },
    { rule: 'fail: error-rate > 5%', count: 58, needed: 59 },
    { rule: 'fail: error-rate > 0.1%', count: 2_994, needed: 2_995 },
  ])('$rule with $count answers, which wants $needed', ({ rule, count, needed }) => {
    expect(foreseen(closed(count, `"${rule}"`))).toEqual([
      `load[0].rules[0] ${needs(needed, count)}. a count of ${needed} or more, or a rule that claims less`,
    ]);
    expect(foreseen(closed(needed, `"${rule}"`))).toEqual([]);
  });

  test.each([
    {
      name: 'claims no rare event',
      load: closed(1, '"fail: error-rate > 0%", "fail: requests < 1/s", "fail: p95 < 1s"'),
    },
    {
      name: 'has as much time as it has',
      load: 'closed: { duration: 1s, concurrency: 1 }, get: /, rules: ["fail: p99 > 1s"]',
    },
    { name: 'has addresses that are not known yet', load: closed(1, '"fail: p99 > 1s"', 'scenarios: [everywhere]') },
  ])('is none when it $name', ({ load }) => {
    expect(foreseen(load)).toEqual([]);
  });

  test('counts the arrivals of all phases, and says how many it wants', () => {
    const phases = 'phases: [{ duration: 2s, arrivals: 10/s }, { duration: 2s, arrivals: 10/s, ramp-to: 20/s }]';
    expect(foreseen(`${phases}, get: /, rules: ["fail: p95 > 1s"]`)).toEqual([
      `load[0].rules[0] ${needs(59, 50)}. 59 arrivals or more, or a rule that claims less`,
    ]);
  });

  test('counts every step of a flow and every turn of a WebSocket, by the weights of the scenarios', () => {
    const mixed = (rules: string): readonly string[] => foreseen(closed(40, rules, 'scenarios: [shop, socket]'));
    // Of 40 users about 30 walk through two requests and 10 open, send and receive.
    expect(mixed('"fail: p95 > 1s", { fail: p95 > 1s, scenario: shop }')).toEqual([]);
    expect(mixed('{ fail: p95 > 1s, scenario: socket }')).toEqual([
      `load[0].rules[0] ${needs(59, 33, ' of socket')}. a count of 79 or more, or a rule that claims less`,
    ]);
  });

  test('counts one half for each side when the stable release has the other', () => {
    const shared = (count: number, rules: string) =>
      foreseen(closed(count, rules, 'get: /, stable: "http://old.test"'));
    expect(shared(117, '"fail: p95 > 1s"')).toEqual([]);
    expect(shared(116, '"fail: p95 > 1s"')).toEqual([
      `load[0].rules[0] ${needs(59, 58, ' of each side')}. a count of 118 or more, or a rule that claims less`,
    ]);
    expect(shared(399, '"fail: p95 > stable + 10%", "fail: error-rate > stable + 1pp"')).toEqual([
      `load[0].rules[0] ${needs(200, 199, ' of each side')}. a count of 400 or more, or a rule that claims less`,
    ]);
  });
});

describe('a rule against the stable release', () => {
  const times = { p50: 1, p75: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 1, mean: 1 };
  const part = (name: string, requests: number, errors = 0): LoadPart => ({
    ...{ name, requests, errors, rate: 1, response: times, service: times },
    histograms: { response: '', service: '' },
  });
  const of = (all: LoadPart, name = 'l'): Baseline => new Map([[name, { all, scenarios: [part('shop', 9)] }]]);
  const P95 = closed(100, '"fail: p95 > stable + 10%"');
  test.each<{ name: string; load?: string; baseline: Baseline; says: RegExp | undefined }>([
    {
      name: 'without one',
      baseline: undefined,
      says: /is compared with the stable release, and nothing says what that did\. `stable: URL`/,
    },
    {
      name: 'with a baseline of another load',
      baseline: of(part('all', 9), 'other'),
      says: /the baseline has no load l/,
    },
    { name: 'with a baseline that measured nothing', baseline: of(part('all', 0)), says: /measured nothing/ },
    {
      name: 'with a baseline without its scenario',
      load: closed(100, '{ fail: p95 > stable + 10%, scenario: socket }', 'scenarios: [socket]'),
      baseline: of(part('all', 9)),
      says: /the load l of the baseline has no scenario socket/,
    },
    {
      name: 'with a baseline whose errors are so rare that it wants more answers',
      load: closed(100, '"fail: error-rate > stable + 0.1pp"'),
      baseline: of(part('all', 1_000)),
      says: /it needs 2995 answers, and 100 are planned/,
    },
    { name: 'with a baseline', baseline: of(part('all', 9)), says: undefined },
    { name: 'with a baseline that cannot be read, which is told by itself', baseline: 'unreadable', says: undefined },
  ])('$name', ({ load = P95, baseline, says }) => {
    expect(foreseen(load, baseline)).toEqual(says === undefined ? [] : [expect.stringMatching(says)]);
  });
});

test('a budget that ends a load before its plan is told with the number that it wants', () => {
  const load = closed(100, '"fail: error-rate > 0%"', 'scenarios: [shop], max-requests: 199');
  expect(foreseen(load)).toEqual([
    'load[0] plans 200 requests, and its budget of 199 ends it before. max-requests: 200 or more, or a smaller load',
  ]);
  expect(foreseen(load.replace('199', '200'))).toEqual([]);
  // The time may end it first.
  expect(foreseen(load.replace('count: 100', 'count: 100, duration: 1s'))).toEqual([]);
});
