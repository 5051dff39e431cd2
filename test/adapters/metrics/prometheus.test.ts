import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { httpProber } from '../../../src/adapters/http/prober.ts';
import { prometheusMetric } from '../../../src/adapters/metrics/prometheus.ts';
import { before, seconds } from '../../../src/domain/duration.ts';
import { messageOf } from '../../../src/domain/failure.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import type { PrometheusQuery, PrometheusSource } from '../../../src/domain/policy/policy.ts';
import type { Measurement, MetricQuery } from '../../../src/ports/metric-provider.ts';
import { metricProviderContract } from '../../contract/metric-provider.ts';
import { NOW } from '../../domain/shift/records.ts';
import { type FakePrometheus, type Scraped, fakePrometheus } from '../../harness/prometheus.ts';

const signal = new AbortController().signal;
const WINDOW = { from: before(NOW, seconds(30)), to: NOW };

let prometheus: FakePrometheus;
beforeEach(async () => {
  prometheus = await fakePrometheus();
});
afterEach(() => prometheus.close());

const RATE: PrometheusQuery = {
  kind: 'ratio',
  bad: 'http_requests_total{code=~"5..",color="{color}"}',
  total: 'http_requests_total{color="{color}"}',
};
const source = (url: string, query: PrometheusQuery = RATE): PrometheusSource => ({
  from: 'prometheus',
  url,
  headers: {},
  timeout: seconds(2),
  query,
});
const place = {
  metric: 'error-rate',
  colorOf: (arm: 'stable' | 'candidate') => (arm === 'candidate' ? ('green' as const) : ('blue' as const)),
  targetGroupOf: (color: string) => `shop-${color}`,
  environment: () => undefined,
};
const ask = (query: PrometheusQuery = RATE, more: Partial<MetricQuery> = {}): Promise<Measurement> =>
  prometheusMetric(source(prometheus.url, query), place, httpProber()).measure(
    { metric: 'error-rate', arm: 'candidate', ...more },
    WINDOW,
    signal,
  );

/** Scraped every 15 s until now; the last value is that of now. */
const counter = (labels: Record<string, string>, ...values: readonly number[]): Scraped => ({
  labels: { __name__: 'http_requests_total', color: 'green', ...labels },
  samples: values.map((value, index) => [NOW - (values.length - 1 - index) * 15_000, value] as const),
});

metricProviderContract('Prometheus', async () => {
  const own = await fakePrometheus();
  return {
    provider: prometheusMetric(source(own.url), place, httpProber()),
    now: () => NOW,
    busy: async () => {
      own.series = [counter({ code: '200' }, 100, 115, 130), counter({ code: '503' }, 7, 12, 17)];
    },
    clean: async () => {
      own.series = [counter({ code: '200' }, 100, 120, 140)];
    },
    silent: async () => undefined,
    down: () => own.close(),
    close: () => own.close().catch(() => undefined),
  };
});

describe('counters', () => {
  test('are read raw, of one color, with the window and what lies before it', async () => {
    await ask();
    expect(prometheus.asked.toSorted()).toEqual([
      'http_requests_total{code=~"5..",color="green"}[2m30s]',
      'http_requests_total{color="green"}[2m30s]',
    ]);
    await ask(RATE, { arm: 'stable' });
    expect(prometheus.asked[2]).toContain('color="blue"');
  });

  test.each([
    { name: 'a first error, whose series is new, counts from 0', series: [counter({ code: '200' }, 100, 115, 130), counter({ code: '500' }, 10)], value: 0.25, samples: 40 },
    { name: 'a restart counts what came after it', series: [counter({ code: '200' }, 100, 115, 15), counter({ code: '500' }, 5, 5, 15)], value: 0.25, samples: 40 },
    { name: 'tasks add up', series: [counter({ code: '200', pod: 'a' }, 0, 10, 20), counter({ code: '200', pod: 'b' }, 0, 5, 10), counter({ code: '502', pod: 'b' }, 0, 5, 10)], value: 0.25, samples: 40 },
    { name: 'what was before the window does not count', series: [counter({ code: '200' }, 0, 900, 930, 960), counter({ code: '500' }, 0, 90, 95, 100)], value: 10 / 70, samples: 70 },
  ])('$name', async ({ series, value, samples }) => {
    prometheus.series = series;
    expect(await ask()).toEqual({ kind: 'value', value, samples });
  }); // prettier-ignore

  test('that stood still are no data, not 0', async () => {
    prometheus.series = [counter({ code: '200' }, 100, 100, 100)];
    expect(await ask()).toEqual({ kind: 'no-data' });
  });

  test('that do not name a color know nothing of stable', async () => {
    prometheus.series = [counter({ code: '200' }, 100, 115, 130)];
    const blind: PrometheusQuery = { kind: 'ratio', bad: 'errors', total: 'http_requests_total' };
    expect(await ask(blind, { arm: 'stable' })).toEqual({ kind: 'no-data' });
    expect(await ask(blind)).toMatchObject({ kind: 'value', samples: 30 });
  });

  test('give requests a second', async () => {
    prometheus.series = [counter({ code: '200' }, 0, 30, 60)];
    const total = { kind: 'throughput', total: 'http_requests_total{color="{color}"}' } as const;
    expect(await ask(total)).toEqual({ kind: 'value', value: 2, samples: 1 });
  });
});

describe('a histogram', () => {
  const bucket = (le: string, count: number): Scraped => ({
    labels: { __name__: 'seconds_bucket', color: 'green', le },
    samples: [[NOW - 60_000, 1_000] as const, [NOW, 1_000 + count] as const],
  });
  const HISTOGRAM: PrometheusQuery = { kind: 'histogram', histogram: 'seconds_bucket{color="{color}"}' };

  test('gives a percentile in milliseconds, and the share of requests above a limit', async () => {
    prometheus.series = [bucket('0.5', 80), bucket('1', 90), bucket('2', 94), bucket('4', 98), bucket('+Inf', 100)];
    const read = await ask(HISTOGRAM, { metric: 'p95', above: 2_000 });
    expect(read).toEqual({ kind: 'value', value: 2_500, samples: 100, slower: 0.06 });
    expect(await ask(HISTOGRAM, { metric: 'p95', above: 1_500 })).toMatchObject({ slower: 0.08 });
    expect(await ask(HISTOGRAM, { metric: 'p99', above: 9_000 })).toMatchObject({ value: 4_000, slower: 0.02 });
  });

  test('without a request is no data', async () => {
    prometheus.series = [bucket('1', 0), bucket('+Inf', 0)];
    expect(await ask(HISTOGRAM, { metric: 'p95' })).toEqual({ kind: 'no-data' });
  });
});

describe('a whole query', () => {
  const VALUE: PrometheusQuery = { kind: 'value', value: 'max(depth{color="{color}"})', samples: undefined };
  test.each([
    { name: 'a number is the value', values: [17.5], read: { kind: 'value', value: 17.5, samples: 1 } },
    { name: 'zero is zero', values: [0], read: { kind: 'value', value: 0, samples: 1 } },
    { name: 'an empty vector is no data', values: [], read: { kind: 'no-data' } },
    { name: '0 / 0 is no data', values: ['NaN'], read: { kind: 'no-data' } },
    { name: 'a division by zero is no data', values: ['+Inf'], read: { kind: 'no-data' } },
  ])('$name', async ({ values, read }) => {
    prometheus.values = { 'max(depth{color="green"})': values };
    expect(await ask(VALUE, { metric: 'depth' })).toEqual(read);
  });

  test.each([
    { name: 'several series', values: { 'max(depth{color="green"})': [1, 2] }, why: 'gives 2 series' },
    { name: 'a query that cannot be read', values: {}, why: 'bad_data: invalid parameter "query"' },
  ])('that gives $name was not answered', async ({ values, why }) => {
    prometheus.values = values;
    const read = await ask({ ...VALUE, value: 'max(depth{color="{color}"})' }, { metric: 'depth' });
    expect(read).toMatchObject({ kind: 'unreachable' });
    expect(messageOf((read as { cause: unknown }).cause)).toContain(why);
  });
});

test.each([
  {
    name: 'a part of the series',
    set: () => (prometheus.warnings = ['store unreachable']),
    why: 'partial: store unreachable',
  },
  { name: 'an error of its own', set: () => (prometheus.ill = 'yes'), why: 'unavailable: Service Unavailable' },
])('an answer with $name is none', async ({ set, why }) => {
  prometheus.series = [counter({ code: '200' }, 100, 115, 130)];
  set();
  const read = await ask();
  expect(read).toMatchObject({ kind: 'unreachable' });
  expect(messageOf((read as { cause: unknown }).cause)).toContain(why);
});

test('an address that the environment does not have is refused before anything is asked', () => {
  expect(() => prometheusMetric(source('${PROMETHEUS_URL}'), place, httpProber())).toThrow(InvalidInput);
});
