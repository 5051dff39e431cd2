import { type CheckResult, type ChecksResult, type ChecksVerdict, countOf } from '../../../src/domain/checks/result.ts';
import { oneLine } from '../../../src/domain/checks/shown-text.ts';
import {
  type Duration,
  type Instant,
  between,
  formatDuration,
  formatInstant,
  milliseconds,
} from '../../../src/domain/duration.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import { type Plan, planLines } from './plan.ts';

const OUTCOMES = { pass: 'passed', warn: 'warned', fail: 'failed', invalid: 'invalid' } as const satisfies Record<
  ChecksVerdict,
  string
>;

/** What the report is made of; execute gives it. */
export interface Execution {
  readonly result: ChecksResult;
  readonly started: Instant;
  readonly ended: Instant;
}

/** What a run of checks comes to. `resultsPath` is where its result file was written. */
export function reportOf(plan: Plan, execution: Execution, resultsPath: string): Report {
  const { result } = execution;
  const headline = headlineOf(plan, execution);
  return {
    conclusion: result.verdict === 'pass' || result.verdict === 'warn' ? 'success' : 'failure',
    outcome: OUTCOMES[result.verdict],
    headline,
    changed: false,
    outputs: {
      verdict: result.verdict,
      passed: String(countOf(result, 'pass')),
      warned: String(countOf(result, 'warn')),
      failed: String(countOf(result, 'fail')),
      results: resultsPath,
    },
    summary: [{ kind: 'heading', text: headline }, { kind: 'text', text: targetLine(plan) }, tableOf(result.checks)],
    annotations: result.checks.flatMap((check, index) => annotationOf(check, plan.places[index])),
  };
}

/** A dry run measured nothing, so it has no verdict. */
export function plannedReport(plan: Plan): Report {
  const headline = `Would make ${plan.document.checks.length} checks against ${plan.target.url}`;
  return {
    conclusion: 'success',
    outcome: 'planned',
    headline,
    changed: false,
    outputs: { verdict: '', passed: '0', warned: '0', failed: '0', results: '' },
    summary: [
      { kind: 'heading', text: headline },
      { kind: 'text', text: targetLine(plan) },
      { kind: 'verbatim', text: planLines(plan).join('\n') },
    ],
  };
}

function headlineOf({ target }: Plan, { result, started, ended }: Execution): string {
  const all = result.checks.length;
  const took = `in ${formatDuration(between(started, ended))} against ${target.url}`;
  switch (result.verdict) {
    case 'pass':
      return `Smoke test passed: ${all} checks ${took}`;
    case 'warn':
      return `Smoke test passed with warnings: ${countOf(result, 'warn')} of ${all} checks ${took}: ${named(result.checks, 'warn')}`;
    case 'fail':
      return `Smoke test failed: ${countOf(result, 'fail')} of ${all} checks ${took}: ${named(result.checks, 'fail')}`;
    case 'invalid':
      return `Smoke test is invalid: nothing was measured at ${target.url}`;
    default:
      return unreachable(result.verdict);
  }
}

/** The first three with their first reason; the table has them all. */
function named(checks: readonly CheckResult[], verdict: CheckResult['verdict']): string {
  const meant = checks.filter((check) => check.verdict === verdict);
  const shown = meant.slice(0, 3).map(({ name, reasons }) => `${name} (${oneLine(reasons.join('; '), 200)})`);
  return [...shown, ...(meant.length > 3 ? [`${meant.length - 3} more`] : [])].join(', ');
}

function targetLine({ target }: Plan): string {
  const name = target.host === undefined ? '' : ` as ${target.host}`;
  const version = target.expectVersion === undefined ? '' : `, expecting version ${oneLine(target.expectVersion, 80)}`;
  return `Target: ${target.url}${name}${version}.`;
}

const tableOf = (checks: readonly CheckResult[]): Section => ({
  kind: 'table',
  columns: ['Check', 'Verdict', 'Request', 'Status', 'Answer in', 'Tries', 'Time', 'Why'],
  rows: checks.map(({ name, verdict, method, path, answer, tries, durationMs, reasons }) => [
    name,
    verdict,
    `${method} ${oneLine(path, 100)}`,
    answer === undefined ? 'none' : String(answer.status),
    answer === undefined ? '' : formatDuration(milliseconds(answer.durationMs)),
    String(tries),
    formatDuration(milliseconds(durationMs)),
    reasons.join('; '),
  ]),
});

function annotationOf(check: CheckResult, place: Plan['places'][number]): readonly Annotation[] {
  if (check.verdict === 'pass') return [];
  return [
    {
      level: check.verdict === 'fail' ? 'error' : 'warning',
      title: `Check ${check.name}`,
      message: check.reasons.join('; '),
      ...(place === undefined ? {} : place),
    },
  ];
}

/** The result file (`sluice/checks-result/v1`): everything that is known of each check, without secrets. */
export function resultFile({ target, places }: Plan, { result, started, ended }: Execution): string {
  const duration: Duration = between(started, ended);
  const content = {
    schema: 'sluice/checks-result/v1',
    verdict: result.verdict,
    target: { url: target.url, host: target.host ?? null, expectVersion: target.expectVersion ?? null },
    startedAt: formatInstant(started),
    finishedAt: formatInstant(ended),
    durationMs: Math.round(duration),
    checks: result.checks.map(({ at: _, ...check }, index) => ({ ...check, ...places[index] })),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
