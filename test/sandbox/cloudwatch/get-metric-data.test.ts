import { describe, expect, test } from '@jest/globals';
import { getMetricData, type MetricQuery } from '../../../sandbox/control/cloudwatch/get-metric-data.ts';
import type { MeasuredLoadBalancers, WindowCounts } from '../../../sandbox/plane/types.ts';

const ARN = 'arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/green/0a';
const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 20, 12);

const counts = (more: Partial<WindowCounts>): WindowCounts => ({
  requests: 0,
  status2xx: 0,
  status3xx: 0,
  status4xx: 0,
  status5xx: 0,
  connectionErrors: 0,
  unanswered: 0,
  responseTimes: [],
  errors: 0,
  clientClosed: 0,
  complete: true,
  ...more,
});
/** Response times 10 ms to 1 s, a tenth of them errors, in the second minute only; then requests without an error. */
const SERVED: readonly WindowCounts[] = [
  counts({}),
  counts({
    requests: 100,
    status5xx: 10,
    status2xx: 90,
    responseTimes: Array.from({ length: 100 }, (_, i) => 10 * (i + 1)),
  }),
  counts({ requests: 50, status2xx: 50, responseTimes: [20] }),
];
const balancers = {
  range: (arn: string, { from }: { from: number }) =>
    (arn === ARN ? SERVED[(from - START) / MINUTE] : undefined) ?? counts({}),
} as unknown as MeasuredLoadBalancers;

const stat = (Id: string, MetricName: string, Stat: string, more: Partial<MetricQuery> = {}): MetricQuery => ({
  Id,
  MetricStat: {
    Metric: {
      Namespace: 'AWS/ApplicationELB',
      MetricName,
      Dimensions: [
        { Name: 'TargetGroup', Value: 'targetgroup/green/0a' },
        { Name: 'LoadBalancer', Value: 'app/web/1' },
      ],
    },
    Period: 60,
    Stat,
  },
  ...more,
});

const ask = (...queries: readonly MetricQuery[]) =>
  getMetricData(
    {
      MetricDataQueries: queries,
      StartTime: START / 1_000,
      EndTime: START / 1_000 + 180,
      ScanBy: 'TimestampAscending',
    },
    { balancers, targetGroups: () => [ARN], groupsOf: (balancer) => (balancer === 'app/web/1' ? [ARN, ARN] : []) },
  );
/** Values by minute. */
const valuesOf = (...queries: readonly MetricQuery[]): unknown => {
  const answered = ask(...queries);
  expect(answered).toMatchObject({ kind: 'output' });
  const { output } = answered as { output: { MetricDataResults: { Timestamps: number[]; Values: number[] }[] } };
  const [first] = output.MetricDataResults;
  return first?.Timestamps.map((at, index) => [(at * 1_000 - START) / MINUTE, first.Values[index]]);
};
const maths = (Expression: string): unknown =>
  valuesOf(
    { Id: 'result', Expression, Period: 60 },
    stat('e', 'HTTPCode_Target_5XX_Count', 'Sum', { ReturnData: false }),
    stat('n', 'RequestCount', 'Sum', { ReturnData: false }),
  );

describe('a statistic', () => {
  test.each([
    { name: 'is not reported in a minute without requests', query: stat('a', 'RequestCount', 'Sum'), values: [[1, 100], [2, 50]] },
    { name: 'of errors is not reported where there were none', query: stat('a', 'HTTPCode_Target_5XX_Count', 'Sum'), values: [[1, 10]] },
    { name: 'p95 is a time that was measured, in seconds', query: stat('a', 'TargetResponseTime', 'p95'), values: [[1, 0.95], [2, 0.02]] },
    { name: 'p99.9 too', query: stat('a', 'TargetResponseTime', 'p99.9'), values: [[1, 1], [2, 0.02]] },
    { name: 'PR(:0.8) is the share up to 0.8 s', query: stat('a', 'TargetResponseTime', 'PR(:0.8)'), values: [[1, 80], [2, 100]] },
    { name: 'Average', query: stat('a', 'TargetResponseTime', 'Average'), values: [[1, 0.505], [2, 0.02]] },
    { name: 'SampleCount', query: stat('a', 'TargetResponseTime', 'SampleCount'), values: [[1, 100], [2, 1]] },
    { name: 'of a metric that nobody reports is nothing', query: stat('a', 'NoSuchMetric', 'Sum'), values: [] },
  ])('$name', ({ query, values }) => {
    expect(valuesOf(query)).toEqual(values);
  }); // prettier-ignore
});

describe('maths', () => {
  test.each([
    { expression: '100 * e / n', values: [[1, 10]] },
    { expression: '100 * FILL(e, 0) / n', values: [[1, 10], [2, 0]] },
    { expression: 'FILL(n, 0)', values: [[0, 0], [1, 100], [2, 50]] },
    { expression: 'n / FILL(e, 0)', values: [[1, 10]] },
    { expression: 'SUM([e, n])', values: [[1, 110], [2, 50]] },
    { expression: 'MAX(METRICS())', values: [[1, 100], [2, 50]] },
    { expression: 'IF(n > 60, e, -1)', values: [[1, 10], [2, -1]] },
    { expression: '(n + 50) * 2 - 1', values: [[1, 299], [2, 199]] },
  ])('$expression', ({ expression, values }) => {
    expect(maths(expression)).toEqual(values);
  }); // prettier-ignore
});

test.each([
  { name: 'an id that is not there', queries: [{ Id: 'r', Expression: 'x + 1' }], message: /refers to x/ },
  { name: 'maths that cannot be read', queries: [{ Id: 'r', Expression: '1 +' }], message: /Expected a value/ },
  { name: 'a function that is not modelled', queries: [{ Id: 'r', Expression: 'ANOMALY_DETECTION_BAND(n)' }, stat('n', 'RequestCount', 'Sum')], message: /does not model the function ANOMALY/ },
  { name: 'an id with a capital', queries: [stat('N', 'RequestCount', 'Sum')], message: /not matching the expected pattern/ },
  { name: 'an id twice', queries: [stat('n', 'RequestCount', 'Sum'), stat('n', 'RequestCount', 'Sum')], message: /more than once/ },
  { name: 'a statistic that there is not', queries: [stat('n', 'RequestCount', 'p101')], message: /p101/ },
  { name: 'nothing that returns data', queries: [stat('n', 'RequestCount', 'Sum', { ReturnData: false })], message: /must return data/ },
])('refuses $name, as ValidationError', ({ queries, message }) => {
  expect(ask(...queries)).toEqual({ kind: 'refused', code: 'ValidationError', message: expect.stringMatching(message) });
}); // prettier-ignore
