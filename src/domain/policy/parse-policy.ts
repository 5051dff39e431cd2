import { formatDuration, milliseconds, minutes, seconds } from '../duration.ts';
import { type Checked, type InputProblem, bad, good, printable } from '../inputs.ts';
import { longestWait, shortestTime } from './budget.ts';
import { type Mapping, choiceAt, durationAt, isMapping, mappingAt, refuse, refuseUnknownKeys } from './document.ts';
import { BUILT_IN_METRICS, isBuiltIn, kindOf } from './metric.ts';
import { builtInSource, readMetrics } from './parse-metrics.ts';
import { periodsOf, traitsOf } from './source-traits.ts';
import { readRules } from './parse-rules.ts';
import { readSteps } from './parse-steps.ts';
import { type MetricSource, type Policy, type Recheck, ON_INCONCLUSIVE, ON_NO_DATA } from './policy.ts';
import type { Rule } from './rule.ts';

export const POLICY_KEYS = [
  'steps',
  'bake',
  'recheck',
  'deadline',
  'rollback-within',
  'rules',
  'on-inconclusive',
  'on-no-data',
  'no-data-timeout',
  'interval',
  'metrics',
] as const;

/**
 * Reads a delivery policy: a parsed YAML document, or the same keys from the inputs of an action (`steps: 10,50,100`).
 * Names every problem at once, each with the path of its value; what the grammar says and this version cannot judge is
 * refused by name, and so is a policy that cannot end before its own deadline.
 */
export function parsePolicy(value: unknown): Checked<Policy> {
  if (!isMapping(value))
    return bad({
      input: 'policy',
      given: printable(value ?? ''),
      problem: 'is not a mapping',
      accepted: POLICY_KEYS.join(', '),
    });
  const problems: InputProblem[] = [];
  const document: Mapping = { path: '', values: value, problems };
  refuseUnknownKeys(document, POLICY_KEYS);
  const interval = durationAt(document, 'interval', { fallback: seconds(15), min: milliseconds(50) });
  const listed = readMetrics(document);
  const names = [...BUILT_IN_METRICS, ...(isMapping(value['metrics']) ? Object.keys(value['metrics']) : [])];
  const sources = { ...builtIn(names), ...listed };
  const rules = readRules(document, { metrics: names, interval, sources: traitsOf(sources) });
  const policy: Policy = {
    ...readSteps(document),
    bake: durationAt(document, 'bake', { fallback: minutes(5) }),
    recheck: readRecheck(document),
    deadline: durationAt(document, 'deadline', { fallback: minutes(30) }),
    rollbackWithin: durationAt(document, 'rollback-within', { fallback: minutes(2) }),
    rules,
    onInconclusive: choiceAt(document, 'on-inconclusive', ON_INCONCLUSIVE),
    onNoData: choiceAt(document, 'on-no-data', ON_NO_DATA),
    noDataTimeout: durationAt(document, 'no-data-timeout', { fallback: minutes(2) }),
    interval,
    metrics: { ...sourcesOf(rules, document), ...listed },
  };
  refuseImpossible(document, policy);
  return problems.length === 0 ? good(policy) : bad(...problems);
}

/** Where built-in metrics come from when the file does not say. */
const builtIn = (names: readonly string[]): Readonly<Record<string, MetricSource>> =>
  Object.fromEntries(names.filter(isBuiltIn).map((metric) => [metric, builtInSource(metric)]));

/** Rules may name built-in metrics that the file does not list; the requests of users are not among what a probe can see. */
function sourcesOf(rules: readonly Rule[], document: Mapping): Readonly<Record<string, MetricSource>> {
  const listed = isMapping(document.values['metrics']) ? Object.keys(document.values['metrics']) : [];
  const unlisted = [...new Set(rules.map((rule) => rule.metric))].filter(
    (metric) => isBuiltIn(metric) && !listed.includes(metric),
  );
  for (const metric of unlisted.filter((each) => kindOf(each) === 'throughput')) {
    refuse(document, `metrics.${metric}`, {
      problem: 'is missing: a rule needs it and no probe can measure it',
      accepted: '{ from: web, url, value }, or from: cloudwatch or prometheus',
    });
  }
  return Object.fromEntries(unlisted.map((metric) => [metric, builtInSource(metric)]));
}

export const RECHECK_KEYS = ['after', 'for'] as const;

/** `none` is the word for no recheck, because an absent key means the usual one. */
function readRecheck(document: Mapping): Recheck | undefined {
  const usual: Recheck = { after: seconds(30), for: minutes(2) };
  if (document.values['recheck'] === undefined) return usual;
  if (document.values['recheck'] === 'none') return undefined;
  const recheck = mappingAt(document, 'recheck');
  if (recheck === undefined) return undefined;
  refuseUnknownKeys(recheck, RECHECK_KEYS);
  return {
    after: durationAt(recheck, 'after', { fallback: usual.after }),
    for: durationAt(recheck, 'for', { fallback: usual.for }),
  };
}

function refuseImpossible(document: Mapping, policy: Policy): void {
  const { interval, bake, noDataTimeout, deadline, rollbackWithin } = policy;
  const measured = `the interval of the measurements (${formatDuration(interval)})`;
  if (bake < interval)
    refuse(document, 'bake', { problem: `is shorter than ${measured}, so that a step would end unmeasured` });
  if (noDataTimeout < interval) refuse(document, 'no-data-timeout', { problem: `is shorter than ${measured}` });
  if (rollbackWithin <= 0) refuse(document, 'rollback-within', { problem: 'leaves no time for a rollback' });
  refuseLate(document, policy);
  refuseUncompared(document, policy);
  const shortest = shortestTime(policy);
  const waits = longestWait(policy);
  if (deadline < shortest + waits) {
    const parts = `${policy.steps.length} steps of ${formatDuration(bake)}${policy.recheck ? ` and a recheck of ${formatDuration(milliseconds(policy.recheck.after + policy.recheck.for))}` : ''}`;
    refuse(document, 'deadline', {
      problem: `cannot be met: ${parts} take ${formatDuration(shortest)} at least,${waitWords(policy)} the deadline is ${formatDuration(deadline)}`,
    });
  }
}

/** An approval that could only come after the deadline would be asked for in vain. */
const waitWords = (policy: Policy): string =>
  policy.gates.length === 0
    ? ''
    : ` ${policy.gates.length === 1 ? 'an approval' : `${policy.gates.length} approvals`} may take ${formatDuration(longestWait(policy))} more,`;

/** A source with long periods must have told something of a step before the step may end. */
function refuseLate(document: Mapping, { bake, noDataTimeout, metrics }: Policy): void {
  const known = Object.values(metrics).map((source) => periodsOf(source));
  const longest = Math.max(0, ...known.map((periods) => (periods ? periods.length + periods.delay : 0)));
  const what = `cloudwatch knows a minute ${formatDuration(milliseconds(longest))} after it began`;
  if (bake < longest)
    refuse(document, 'bake', { problem: `is too short: ${what}, so that a step would end unmeasured` });
  if (longest > 0 && noDataTimeout < longest) refuse(document, 'no-data-timeout', { problem: `is too short: ${what}` });
}

function refuseUncompared(document: Mapping, { steps, rules }: Policy): void {
  const comparison = rules.find((rule) => rule.kind === 'comparison');
  if (comparison === undefined || steps.some((percent) => percent < 100)) return;
  const problem = `has no step below 100%, where stable has requests that "${comparison.text}" could compare with`;
  refuse(document, 'steps', { problem, accepted: '[10%, 100%]' });
}
