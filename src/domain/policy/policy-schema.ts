import { type JsonSchema, closed, defined, durations, oneKeyOf, words } from '../json-schema.ts';
import { BUILT_IN_METRICS, kindOf } from './metric.ts';
import { DEFAULT_TEST, type TEST_KEYS } from './parse-comparison.ts';
import { METRIC_NAME, type PROBE_KEYS, type WEB_KEYS } from './parse-metrics.ts';
import type { POLICY_KEYS, RECHECK_KEYS } from './parse-policy.ts';
import type { RULE_KEYS } from './parse-rules.ts';
import { ON_INCONCLUSIVE, ON_NO_DATA } from './policy.ts';
import { COMPARATORS, RULE_GRAMMAR } from './rule.ts';
import { cloudwatch, prometheus } from './source-schema.ts';

/** `error-rate > 5% for 2m` or `health fails 4 in a row`; the reader judges names, units and durations. */
const COMPARISON = String.raw`[^\s<>=]+\s*(?:${COMPARATORS.join('|')})\s*-?\d+(?:\.\d+)?\s*(?:%|ms|s|\/s)?(?:\s+for\s+\d\S*)?`;
const AGAINST_STABLE = String.raw`[^\s<>=]+\s*(?:${COMPARATORS.join('|')})\s*stable\s*[+-]\s*\d+(?:\.\d+)?\s*(?:pp|%|ms)`;
const STREAK = String.raw`\S+\s+fails\s+\d{1,3}\s+in\s+a\s+row`;
const SENTENCE = `(?:${COMPARISON}|${AGAINST_STABLE}|${STREAK})`;
const sentence = (description: string, before = ''): JsonSchema => ({
  type: 'string',
  pattern: String.raw`^\s*${before}${SENTENCE}\s*$`,
  patternErrorMessage: `A rule: ${RULE_GRAMMAR}`,
  description,
  examples: ['error-rate > 5% for 2m', 'error-rate > stable + 0.1pp', 'health fails 4 in a row', 'p95 > 2000ms for 5m'],
});

const test = closed<(typeof TEST_KEYS)[number]>(
  {
    alpha: {
      type: 'number',
      minimum: 0.0001,
      maximum: 0.2,
      description: `Chance of failing a release that is no worse than the margin, over the whole rollout. Default: ${DEFAULT_TEST.alpha}, shared by the comparisons that can fail.`,
    },
    'min-events': {
      type: 'integer',
      minimum: 1,
      default: DEFAULT_TEST.minEvents,
      description: 'Bad requests of the candidate that a failure needs.',
    },
  },
  { description: 'How a comparison with stable is tested: sequentially, so that it may look at every interval.' },
);

const rule = closed<(typeof RULE_KEYS)[number]>(
  {
    fail: sentence('Breaking it ends the release and takes the traffic back.'),
    warn: sentence('Breaking it is shown and counted; the release goes on.'),
    window: durations('Time that one measurement looks back. Default: two intervals. Example: `1m`.'),
    'min-samples': {
      type: 'integer',
      minimum: 1,
      description:
        'Requests that a value needs before it is believed. Default: 20 for rates, 10 / (1 - p) for percentiles, 1 for own metrics.',
    },
    'fast-fail': {
      enum: [true, false, 'true', 'false'],
      description:
        'Whether an excess beyond doubt ends the hold early. Only for `error-rate > LIMIT` and for percentiles whose source counts slow requests, where it is the default.',
    },
    test,
    'max-uncertainty': {
      type: 'string',
      pattern: String.raw`^\s*\d+(?:\.\d+)?\s?pp\s*$`,
      patternErrorMessage: 'Percentage points: 1pp',
      description:
        'Of a comparison with stable: as long as the candidate may be so much worse, nothing is promoted. Default: 5pp for rates, 10pp for times.',
    },
  },
  oneKeyOf(['fail', 'warn']),
);

const rules: JsonSchema = {
  type: 'array',
  minItems: 1,
  description: 'What is judged at every measurement. At least one rule must fail, or nothing could stop a bad release.',
  items: {
    anyOf: [
      rule,
      sentence(
        'Short form: the rule alone fails; `warn:` before it only warns.',
        String.raw`(?:-\s*)?(?:(?:fail|warn):\s*)?`,
      ),
    ],
  },
};

const steps: JsonSchema = {
  type: ['array', 'string', 'integer'],
  minItems: 1,
  minimum: 1,
  maximum: 100,
  items: {
    type: ['string', 'integer'],
    minimum: 1,
    maximum: 100,
    pattern: String.raw`^\s*\d{1,3}\s?%?\s*$`,
    patternErrorMessage: 'A whole percentage: 10%',
  },
  pattern: String.raw`^(?:\s*\d{1,3}\s?%?\s*,)*\s*\d{1,3}\s?%?\s*$`,
  patternErrorMessage: 'Rising percentages that end with 100%: 10%, 50%, 100%',
  description: 'Share of the traffic that the candidate gets, rising, the last is 100 %. Default: 10%, 50%, 100%.',
  examples: [['10%', '50%', '100%']],
};

const recheck: JsonSchema = {
  anyOf: [
    { const: 'none', description: 'No recheck.' },
    closed<(typeof RECHECK_KEYS)[number]>({
      after: durations('Pause between the last step and the recheck.', '30s'),
      for: durations('How long the release is judged again.', '2m'),
    }),
  ],
  description: 'After the last step: wait `after`, then judge `for` so long. `none` leaves it out.',
};

const probe = closed<(typeof PROBE_KEYS)[number]>(
  {
    from: { const: 'probe', description: 'Own requests to the candidate.' },
    path: {
      type: 'string',
      pattern: String.raw`^\s*\/`,
      description: 'What is asked for. Default: `/health` for health, else `/`.',
    },
    every: durations('Time between two requests, at least 20ms.', '1s'),
    timeout: durations('Longest time of one request.', '5s'),
  },
  { title: 'Own requests', required: ['from'] },
);

const jsonPath = (description: string): JsonSchema => ({
  type: 'string',
  pattern: String.raw`^\s*\$`,
  patternErrorMessage: 'An RFC 9535 path: $.requests',
  description,
});

/** Without the number of requests behind it, nobody can say whether a rate means anything. */
const web = (samples: 'required' | 'optional'): JsonSchema =>
  closed<(typeof WEB_KEYS)[number]>(
    {
      from: { const: 'web', description: 'JSON over HTTP from a service that knows the numbers.' },
      url: {
        type: 'string',
        pattern: String.raw`^\s*(?:https?:\/\/|\$\{)`,
        patternErrorMessage: 'An http or https URL',
        description:
          'Where the numbers are. `{color}`, `{target-group}`, `{window}`, `{from}` and `{to}` are filled in, `${NAME}` comes from the environment of the step.',
      },
      value: jsonPath(
        'RFC 9535 path of the value: rates are fractions, times are milliseconds. Example: `$.errorRate`.',
      ),
      samples: jsonPath('RFC 9535 path of the number of requests behind the value. Example: `$.requests`.'),
      headers: {
        type: 'object',
        additionalProperties: words('Secrets as `${NAME}` of the environment of the step.'),
        description: 'Headers of the request.',
      },
      timeout: durations('Longest time of one request, at least 100ms.', '10s'),
    },
    {
      title: 'A service that knows the numbers',
      required: ['from', 'url', 'value', ...(samples === 'required' ? ['samples'] : [])],
    },
  );

function sourceOf(metric: string): JsonSchema {
  const measured = [defined('prometheus'), defined('cloudwatch')];
  switch (kindOf(metric)) {
    case 'checks':
      return {
        anyOf: [defined('probe'), defined('web'), ...measured],
        description: 'The health check of the candidate.',
      };
    case 'rate':
    case 'time':
      return {
        anyOf: [defined('probe'), defined('web-of-requests'), ...measured],
        description: `Where ${metric} is read.`,
      };
    case 'throughput':
    case 'own':
      return {
        anyOf: [defined('web'), ...measured],
        description: 'The requests of users: a probe sees only its own.',
      };
  }
}

const metrics: JsonSchema = {
  type: 'object',
  description:
    'Where each metric comes from. Built-in ones need no entry: they are probed, except `requests`. Others are your own, read from a service.',
  propertyNames: { pattern: METRIC_NAME.source },
  properties: Object.fromEntries(BUILT_IN_METRICS.map((metric) => [metric, sourceOf(metric)])),
  additionalProperties: { anyOf: [defined('web'), defined('prometheus'), defined('cloudwatch')] },
};

/** A delivery policy as `parsePolicy` reads it. A test holds the two together. */
export const POLICY_SCHEMA: JsonSchema = closed<(typeof POLICY_KEYS)[number]>(
  {
    steps,
    bake: durations('Judged time at each step.', '5m'),
    recheck,
    deadline: durations('Of the whole shift, the recheck included; when it passes, the release is taken back.', '30m'),
    'rollback-within': durations('How long the way back may take; passing it is said, it stops nothing.', '2m'),
    rules,
    'on-inconclusive': {
      enum: ON_INCONCLUSIVE,
      default: ON_INCONCLUSIVE[0],
      description: 'What happens when a step ends and too few requests came to judge by.',
    },
    'on-no-data': {
      enum: ON_NO_DATA,
      default: ON_NO_DATA[0],
      description: 'What happens when a metric gives nothing for `no-data-timeout`.',
    },
    'no-data-timeout': durations('How long a metric may give nothing.', '2m'),
    interval: durations('Time between two measurements, at least 50ms.', '15s'),
    metrics,
  },
  {
    title: 'Delivery policy of Sluice',
    description: 'How a release is judged while it takes over traffic.',
    required: ['rules'],
    $defs: { probe, web: web('optional'), 'web-of-requests': web('required'), prometheus, cloudwatch },
  },
);
