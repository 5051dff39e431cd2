import { describe, expect, test } from '@jest/globals';
import { planLines } from '../../../actions/smoke-test/src/plan/lines.ts';
import { planOf } from '../../../actions/smoke-test/src/plan.ts';
import { plannedReport, reportOf } from '../../../actions/smoke-test/src/report.ts';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import type { CheckResult, ChecksVerdict } from '../../../src/domain/checks/result.ts';
import { FALLBACKS } from '../../../src/domain/checks/check.ts';
import { instant } from '../../../src/domain/duration.ts';
import type { LoadResult } from '../../../src/domain/load/result.ts';
import { readYaml } from '../../../src/runtime/read-yaml.ts';

const CHECKS = `version: 1
checks:
  - { name: page, get: / }
  - { name: socket, ws: /ws, flow: [{ send: a }, { ping: true }] }
  - { name: hub, signalr: /hub }
flows:
  shop: { flow: [{ get: /cart }] }
load:
  - name: quick
    closed: { count: 100, concurrency: 10 }
    get: /
    rules:
      - fail: error-rate > 5%
      - fail: mean > 2s
      - warn: p95 > 1s
`;

function planned(text: string) {
  const plan = planOf(
    {
      url: 'https://shop.test',
      paths: [],
      webSockets: [],
      productionLoad: 'capped',
      onInvalid: 'fail',
      headers: {},
      checkSecrets: new Map(),
      fallbacks: FALLBACKS,
      mode: 'run',
    },
    { file: { path: 'c.yml', text, readYaml }, matchers, environment: () => undefined },
  );
  if (!plan.ok) throw new Error(JSON.stringify(plan.problems));
  return plan.value;
}

const resultOf = (name: string, verdict: CheckResult['verdict'], method = 'GET'): CheckResult => ({
  ...{ name, verdict, method, at: ['checks', 0], path: '/', tries: 1, durationMs: 1 },
  reasons: verdict === 'pass' ? [] : ['status 503, expected <400'],
});

const times = { p50: 1, p75: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 1, mean: 1 };
const loadResult: LoadResult = {
  ...{ name: 'quick', verdict: 'fail', reasons: [], versions: {}, slices: [], scenarios: [], seconds: 1 },
  ...{ startedAt: '', finishedAt: '', invalid: ['p99 cannot be shown', 'the generator was too slow'] },
  rules: [
    { rule: 'error-rate > 5%', level: 'fail', outcome: 'broken', words: 'error-rate 7% > 5% (n=100)' },
    { rule: 'mean > 2s', level: 'fail', outcome: 'unknown', words: 'p99 cannot be shown' },
    { rule: 'p95 > 1s', level: 'warn', outcome: 'broken', words: 'p95 2s > 1s' },
  ],
  all: {
    ...{ name: 'all', requests: 100, errors: 7, rate: 9 },
    response: times,
    service: times,
    histograms: { response: '', service: '' },
  },
  generator: { started: 100, lagP99: 1, busy: 0.1, waited: 0, ended: 'plan', lag: '' },
};

function report(checks: readonly CheckResult[], verdict: ChecksVerdict, load?: LoadResult) {
  const plan = planned(CHECKS);
  const [planLoad] = plan.document.loads ?? [];
  const loads =
    load === undefined || planLoad === undefined
      ? []
      : [{ result: load, at: planLoad.at, rulesAt: planLoad.rules.map(({ at }) => at) }];
  const execution = { result: { verdict, checks }, loads, notRun: [], started: instant(0), ended: instant(2_000) };
  return reportOf(plan, execution, { results: 'r.json', junit: 'r.xml' });
}

describe('what is said of a run', () => {
  test.each([
    {
      name: 'one check',
      checks: [resultOf('a', 'pass')],
      says: 'Smoke test passed: 1 check in 2s against https://shop.test',
    },
    {
      name: 'checks and a flow, which is no check',
      checks: [resultOf('a', 'pass'), resultOf('b', 'warn'), resultOf('shop', 'warn', 'flow')],
      says: 'Smoke test passed with warnings: 2 checks, 1 flow in 2s against https://shop.test; warned: b, flow shop',
    },
    { name: 'nothing', checks: [], says: 'Smoke test proves nothing: nothing was measured at https://shop.test' },
  ])('counts $name', ({ checks, says }) => {
    const verdict = checks.length === 0 ? 'invalid' : checks.length === 1 ? 'pass' : 'warn';
    expect(report(checks, verdict).headline).toBe(says);
  });

  test('gives a reason once: in the annotation of what failed, and not in the headline again', () => {
    const { headline, annotations = [] } = report([resultOf('a', 'fail'), resultOf('b', 'pass')], 'fail');
    expect(headline).toBe('Smoke test failed: 2 checks in 2s against https://shop.test; failed: a');
    expect(annotations.map(({ message }) => message)).toEqual(['status 503, expected <400']);
  });

  test('stands at the line of each rule of a load, and what else is wrong with it at the load', () => {
    const { annotations } = report([], 'pass', loadResult);
    expect(annotations).toEqual([
      {
        level: 'error',
        title: 'Load quick, fail: error-rate > 5%',
        message: 'error-rate 7% > 5% (n=100)',
        file: 'c.yml',
        line: 13,
      },
      { level: 'error', title: 'Load quick, fail: mean > 2s', message: 'p99 cannot be shown', file: 'c.yml', line: 14 },
      { level: 'warning', title: 'Load quick, warn: p95 > 1s', message: 'p95 2s > 1s', file: 'c.yml', line: 15 },
      { level: 'error', title: 'Load quick', message: 'the generator was too slow', file: 'c.yml', line: 9 },
    ]);
  });
});

test('a plan counts what it would make, and expects no status of an open WebSocket', () => {
  const plan = planned(CHECKS);
  expect(plannedReport(plan).headline).toBe('Would make 3 checks, 1 flow, 1 load against https://shop.test');
  expect(planLines(plan)).toEqual([
    'page: GET https://shop.test/, expects status <400; one try, timeout 10s',
    'socket: WebSocket https://shop.test/ws, opens it (send, ping); one try, timeout 10s',
    'hub: SignalR https://shop.test/hub, opens it; one try, timeout 10s',
    'flow shop: 1 step',
    'load quick: 100 runs, 10 at a time, scenarios request; fail: error-rate > 5%, fail: mean > 2s, warn: p95 > 1s; at most 1000000 requests',
  ]);
});
