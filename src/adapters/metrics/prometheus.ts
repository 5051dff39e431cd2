import { type Duration, between, formatDuration, milliseconds, minutes } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { type InputProblem, InvalidInput } from '../../domain/inputs.ts';
import { ofColor } from '../../domain/policy/parse-service.ts';
import { shareBeyond } from '../../domain/policy/metric.ts';
import type { PrometheusQuery, PrometheusSource } from '../../domain/policy/policy.ts';
import type { Measurement, MetricProvider, MetricQuery, Window } from '../../ports/metric-provider.ts';
import type { Prober } from '../../ports/prober.ts';
import { type MetricPlace, fill, namesOf, withEnvironment } from './environment.ts';
import { type Buckets, increaseIn, increasesByLe, quantileOf, shareAbove } from './prometheus-counters.ts';
import { type PrometheusData, readPrometheusAnswer } from './prometheus-answer.ts';

/** A counter's value at the beginning of a window is the last one before it: scrapes may be this far apart. */
const LOOK_BACK: Duration = minutes(2);
const BODY_LIMIT = 8 * 1_048_576;

interface Asking {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly prober: Prober;
}

/**
 * Numbers out of Prometheus. Counters are read as their raw samples, and what they rose by is counted here: `increase()`
 * extrapolates, needs two scrapes in the window, and loses the first value of a series that is new, which every first
 * error is. Throws InvalidInput for a source that cannot work.
 */
export function prometheusMetric(source: PrometheusSource, place: MetricPlace, prober: Prober): MetricProvider {
  const problems: InputProblem[] = [];
  const variables = withEnvironment(place, problems);
  const url = variables(source.url, 'url').replace(/\/+$/, '');
  const headers = Object.fromEntries(
    Object.entries(source.headers).map(([name, text]) => [name, variables(text, `headers.${name}`)]),
  );
  if (problems.length === 0 && !/^https?:\/\/[^/]/.test(url))
    problems.push({ input: `metrics.${place.metric}.url`, problem: 'is not an http or https URL' });
  if (problems.length > 0) throw new InvalidInput('The policy', problems);
  const asking: Asking = { url, headers, timeout: source.timeout, prober };
  return {
    name: `prometheus ${URL.parse(url)?.host ?? url}`,
    memory: 'kept',
    async measure(query, window, signal) {
      if (query.arm === 'stable' && !namesColor(source.query)) return { kind: 'no-data' };
      const names = namesOf(place, query.arm);
      const ask = async (text: string, range?: Duration): Promise<PrometheusData> => {
        const filled = fill(text, { ...names, window: formatDuration(between(window.from, window.to)) });
        const expression = range === undefined ? filled : `${filled}[${formatDuration(range)}]`;
        return askOnce(asking, { expression, window }, signal);
      };
      try {
        return await measureBy({ source: source.query, query, window, ask });
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof Failure)) throw thrown;
        return { kind: 'unreachable', cause: thrown };
      }
    },
  };
}

const namesColor = (query: PrometheusQuery): boolean =>
  Object.entries(query).some(([key, text]) => key !== 'kind' && typeof text === 'string' && ofColor(text));

interface Measuring {
  readonly source: PrometheusQuery;
  readonly query: MetricQuery;
  readonly window: Window;
  ask(text: string, range?: Duration): Promise<PrometheusData>;
}

async function measureBy({ source, query, window, ask }: Measuring): Promise<Measurement> {
  const range = milliseconds(between(window.from, window.to) + LOOK_BACK);
  switch (source.kind) {
    case 'ratio': {
      const [bad, total] = await Promise.all([ask(source.bad, range), ask(source.total, range)]);
      const samples = increaseIn(total, window);
      // No series of errors means that there never was one; no series of requests, that nothing is known.
      if (!(samples > 0)) return { kind: 'no-data' };
      return { kind: 'value', value: Math.min(1, increaseIn(bad, window) / samples), samples };
    }
    case 'throughput': {
      const total = await ask(source.total, range);
      if (total.kind !== 'matrix' || total.series.length === 0) return { kind: 'no-data' };
      const requests = increaseIn(total, window);
      return { kind: 'value', value: requests / (between(window.from, window.to) / 1_000), samples: 1 };
    }
    case 'histogram':
      return ofBuckets(increasesByLe(await ask(source.histogram, range), window), query);
    case 'value':
      return ofQueries(source, ask);
  }
}

function ofBuckets(buckets: Buckets, { metric, above }: MetricQuery): Measurement {
  const samples = buckets.at(-1)?.count ?? 0;
  const beyond = shareBeyond(metric);
  if (beyond === undefined || !(samples > 0)) return { kind: 'no-data' };
  const slower = above === undefined ? {} : { slower: shareAbove(buckets, above / 1_000) };
  return { kind: 'value', value: quantileOf(buckets, 1 - beyond) * 1_000, samples, ...slower };
}

async function ofQueries(
  source: Extract<PrometheusQuery, { kind: 'value' }>,
  ask: Measuring['ask'],
): Promise<Measurement> {
  const [value, samples] = await Promise.all([
    ask(source.value).then(single),
    source.samples === undefined ? 1 : ask(source.samples).then(single),
  ]);
  return value === undefined || samples === undefined ? { kind: 'no-data' } : { kind: 'value', value, samples };
}

/** undefined: an empty vector, or no number (0 / 0). Several series are a question that was asked wrongly. */
function single(data: PrometheusData): number | undefined {
  if (data.kind === 'matrix') throw new Failure({ what: 'the query gives a range, not a number' });
  if (data.values.length > 1)
    throw new Failure({ what: `the query gives ${data.values.length} series`, next: 'Aggregate it to one: sum(...)' });
  const [value] = data.values;
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

async function askOnce(
  { url, headers, timeout, prober }: Asking,
  { expression, window }: { readonly expression: string; readonly window: Window },
  signal: AbortSignal,
): Promise<PrometheusData> {
  const query = new URLSearchParams({ query: expression, time: String(window.to / 1_000) });
  const answer = await prober.probe(
    {
      method: 'GET',
      url: `${url}/api/v1/query?${query}`,
      headers: { accept: 'application/json', 'user-agent': 'sluice', ...headers },
      timeout,
      bodyLimit: BODY_LIMIT,
    },
    signal,
  );
  if (answer.kind === 'failed') throw new Failure({ what: answer.message });
  const read = readPrometheusAnswer(answer.status, answer.body);
  if (read.kind === 'failed') {
    const why = answer.bodyTruncated ? `more than ${BODY_LIMIT} bytes` : read.why;
    throw new Failure({ what: `${messageOf(new Error(why))} (query ${expression.slice(0, 200)})` });
  }
  return read.data;
}
