import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { judge } from '../../src/domain/analysis/judge.ts';
import { type Reading, type Sample, allSeries } from '../../src/domain/analysis/sample.ts';
import { instant } from '../../src/domain/duration.ts';
import { shortestTime } from '../../src/domain/policy/budget.ts';
import { parsePolicy } from '../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';

const BEGIN = instant(Date.UTC(2026, 10, 20, 12));

function policyOf(system: string): Policy {
  const read = parsePolicy(parse(readFileSync(`examples/${system}/production-policy.yml`, 'utf8')));
  expect(read).toMatchObject({ ok: true });
  return (read as { value: Policy }).value;
}

type Metrics = Readonly<Record<string, Reading>>;

const N = 400;
/** Everything well; stable has all the other requests. */
const WELL: Metrics = {
  health: { kind: 'value', value: 1, samples: 1 },
  'error-rate': { kind: 'value', value: 0, samples: N },
  p95: { kind: 'value', value: 100, samples: N, slower: 0 },
};
/** What the candidate shows for so many seconds, on the policy's own grid; then the verdict of the rule. */
function after(policy: Policy, seconds: number, shown: Metrics) {
  const points = Math.floor((seconds * 1_000) / policy.interval);
  const samples = Array.from({ length: points }, (_, index) =>
    allSeries(policy).map(({ key, metric, arm, window }): Sample => {
      const reading = (arm === 'stable' ? WELL[metric] : (shown[metric] ?? WELL[metric])) ?? { kind: 'no-data' };
      return { series: key, at: instant(BEGIN + (index + 1) * policy.interval), window, reading };
    }),
  ).flat();
  return judge(policy, { samples, begin: BEGIN, since: BEGIN });
}

const errors = (rate: number): Metrics => ({ 'error-rate': { kind: 'value', value: rate, samples: N } });
const p95 = (value: number, slower: number): Metrics => ({ p95: { kind: 'value', value, samples: N, slower } });
const unhealthy: Metrics = { health: { kind: 'value', value: 0, samples: 1 } };

interface Trigger {
  readonly system: string;
  readonly rule: string;
  /** Just beyond the limit, and just at it. */
  readonly beyond: Metrics;
  readonly within: Metrics;
  /** Seconds of it until the rule fails: one point less is pending. */
  readonly fails: number;
}

const triggers: readonly Trigger[] = [
  { system: 'accunode', rule: 'health fails 4 in a row', beyond: unhealthy, within: {}, fails: 60 },
  { system: 'accunode', rule: 'error-rate > 5% for 2m', beyond: errors(0.055), within: errors(0.05), fails: 135 },
  { system: 'accunode', rule: 'p95 > 2000ms for 5m', beyond: p95(2_040, 0.055), within: p95(2_000, 0.05), fails: 315 },
  { system: 'wesign-charts', rule: 'health fails 4 in a row', beyond: unhealthy, within: {}, fails: 60 },
  { system: 'wesign-charts', rule: 'error-rate > 5% for 2m', beyond: errors(0.055), within: errors(0.05), fails: 135 },
  { system: 'wesign-charts', rule: 'p95 > 2000ms for 5m', beyond: p95(2_040, 0.055), within: p95(2_000, 0.05), fails: 315 },
  { system: 'financeanalyst-pro', rule: 'health fails 3 in a row', beyond: unhealthy, within: {}, fails: 45 },
  { system: 'financeanalyst-pro', rule: 'p95 > 500ms for 5m', beyond: p95(520, 0.055), within: p95(500, 0.05), fails: 315 },
  { system: 'mdreader', rule: 'health fails 3 in a row', beyond: unhealthy, within: {}, fails: 45 },
  { system: 'mdreader', rule: 'error-rate > 5% for 2m', beyond: errors(0.055), within: errors(0.05), fails: 135 },
  { system: 'mdreader', rule: 'p95 > 500ms for 5m', beyond: p95(520, 0.055), within: p95(500, 0.05), fails: 315 },
]; // prettier-ignore

describe.each(triggers)('$system: $rule', ({ system, rule, beyond, within, fails }) => {
  const policy = policyOf(system);
  const standing = (seconds: number, shown: Metrics) =>
    after(policy, seconds, shown).findings.find((finding) => finding.rule.text === rule)?.standing.kind;

  test('fires beyond its limit, when its time is full and not before', () => {
    expect([standing(fails - 15, beyond), standing(fails, beyond)]).toEqual(['pending', 'failed']);
  });

  test('does not fire at its limit, however long', () => {
    expect(standing(900, within)).toBe('passing');
  });
});

test('financeanalyst-pro: what is worse than stable by more than a tenth of a point fails, long before 5 % do', () => {
  const policy = policyOf('financeanalyst-pro');
  expect(after(policy, 60, errors(0.03)).verdict).toMatchObject({
    kind: 'failed',
    says: expect.stringContaining('error-rate > stable + 0.1pp'),
  });
  expect(after(policy, 900, errors(0)).verdict.kind).not.toBe('failed');
});

test('accunode: the warning of 800 ms is told and stops nothing', () => {
  const { verdict, warnings } = after(policyOf('accunode'), 700, p95(900, 0));
  const slow = after(policyOf('accunode'), 700, { p95: { kind: 'value', value: 900, samples: N } });
  expect([verdict.kind, slow.verdict.kind]).toEqual(['passing', 'passing']);
  expect(warnings).toEqual([]);
  expect(slow.warnings).toEqual([expect.stringContaining('p95 900 ms > 800 ms for 10m')]);
});

test.each(['wesign-charts', 'financeanalyst-pro', 'mdreader', 'accunode'])(
  '%s: three steps and the recheck leave at least nine minutes of the thirty for the start and for what is in doubt',
  (system) => {
    const policy = policyOf(system);
    expect(policy.steps).toEqual([10, 50, 100]);
    expect(policy.deadline).toBe(30 * 60_000);
    expect(shortestTime(policy)).toBeLessThanOrEqual(21 * 60_000);
  },
);
