import { type Duration, hours, milliseconds, minutes, seconds } from '../duration.ts';
import type { Rule } from './rule.ts';

/** How a release is judged while it takes over traffic: the parsed form of a policy file, or of the inputs `steps`, `bake` and `rules`. */
export interface Policy {
  /** Percent of the traffic for the candidate, rising, the last is 100. */
  readonly steps: readonly number[];
  /** Steps before which people are asked. */
  readonly gates: readonly StepGate[];
  /** Judged time at each step. */
  readonly bake: Duration;
  /** After the last step: wait `after`, then judge for `for`. */
  readonly recheck: Recheck | undefined;
  /** Of the whole shift, from its first write to the end of the recheck; at the deadline it is rolled back. */
  readonly deadline: Duration;
  /** From the moment of detection to the verified return of the traffic; passing it is said, it stops nothing. */
  readonly rollbackWithin: Duration;
  readonly rules: readonly Rule[];
  readonly onInconclusive: OnInconclusive;
  readonly onNoData: OnNoData;
  readonly noDataTimeout: Duration;
  /** Grid of the measurements: start + k * interval. */
  readonly interval: Duration;
  /** Where each metric comes from: every metric that a rule names, and what the file lists beside them. */
  readonly metrics: Readonly<Record<string, MetricSource>>;
}

/** The traffic stands still before a step, judged on, until people have let it in. */
export interface StepGate {
  /** Percent of the step; nobody gets so much before they said yes. */
  readonly before: number;
  /** Path of the file with the rules of the approval. */
  readonly file: string;
  /** How long the request stays open; after that the release is rolled back. */
  readonly within: Duration;
}

export interface Recheck {
  readonly after: Duration;
  readonly for: Duration;
}

export const ON_INCONCLUSIVE = ['continue', 'hold', 'rollback'] as const;
export type OnInconclusive = (typeof ON_INCONCLUSIVE)[number];
export const ON_NO_DATA = ['rollback', 'hold', 'continue'] as const;
export type OnNoData = (typeof ON_NO_DATA)[number];

export type MetricSource = ProbeSource | WebSource | PrometheusSource | CloudWatchSource;

/** Own requests to the candidate, `every` so often. */
export interface ProbeSource {
  readonly from: 'probe';
  readonly path: string;
  readonly every: Duration;
  readonly timeout: Duration;
}

/** JSON over HTTP from a service that knows the numbers. */
export interface WebSource {
  readonly from: 'web';
  /** With `{color}`, `{target-group}`, `{window}`, `{from}`, `{to}` and `${NAME}` of the environment still in it. */
  readonly url: string;
  /** RFC 9535 path of the value: rates are fractions, times are milliseconds. */
  readonly value: string;
  /** RFC 9535 path of the number of requests behind the value; absent only where a value stands for itself. */
  readonly samples: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Duration;
}

/** The HTTP API of Prometheus, or of what speaks like it. */
export interface PrometheusSource {
  readonly from: 'prometheus';
  /** With `${NAME}` of the environment still in it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly query: PrometheusQuery;
}

/** Selectors name counters, queries are whole; `{color}` and `{target-group}` are still in them, `{window}` in queries. */
export type PrometheusQuery =
  | { readonly kind: 'ratio'; readonly bad: string; readonly total: string }
  | { readonly kind: 'throughput'; readonly total: string }
  /** Selector of the buckets of a histogram in seconds. */
  | { readonly kind: 'histogram'; readonly histogram: string }
  | { readonly kind: 'value'; readonly value: string; readonly samples: string | undefined };

export interface CloudWatchSource {
  readonly from: 'cloudwatch';
  /** How long after its end a period is taken for complete. */
  readonly delay: Duration;
  readonly query: CloudWatchQuery;
}

export type CloudWatchQuery =
  /** What the load balancer measured of the target group of a color. `unanswered`: requests without an answer are errors. */
  | { readonly kind: 'load-balancer'; readonly unanswered?: 'errors' }
  | { readonly kind: 'ratio'; readonly metrics: CloudWatchMetrics; readonly bad: string; readonly total: string }
  | {
      readonly kind: 'value';
      readonly metrics: CloudWatchMetrics;
      readonly value: string;
      readonly samples: string | undefined;
    };

/** By id; expressions name them. `{color}` and `{target-group}` are still in the dimensions. */
export type CloudWatchMetrics = Readonly<Record<string, CloudWatchMetric>>;

export interface CloudWatchMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** `Sum`, `Average`, `p95`, ... */
  readonly stat: string;
}

/** For work that judges nothing (prepare, finish, rollback): no rule, and no deadline of its own. */
export const UNJUDGED: Policy = {
  steps: [100],
  gates: [],
  bake: milliseconds(0),
  recheck: undefined,
  deadline: hours(24),
  rollbackWithin: minutes(2),
  rules: [],
  onInconclusive: 'continue',
  onNoData: 'rollback',
  noDataTimeout: minutes(2),
  interval: seconds(15),
  metrics: {},
};
