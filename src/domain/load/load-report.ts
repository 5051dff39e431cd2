import type { Annotation, Section } from '../report.ts';
import { latencyChart } from './chart.ts';
import type { LoadPart, LoadResult } from './result.ts';
import { ruleWords } from './rule.ts';

interface Place {
  readonly file: string;
  readonly line: number;
}

/** Where a load and its rules are written; undefined for what an input says. */
export interface LoadPlaces {
  readonly load: Place | undefined;
  readonly rules: readonly (Place | undefined)[];
}

/** Sections of one load for the summary: what was measured, what the rules say, the curve, and why answers failed. */
export function loadSections(result: LoadResult): readonly Section[] {
  const { name, verdict, rules, invalid, all, scenarios, stable, reasons, versions, generator } = result;
  const rows = [
    rowOf('all', all),
    ...(scenarios.length > 1 ? scenarios.map((part) => rowOf(part.name, part)) : []),
    ...(stable ? [rowOf('stable', stable.all)] : []),
  ];
  const lag = `Generator: ${generator.started}${generator.planned === undefined ? '' : ` of ${generator.planned}`} started, lag p99 ${ms(generator.lagP99)}, busy ${Math.round(generator.busy * 100)} %${generator.waited > 0 ? `, ${generator.waited} waited for a place` : ''}.`;
  return [
    { kind: 'heading', text: `Load ${name}: ${verdict}` },
    ...(invalid.length > 0 ? [{ kind: 'text' as const, text: invalid.map((each) => `- ${each}.`).join('\n') }] : []),
    {
      kind: 'table',
      columns: ['Scenario', 'Requests', 'Rate', 'Errors', 'Mean', 'p50', 'p95', 'p99', 'Max', 'Service p95'],
      rows,
    },
    ...(rules.length > 0
      ? [
          {
            kind: 'table' as const,
            columns: ['Rule', 'Outcome', 'Measured'],
            rows: rules.map(({ level, rule, scenario, outcome, words }) => [
              ruleWords({ level, text: rule, scenario }),
              outcome,
              words,
            ]),
          },
        ]
      : []),
    { kind: 'mermaid', source: latencyChart(result) },
    { kind: 'text', text: lag },
    ...tableOf(
      'Why',
      reasons.slice(0, 10).map(({ reason, count }) => [reason, String(count)]),
    ),
    ...tableOf(
      'Version',
      Object.entries(versions).map(([version, count]) => [version, String(count)]),
    ),
  ];
}

const tableOf = (what: string, rows: readonly (readonly string[])[]): readonly Section[] =>
  rows.length === 0 ? [] : [{ kind: 'table', columns: [what, 'Answers'], rows }];

const ms = (value: number): string => `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} ms`;

const rowOf = (name: string, { requests, errors, rate, response, service }: LoadPart): readonly string[] => [
  name,
  String(requests),
  `${Number(rate.toPrecision(3))}/s`,
  `${errors} (${requests === 0 ? 0 : Number(((errors / requests) * 100).toPrecision(3))} %)`,
  ...[response.mean, response.p50, response.p95, response.p99, response.max, service.p95].map(ms),
];

/** What stands first in every message about it. */
export function loadLine(result: LoadResult): string {
  const { name, verdict, all, rules, invalid } = result;
  const broken = rules.filter(({ outcome }) => outcome === 'broken').map(({ words }) => words);
  const why = [...broken, ...invalid].slice(0, 3).join('; ');
  const rate = Number(all.rate.toPrecision(3));
  return `${name}: ${verdict} (${all.requests} answers, ${rate}/s, ${all.errors} errors, p95 ${ms(all.response.p95)})${why === '' ? '' : `: ${why}`}`;
}

/** One for each rule that is not kept, at its line; what else takes the load's worth stands at the load. */
export function loadAnnotations(
  { name, rules, invalid }: LoadResult,
  places: LoadPlaces,
  onInvalid: 'fail' | 'continue',
): readonly Annotation[] {
  const doubt = onInvalid === 'fail' ? 'error' : 'warning';
  const ofRules = rules.flatMap(({ rule, level, outcome, words }, index): readonly Annotation[] => {
    if (outcome === 'kept') return [];
    const severity = level === 'warn' ? 'warning' : outcome === 'broken' ? 'error' : doubt;
    return [
      {
        level: severity,
        title: `Load ${name}, ${level}: ${rule}`,
        message: words,
        ...(places.rules[index] ?? places.load),
      },
    ];
  });
  const others = invalid.filter((each) => rules.every(({ words }) => words !== each));
  const ofLoad: Annotation = { level: doubt, title: `Load ${name}`, message: others.join('; '), ...places.load };
  return [...ofRules, ...(others.length === 0 ? [] : [ofLoad])];
}
