import { type JsonSchema, closed, durations, words } from '../json-schema.ts';
import { type CLOUDWATCH_KEYS, type CLOUDWATCH_QUERY_KEYS, UNANSWERED } from './parse-cloudwatch.ts';
import type { PROMETHEUS_KEYS } from './parse-prometheus.ts';

const counter = (description: string): JsonSchema => ({
  ...words(`${description} A selector without functions; \`{color}\` and \`{target-group}\` are filled in.`),
  pattern: String.raw`^\s*(?:[a-zA-Z_:][\w:]*\s*(?:\{[\s\S]*\})?|\{[\s\S]+\})\s*$`,
  patternErrorMessage: 'A selector of a counter: http_requests_total{color="{color}"}',
  examples: ['http_requests_total{code=~"5..",color="{color}"}'],
});

export const prometheus: JsonSchema = closed<(typeof PROMETHEUS_KEYS)[number]>(
  {
    from: { const: 'prometheus', description: 'The HTTP API of Prometheus.' },
    url: {
      type: 'string',
      pattern: String.raw`^\s*(?:https?:\/\/|\$\{)`,
      patternErrorMessage: 'An http or https URL',
      description: 'Without `/api/v1`. `${NAME}` comes from the environment of the step.',
    },
    bad: counter('Counter of the bad requests of a rate.'),
    total: counter('Counter of all requests.'),
    histogram: counter('Buckets of a histogram in seconds, for percentiles.'),
    value: words(
      'A whole query in place of them, with `{window}` where it needs one. Times in milliseconds. Example: `max(queue_depth{color="{color}"})`.',
    ),
    samples: words('A query for the number of requests behind `value`; rates and times need it.'),
    headers: {
      type: 'object',
      additionalProperties: words('Secrets as `${NAME}` of the environment of the step.'),
      description: 'Headers of the request.',
    },
    timeout: durations('Longest time of one request, at least 100ms.', '10s'),
  },
  { title: 'Prometheus', required: ['from', 'url'] },
);

const query = closed<(typeof CLOUDWATCH_QUERY_KEYS)[number]>(
  {
    namespace: words('Where the metric stands.', 'AWS/ApplicationELB'),
    metric: words('Its name.', 'RequestCount'),
    dimensions: {
      type: 'object',
      additionalProperties: words('A value; `{color}` and `{target-group}` are filled in.'),
      description: 'Its dimensions by name.',
    },
    stat: { ...words('Statistic of a minute: `Sum`, `Average`, `p95`.'), default: 'Sum' },
  },
  { required: ['namespace', 'metric'] },
);

const maths = (description: string): JsonSchema => words(`${description} An id of \`queries\`, or metric maths.`);

export const cloudwatch: JsonSchema = closed<(typeof CLOUDWATCH_KEYS)[number]>(
  {
    from: {
      const: 'cloudwatch',
      description: 'CloudWatch, by the minute. Built-in metrics are those of the load balancer for the target group.',
    },
    delay: durations('How long after its end a minute is taken for complete.', '30s'),
    unanswered: {
      enum: [...UNANSWERED],
      description:
        'Of `error-rate` by target group: whether requests that no target answered (502, 504) are errors. Not where WebSockets are opened: they have no status class either.',
      default: 'ignored',
    },
    queries: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: String.raw`^[a-z]\w{0,99}$` },
      additionalProperties: query,
      description: 'Metrics of your own, by the id that the maths names.',
    },
    bad: maths('Bad requests of a rate.'),
    total: maths('All requests of a rate.'),
    value: maths('The value itself.'),
    samples: maths('Requests behind `value`; rates and times need them.'),
  },
  { title: 'CloudWatch', required: ['from'] },
);
