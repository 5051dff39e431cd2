import type { ResolvedLoad } from '../load/load.ts';
import type { LoadResult } from '../load/result.ts';
import { ruleWords } from '../load/rule.ts';
import { type CheckResult, isFlow } from './result.ts';

/** Characters that XML 1.0 cannot carry at all, also not as references: control characters but tab and line ends. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu;

const xml = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(FORBIDDEN, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  readonly ending: 'passed' | 'failed' | 'error' | 'skipped';
  readonly message: string;
}

/** JUnit XML, as test reporters of CI systems read it: a case for each check, each flow and for each rule of a load, also of one that was not run. */
export function junitXml(
  checks: readonly CheckResult[],
  loads: readonly LoadResult[],
  notRun: readonly ResolvedLoad[] = [],
): string {
  const cases = [...checks.map(checkCase), ...loads.flatMap(loadCases), ...notRun.flatMap(skippedCases)];
  const suites = [...new Set(cases.map(({ suite }) => suite))];
  const body = suites.map((suite) =>
    suiteXml(
      suite,
      cases.filter((each) => each.suite === suite),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="smoke-test">\n${body.join('')}</testsuites>\n`;
}

function checkCase(check: CheckResult): Case {
  const { name, verdict, durationMs, reasons } = check;
  return {
    suite: isFlow(check) ? 'flows' : 'checks',
    name,
    seconds: durationMs / 1_000,
    ending: verdict === 'fail' ? 'failed' : 'passed',
    message: reasons.join('; '),
  };
}

function loadCases({ name, rules, invalid, seconds }: LoadResult): readonly Case[] {
  const suite = suiteOf(name);
  const endings = { kept: 'passed', broken: 'failed', unknown: 'error' } as const;
  const judged = rules.map(({ rule, level, scenario, outcome, words }): Case => ({
    suite,
    name: ruleWords({ level, text: rule, scenario }),
    seconds,
    // A warning is said elsewhere: in JUnit there is only red.
    ending: level === 'warn' ? 'passed' : endings[outcome],
    message: words,
  }));
  const others = invalid.filter((each) => rules.every(({ words }) => words !== each));
  return [
    ...judged,
    ...others.map((message): Case => ({ suite, name: 'validity', seconds, ending: 'error', message })),
  ];
}

const suiteOf = (load: string): string => `load ${load}`;

const skippedCases = ({ name, rules }: ResolvedLoad): readonly Case[] =>
  rules.map((rule) => ({
    suite: suiteOf(name),
    name: ruleWords(rule),
    seconds: 0,
    ending: 'skipped',
    message: 'not run, because checks failed',
  }));

function suiteXml(name: string, cases: readonly Case[]): string {
  const count = (ending: Case['ending']): number => cases.filter((each) => each.ending === ending).length;
  const body = cases.map(caseXml).join('');
  return `  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}">\n${body}  </testsuite>\n`;
}

function caseXml({ suite, name, seconds, ending, message }: Case): string {
  const start = `    <testcase classname="${xml(suite)}" name="${xml(name)}" time="${seconds.toFixed(3)}"`;
  if (ending === 'passed') return `${start}/>\n`;
  const kind = { failed: 'failure', error: 'error', skipped: 'skipped' }[ending];
  return `${start}>\n      <${kind} message="${xml(message)}"/>\n    </testcase>\n`;
}
