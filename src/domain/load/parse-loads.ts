import { type Base, CHECK_KEYS, readCheck } from '../checks/check.ts';
import type { Check, Flow, Template } from '../checks/document.ts';
import { type Place, complain, fieldsOf, isMapping, itemsOf, readCount, readText } from '../checks/place.ts';
import { type Grammar, readTemplate } from '../checks/template.ts';
import { nearestOf } from '../inputs.ts';
import { LEVELS } from '../policy/rule.ts';
import { MOST_REQUESTS, USUAL_BUDGET, type Load, type LoadModel } from './load.ts';
import { readModel } from './parse-model.ts';
import { LOAD_RULE_GRAMMAR, type LoadRule, readLoadRule } from './rule.ts';

export interface LoadContext {
  readonly base: Base;
  readonly checks: readonly Check[];
  readonly flows: readonly Flow[];
}

export const LOAD_ONLY_KEYS = [
  'closed',
  'phases',
  'concurrency',
  'scenarios',
  'rules',
  'max-requests',
  'stable',
] as const;
/** A load without scenarios is one of its own request, in the words of a check. */
export const REQUEST_KEYS_OF_LOAD = CHECK_KEYS.filter(
  (key) => !['name', 'retry', 'warn', 'weight', 'addresses'].includes(key),
);

export function readLoads(place: Place, grammar: Grammar, context: LoadContext): readonly Load[] {
  const names = new Set<string>();
  return itemsOf(place).flatMap((item) => {
    const load = readLoad(item, grammar, context);
    if (load !== undefined && load.name !== '' && names.has(load.name))
      complain({ ...item, value: load.name }, 'is the name of an earlier load too', { accepted: 'a name of its own' });
    if (load !== undefined) names.add(load.name);
    return load === undefined ? [] : [load];
  });
}

function readLoad(place: Place, grammar: Grammar, context: LoadContext): Load | undefined {
  if (!isMapping(place.value))
    return complain(place, 'is not a load', { accepted: 'a mapping with `name` and a model' });
  const fields = fieldsOf(place, { known: ['name', ...LOAD_ONLY_KEYS, ...REQUEST_KEYS_OF_LOAD], later: ['k6'] });
  const name = fields.name ? readText(fields.name)?.trim() : complain({ ...place, value: undefined }, 'has no `name`');
  const model = readModel(place, fields);
  const scenarios = readScenarios(place, { fields, grammar, context });
  const budget = fields['max-requests'] && readCount(fields['max-requests'], { min: 1, max: MOST_REQUESTS });
  const rules = fields.rules ? readRules(fields.rules, scenarioNames(scenarios)) : [];
  if (fields.rules === undefined)
    complain({ ...place, value: undefined }, 'has no `rules`: nothing would be judged', {
      accepted: `fail: ${LOAD_RULE_GRAMMAR}`,
    });
  const stable = fields.stable && readText(fields.stable);
  return {
    name: name ?? '',
    at: place.path,
    model: model ?? NO_MODEL,
    rules,
    budget: budget ?? USUAL_BUDGET,
    scenarios,
    ...(fields.stable && stable !== undefined
      ? { stable: readTemplate(fields.stable, stable, grammar) as Template }
      : {}),
  };
}

/** Of a load with problems, which is never run. */
const NO_MODEL: LoadModel = { kind: 'closed', concurrency: 1 };

interface ScenarioSources {
  readonly fields: Partial<Record<string, Place>>;
  readonly grammar: Grammar;
  readonly context: LoadContext;
}

function readScenarios(place: Place, { fields, grammar, context }: ScenarioSources): Load['scenarios'] {
  const { scenarios } = fields;
  const own = REQUEST_KEYS_OF_LOAD.filter((key) => fields[key] !== undefined);
  if (scenarios === undefined) {
    const request = Object.fromEntries(own.map((key) => [key, fields[key]?.value]));
    const check = readCheck({ ...place, value: { name: 'request', ...request } }, grammar, context.base);
    return check === undefined ? [] : [{ kind: 'check', check, weight: 1 }];
  }
  for (const key of own)
    complain({ ...place, value: undefined }, `has \`scenarios\` and \`${key}\``, { accepted: 'either of the two' });
  const known = [...context.flows, ...context.checks].map(({ name }) => name);
  return itemsOf(scenarios).flatMap((item): Load['scenarios'] => {
    const name = readText(item);
    const check = context.checks.find((each) => each.name === name);
    if (check !== undefined) return [{ kind: 'check', check, weight: check.weight }];
    if (name === undefined) return [];
    if (known.includes(name)) return [{ kind: 'flow', name }];
    complain(item, 'is neither a flow nor a check of this file', {
      accepted: known.join(', ') || 'none is defined',
      nearest: nearestOf(name, known),
    });
    return [];
  });
}

const scenarioNames = (scenarios: Load['scenarios']): readonly string[] =>
  scenarios.flatMap((scenario) =>
    scenario.kind === 'flow'
      ? [scenario.name]
      : scenario.check.paths.length === 1
        ? [scenario.check.name]
        : scenario.check.paths.map(({ text }) => `${scenario.check.name} ${text}`),
  );

export const LOAD_RULE_KEYS = [...LEVELS, 'scenario'] as const;

function readRules(place: Place, scenarios: readonly string[]): readonly LoadRule[] {
  return itemsOf(place).flatMap((item) => {
    // `fail: RULE` inside quotes is text, and means the same.
    const [, level, rest] = /^(fail|warn): *(.*)$/s.exec(typeof item.value === 'string' ? item.value : '') ?? [];
    const entry = level === undefined ? item : { ...item, value: { [level]: rest } };
    const { scenario, ...levels } = fieldsOf(entry, { known: LOAD_RULE_KEYS });
    const [given, ...more] = LEVELS.filter((each) => levels[each] !== undefined);
    if (given === undefined || more.length > 0) {
      if (isMapping(entry.value))
        complain({ ...item, value: undefined }, 'needs one of fail and warn', { accepted: 'fail: RULE or warn: RULE' });
      return [];
    }
    const text = levels[given] && readText(levels[given]);
    const of = scenario && readScenarioName(scenario, scenarios);
    if (text === undefined) return [];
    const read = readLoadRule(text);
    if (!read.ok) {
      complain(levels[given] ?? item, read.problem, { accepted: read.accepted, nearest: read.nearest });
      return [];
    }
    return [{ ...read.rule, level: given, at: item.path, ...(of === undefined ? {} : { scenario: of }) }];
  });
}

function readScenarioName(place: Place, scenarios: readonly string[]): string | undefined {
  const name = readText(place);
  if (name === undefined || scenarios.includes(name)) return name;
  return complain(place, 'is no scenario of this load', {
    accepted: scenarios.join(', '),
    nearest: nearestOf(name, scenarios),
  });
}
