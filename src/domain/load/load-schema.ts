import { type JsonSchema, closed, durations, oneKeyOf, words } from '../json-schema.ts';
import { LEVELS } from '../policy/rule.ts';
import { type LOAD_ONLY_KEYS, type LOAD_RULE_KEYS, REQUEST_KEYS_OF_LOAD } from './parse-loads.ts';
import type { CLOSED_KEYS, PHASE_KEYS } from './parse-model.ts';
import { LOAD_RULE_GRAMMAR } from './rule.ts';

const rule = words('Rule that the load must keep.', 'p95 > 500ms');
const loadRule: JsonSchema = {
  anyOf: [
    { type: 'string', pattern: '^(?:fail|warn):' },
    closed<(typeof LOAD_RULE_KEYS)[number]>(
      { fail: rule, warn: rule, scenario: words('Only the answers of this scenario.') },
      oneKeyOf(LEVELS),
    ),
  ],
};

const rate: JsonSchema = {
  type: 'string',
  pattern: String.raw`^\s*\d+(?:\.\d+)? ?\/ ?s\s*$`,
  patternErrorMessage: 'Arrivals a second with the unit: 5/s',
};
const concurrency = (description: string): JsonSchema => ({
  type: 'integer',
  minimum: 1,
  maximum: 10_000,
  description,
});

const loadKeys: Readonly<Record<(typeof LOAD_ONLY_KEYS)[number], JsonSchema>> = {
  closed: closed<(typeof CLOSED_KEYS)[number]>(
    {
      count: { type: 'integer', minimum: 1, maximum: 100_000_000, description: 'Runs of the scenarios in all.' },
      concurrency: concurrency('Users at the same time; each sends its next request after the last answer.'),
      duration: durations('Longest time of the load; at most 24h.'),
    },
    { required: ['concurrency'], anyOf: [{ required: ['count'] }, { required: ['duration'] }] },
  ),
  phases: {
    type: 'array',
    minItems: 1,
    description: 'Users arrive at a rate, whatever the system does.',
    items: closed<(typeof PHASE_KEYS)[number]>(
      {
        duration: durations('Length of the phase.'),
        arrivals: { ...rate, description: 'Arrivals a second, at the beginning where `ramp-to` is given.' },
        'ramp-to': { ...rate, description: 'Arrivals a second at the end of the phase.' },
      },
      { required: ['duration', 'arrivals'] },
    ),
  },
  concurrency: concurrency('Of phases: most users that are served at the same time; the others wait, and that counts.'),
  scenarios: { type: 'array', minItems: 1, items: words('Name of a flow or of a check of this file.') },
  rules: {
    type: 'array',
    minItems: 1,
    items: loadRule,
    description: `fail: RULE or warn: RULE; RULE is ${LOAD_RULE_GRAMMAR}.`,
  },
  'max-requests': {
    type: 'integer',
    minimum: 1,
    maximum: 100_000_000,
    default: 1_000_000,
    description: 'The load ends there.',
  },
  stable: words('Base URL of the release before: it gets the same load in alternation, for rules against `stable`.'),
};

/** A load as `readLoads` reads it. `request` are the keys of a check that a load's own request may have. */
export const loadSchema = (request: Readonly<Record<string, JsonSchema | undefined>>): JsonSchema =>
  closed(
    {
      name: words('Name of the load in every message; its own.'),
      ...loadKeys,
      ...Object.fromEntries(REQUEST_KEYS_OF_LOAD.map((key) => [key, request[key] ?? {}])),
    },
    { title: 'Load', required: ['name', 'rules'], oneOf: [{ required: ['closed'] }, { required: ['phases'] }] },
  );
