import {
  type CheckResult,
  type ChecksResult,
  type ChecksVerdict,
  countOf,
  isFlow,
} from '../../../src/domain/checks/result.ts';
import { oneLine } from '../../../src/domain/checks/shown-text.ts';
import {
  type Duration,
  type Instant,
  between,
  formatDuration,
  formatInstant,
  milliseconds,
} from '../../../src/domain/duration.ts';
import { loadAnnotations, loadSections } from '../../../src/domain/load/load-report.ts';
import type { ResolvedLoad } from '../../../src/domain/load/load.ts';
import type { PlacedLoadResult } from '../../../src/domain/load/result.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { Plan } from './plan.ts';
import { partsOf, planLines } from './plan/lines.ts';

const OUTCOMES = { pass: 'passed', warn: 'warned', fail: 'failed', invalid: 'invalid' } as const satisfies Record<
  ChecksVerdict,
  string
>;

/** What the report is made of; execute gives it. */
export interface Execution {
  readonly result: ChecksResult;
  readonly loads: readonly PlacedLoadResult[];
  /** Loads that had no turn, because checks failed. */
  readonly notRun: readonly ResolvedLoad[];
  readonly started: Instant;
  readonly ended: Instant;
}

interface Written {
  readonly results: string;
  readonly junit: string;
}

/** The worst of checks and loads: a failure is worse than not knowing, which is worse than a warning. */
function verdictOf({ result, loads }: Execution): ChecksVerdict {
  const verdicts = [
    ...(result.checks.length > 0 || loads.length === 0 ? [result.verdict] : []),
    ...loads.map((load) => load.result.verdict),
  ];
  return (['fail', 'invalid', 'warn'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'pass';
}

/** What a run of checks and loads comes to. `written` says where its files are. */
export function reportOf(plan: Plan, execution: Execution, written: Written): Report {
  const { result, loads, notRun } = execution;
  const verdict = verdictOf(execution);
  const headline = headlineOf(plan, execution, verdict);
  const green =
    verdict === 'pass' ||
    verdict === 'warn' ||
    (verdict === 'invalid' && plan.onInvalid === 'continue' && result.checks.length + loads.length > 0);
  return {
    conclusion: green ? 'success' : 'failure',
    outcome: OUTCOMES[verdict],
    headline,
    changed: false,
    outputs: {
      verdict,
      passed: String(countOf(result, 'pass')),
      warned: String(countOf(result, 'warn')),
      failed: String(countOf(result, 'fail')),
      ...loadOutputs(loads),
      ...written,
    },
    summary: [
      { kind: 'heading', text: headline },
      { kind: 'text', text: targetLine(plan) },
      ...(result.checks.length === 0 ? [] : [tableOf(result.checks)]),
      ...loads.flatMap((load) => loadSections(load.result)),
      ...(notRun.length === 0
        ? []
        : [{ kind: 'text' as const, text: `Not run, because checks failed: ${loadNames(notRun)}.` }]),
    ],
    annotations: [
      ...result.checks.flatMap((check, index) => annotationOf(check, plan.places[index] ?? plan.placeOf(check.at))),
      ...loads.flatMap(({ result: load, at, rulesAt }) =>
        loadAnnotations(load, { load: plan.placeOf(at), rules: rulesAt.map(plan.placeOf) }, plan.onInvalid),
      ),
    ],
  };
}

/** Of the load with the worst verdict, the first of several. */
function loadOutputs(loads: readonly PlacedLoadResult[]): Readonly<Record<string, string>> {
  const order = ['fail', 'invalid', 'warn', 'pass'] as const;
  const [worst] = [...loads].sort((a, b) => order.indexOf(a.result.verdict) - order.indexOf(b.result.verdict));
  if (worst === undefined) return NO_LOAD;
  const { requests, errors, rate, response } = worst.result.all;
  const number = (value: number): string => String(Number(value.toFixed(3)));
  return {
    requests: String(requests),
    'error-rate': requests === 0 ? '' : String(Number((errors / requests).toFixed(6))),
    'requests-per-second': number(rate),
    'mean-ms': number(response.mean),
    'p50-ms': number(response.p50),
    'p95-ms': number(response.p95),
    'p99-ms': number(response.p99),
  };
}

const NO_LOAD = Object.fromEntries(
  ['requests', 'error-rate', 'requests-per-second', 'mean-ms', 'p50-ms', 'p95-ms', 'p99-ms'].map((name) => [name, '']),
);

/** A dry run measured nothing, so it has no verdict. */
export function plannedReport(plan: Plan): Report {
  const headline = `Would make ${partsOf(plan.document)} against ${plan.target.url}`;
  return {
    conclusion: 'success',
    outcome: 'planned',
    headline,
    changed: false,
    outputs: { verdict: '', passed: '0', warned: '0', failed: '0', ...NO_LOAD, results: '', junit: '' },
    summary: [
      { kind: 'heading', text: headline },
      { kind: 'text', text: targetLine(plan) },
      { kind: 'verbatim', text: planLines(plan).join('\n') },
    ],
  };
}

/** Names what went wrong; why stands in the annotations and in the tables. */
function headlineOf({ target }: Plan, execution: Execution, verdict: ChecksVerdict): string {
  const { result, loads, notRun, started, ended } = execution;
  const all = partsOf({
    checks: result.checks.filter((each) => !isFlow(each)),
    flows: result.checks.filter(isFlow),
    loads,
  });
  const took = `${all} in ${formatDuration(between(started, ended))} against ${target.url}`;
  switch (verdict) {
    case 'pass':
      return `Smoke test passed: ${took}`;
    case 'warn':
      return `Smoke test passed with warnings: ${took}; warned: ${namesOf(execution, 'warn')}`;
    case 'fail':
      return `Smoke test failed: ${took}; failed: ${namesOf(execution, 'fail')}${notRun.length === 0 ? '' : `; not run: ${loadNames(notRun)}`}`;
    case 'invalid':
      return all === ''
        ? `Smoke test proves nothing: nothing was measured at ${target.url}`
        : `Smoke test proves nothing: ${took}; invalid: ${namesOf(execution, 'invalid')}`;
    default:
      return unreachable(verdict);
  }
}

const MOST_NAMES = 5;

const loadNames = (loads: readonly ResolvedLoad[]): string =>
  loads.map(({ name }) => `load ${oneLine(name, 80)}`).join(', ');

function namesOf({ result, loads }: Execution, verdict: ChecksVerdict): string {
  const names = [
    ...result.checks
      .filter((each) => each.verdict === verdict)
      .map((each) => `${isFlow(each) ? 'flow ' : ''}${each.name}`),
    ...loads.filter((each) => each.result.verdict === verdict).map((each) => `load ${each.result.name}`),
  ].map((name) => oneLine(name, 80));
  const more = names.length > MOST_NAMES ? [`${names.length - MOST_NAMES} more`] : [];
  return [...names.slice(0, MOST_NAMES), ...more].join(', ');
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
export function resultFile({ target, places, placeOf }: Plan, execution: Execution): string {
  const { result, loads, notRun, started, ended } = execution;
  const duration: Duration = between(started, ended);
  const content = {
    schema: 'sluice/checks-result/v1',
    verdict: verdictOf(execution),
    target: { url: target.url, host: target.host ?? null, expectVersion: target.expectVersion ?? null },
    startedAt: formatInstant(started),
    finishedAt: formatInstant(ended),
    durationMs: Math.round(duration),
    checks: result.checks.map(({ at, ...check }, index) => ({ ...check, ...(places[index] ?? placeOf(at)) })),
    ...(loads.length === 0 ? {} : { loads: loads.map((load) => load.result) }),
    ...(notRun.length === 0 ? {} : { loadsNotRun: notRun.map(({ name }) => name) }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
