import { type Duration, type Instant, between } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { shareBeyond } from '../../domain/policy/metric.ts';
import type { CloudWatchMetric, CloudWatchQuery, CloudWatchSource } from '../../domain/policy/policy.ts';
import { CLOUDWATCH_PERIOD, knowsStable, periodsOf } from '../../domain/policy/source-traits.ts';
import type { Color } from '../../domain/traffic-split.ts';
import type { Meter } from '../../ports/meter.ts';
import type { Measurement, MetricProvider, MetricQuery, Window } from '../../ports/metric-provider.ts';
import { type MetricPlace, fill, namesOf } from './environment.ts';

/** One line of GetMetricData: a metric with its statistic, or maths over the ids beside it. */
export type DataQuery =
  | ({ readonly id: string; readonly kind: 'metric'; readonly period: Duration } & CloudWatchMetric)
  | { readonly id: string; readonly kind: 'maths'; readonly expression: string; readonly period: Duration };

/** By id, then by the beginning of the period. A period without data is not there. */
export type DataPoints = ReadonlyMap<string, ReadonlyMap<Instant, number>>;

/** The calls that a measurement makes; the only part that knows an SDK. */
export interface CloudWatchAccess {
  data(queries: readonly DataQuery[], window: Window, signal: AbortSignal): Promise<DataPoints>;
  /** `TargetGroup` and `LoadBalancer`, under which the load balancer reports a target group. */
  dimensions(targetGroup: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

export interface CloudWatchPlace extends MetricPlace {
  /** Asked at the first measurement: credentials come after the inputs. Without a region, the one of the step. */
  cloudWatch(region: string | undefined): Promise<CloudWatchAccess>;
  /** Where a color is measured, once that is known; without it, under its target group. */
  meterOf?(color: Color): Meter;
}

const NAMESPACE = 'AWS/ApplicationELB';

/** Numbers out of CloudWatch, by whole periods. A metric that was not reported is absent, not 0, unless it counts faults. */
export function cloudWatchMetric(source: CloudWatchSource, place: CloudWatchPlace): MetricProvider {
  const periods = periodsOf(source);
  return {
    name: `cloudwatch ${place.metric}`,
    memory: 'kept',
    ...(periods === undefined ? {} : { periods }),
    async measure(query, window, signal) {
      signal.throwIfAborted();
      if (query.arm === 'stable' && !knowsStable(source)) return { kind: 'no-data' };
      try {
        const names = namesOf(place, query.arm);
        const meter = place.meterOf?.(place.colorOf(query.arm)) ?? {
          kind: 'target-group',
          name: names['target-group'],
        };
        const access = await place.cloudWatch(meter.kind === 'load-balancer' ? meter.region : undefined);
        const dimensions =
          source.query.kind === 'load-balancer'
            ? await dimensionsAt(meter, { access, metric: query.metric, color: names.color }, signal)
            : names;
        const asked = questionOf(source.query, { query, window, dimensions, meter: meter.kind });
        return asked.read(await access.data(asked.queries, window, signal));
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof Failure)) throw thrown;
        return { kind: 'unreachable', cause: thrown };
      }
    },
  };
}

interface Metering {
  readonly access: CloudWatchAccess;
  readonly metric: string;
  readonly color: string;
}

/** A load balancer of its own is measured as a whole; only the health of targets is reported by target group alone. */
async function dimensionsAt(
  meter: Meter,
  { access, metric, color }: Metering,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  switch (meter.kind) {
    case 'target-group':
      return access.dimensions(meter.name, signal);
    case 'load-balancer': {
      const { loadBalancer: LoadBalancer, targetGroup: TargetGroup } = meter;
      return metric === 'health' && TargetGroup !== undefined ? { LoadBalancer, TargetGroup } : { LoadBalancer };
    }
    case 'none': {
      const next = 'Give the metric queries of its own in the policy, or another source';
      throw new Failure({ what: `No load balancer of this account measures ${color}`, next });
    }
  }
}

interface Asked {
  readonly query: MetricQuery;
  readonly window: Window;
  /** Of the load balancer, or what fills the placeholders in the user's own dimensions. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly meter: Meter['kind'];
}

interface Question {
  readonly queries: readonly DataQuery[];
  read(points: DataPoints): Measurement;
}

function questionOf(query: CloudWatchQuery, asked: Asked): Question {
  switch (query.kind) {
    case 'load-balancer':
      return ofLoadBalancer(query, asked);
    case 'ratio': {
      const maths = [mathsOf('sluicebad', query.bad), mathsOf('sluicetotal', query.total)];
      return {
        queries: [...metricsOf(query.metrics, asked), ...maths],
        read: (points) => rate(total(points, 'sluicebad'), total(points, 'sluicetotal')),
      };
    }
    case 'value': {
      const { samples } = query;
      const maths = [mathsOf('sluicevalue', query.value), ...(samples ? [mathsOf('sluicesamples', samples)] : [])];
      return {
        queries: [...metricsOf(query.metrics, asked), ...maths],
        read: (points) => lastValue(points, samples === undefined ? 'itself' : 'counted'),
      };
    }
  }
}

const mathsOf = (id: string, expression: string): DataQuery => ({
  id,
  kind: 'maths',
  expression,
  period: CLOUDWATCH_PERIOD,
});

const metricsOf = (metrics: Readonly<Record<string, CloudWatchMetric>>, { dimensions }: Asked): readonly DataQuery[] =>
  Object.entries(metrics).map(([id, metric]) => ({
    id,
    kind: 'metric',
    period: CLOUDWATCH_PERIOD,
    ...metric,
    dimensions: Object.fromEntries(
      Object.entries(metric.dimensions).map(([name, text]) => [name, fill(text, dimensions)]),
    ),
  }));

type Of = (id: string, name: string, stat: string, period?: Duration) => DataQuery;

function ofLoadBalancer(source: Extract<CloudWatchQuery, { kind: 'load-balancer' }>, asked: Asked): Question {
  const { query, window, dimensions, meter } = asked;
  const { metric, above } = query;
  const whole = between(window.from, window.to);
  const of: Of = (id, name, stat, period = CLOUDWATCH_PERIOD) => {
    return { id, kind: 'metric', namespace: NAMESPACE, metric: name, dimensions, stat, period };
  };
  const beyond = shareBeyond(metric);
  if (beyond !== undefined) {
    const rank = above === undefined ? [] : [of('faster', 'TargetResponseTime', `PR(:${above / 1_000})`)];
    const percentile = of('percentile', 'TargetResponseTime', metric, whole);
    return {
      // A percentile of several minutes is not the mean of theirs: it is asked for the whole window; shares add up.
      queries: [percentile, of('answers', 'TargetResponseTime', 'SampleCount'), ...rank],
      read: percentileOf,
    };
  }
  switch (metric) {
    case 'error-rate':
      return meter === 'load-balancer' ? errorsOfBalancer(of) : errorsOfGroup(of, source.unanswered);
    case 'requests':
      return { queries: [of('requests', 'RequestCount', 'Sum')], read: (points) => rateOf(points, whole) };
    case 'mean':
      return {
        queries: [of('sum', 'TargetResponseTime', 'Sum'), of('answers', 'TargetResponseTime', 'SampleCount')],
        read: meanOf,
      };
    default:
      return {
        queries: [of('good', 'HealthyHostCount', 'Minimum'), of('bad', 'UnHealthyHostCount', 'Maximum')],
        read: healthOf,
      };
  }
}

const failed = (of: Of): DataQuery => of('failed', 'HTTPCode_Target_5XX_Count', 'Sum');
const requests = (of: Of): DataQuery => of('requests', 'RequestCount', 'Sum');

/** A load balancer of the color's own tells what it answered in place of a target: 502, 503 (no target at all), 504. */
const errorsOfBalancer = (of: Of): Question => ({
  queries: [failed(of), of('replaced', 'HTTPCode_ELB_5XX_Count', 'Sum'), requests(of)],
  read(points) {
    const bad = total(points, 'failed') + total(points, 'replaced');
    // Requests for which there was no target are not among RequestCount.
    return rate(bad, Math.max(bad, total(points, 'requests')));
  },
});

/** Of one target group that is not told, but whatever was answered has a status class there, except an opened WebSocket. */
function errorsOfGroup(of: Of, unanswered: 'errors' | undefined): Question {
  const seen = [failed(of), of('unreached', 'TargetConnectionErrorCount', 'Sum'), requests(of)];
  if (unanswered === undefined)
    return {
      queries: seen,
      read: (points) => rate(total(points, 'failed') + total(points, 'unreached'), total(points, 'requests')),
    };
  const good = ['2', '3', '4'].map((digit) => of(`class${digit}`, `HTTPCode_Target_${digit}XX_Count`, 'Sum'));
  return {
    queries: [...seen, ...good, of('busy', 'TargetResponseTime', 'Sum')],
    read(points) {
      const answered = [...good.map(({ id }) => id), 'failed'].reduce((sum, id) => sum + total(points, id), 0);
      const open = total(points, 'requests') - answered - inFlight(points);
      const lost = Math.max(total(points, 'unreached'), Math.round(open));
      return rate(total(points, 'failed') + lost, total(points, 'requests'));
    },
  };
}

/**
 * Requests that are being answered as the last period ends, by Little's law: as many as seconds of answering fall on one
 * second. AWS does not say whether a request is counted when it comes or when it ends; taken off, they are an error in
 * neither case, and no more is hidden than the mean answer takes of a minute (0.2 % at 120 ms).
 */
const inFlight = (points: DataPoints): number =>
  ([...(points.get('busy')?.values() ?? [])].at(-1) ?? 0) / (CLOUDWATCH_PERIOD / 1_000);

const total = (points: DataPoints, id: string): number =>
  [...(points.get(id)?.values() ?? [])].reduce((sum, value) => sum + value, 0);

/** Counters of faults are reported only when they are not 0: absent beside requests they are 0; without requests, nothing is known. */
const rate = (bad: number, samples: number): Measurement =>
  samples > 0 ? { kind: 'value', value: Math.min(1, bad / samples), samples } : { kind: 'no-data' };

function percentileOf(points: DataPoints): Measurement {
  const samples = total(points, 'answers');
  const value = [...(points.get('percentile')?.values() ?? [])].at(-1);
  if (value === undefined || !(samples > 0)) return { kind: 'no-data' };
  const answers = points.get('answers') ?? new Map<Instant, number>();
  const faster = points.get('faster');
  const slow = [...answers].reduce((sum, [at, count]) => sum + count * (1 - (faster?.get(at) ?? 100) / 100), 0);
  return {
    kind: 'value',
    value: value * 1_000,
    samples,
    ...(faster === undefined || faster.size === 0 ? {} : { slower: Math.max(0, slow / samples) }),
  };
}

function rateOf(points: DataPoints, window: Duration): Measurement {
  if ((points.get('requests')?.size ?? 0) === 0) return { kind: 'no-data' };
  return { kind: 'value', value: total(points, 'requests') / (window / 1_000), samples: 1 };
}

function meanOf(points: DataPoints): Measurement {
  const samples = total(points, 'answers');
  return samples > 0
    ? { kind: 'value', value: (total(points, 'sum') / samples) * 1_000, samples }
    : { kind: 'no-data' };
}

/** Share of healthy targets in the newest period. */
function healthOf(points: DataPoints): Measurement {
  const good = [...(points.get('good')?.values() ?? [])].at(-1);
  if (good === undefined) return { kind: 'no-data' };
  const bad = [...(points.get('bad')?.values() ?? [])].at(-1) ?? 0;
  return good + bad > 0 ? { kind: 'value', value: good / (good + bad), samples: 1 } : { kind: 'no-data' };
}

function lastValue(points: DataPoints, samples: 'itself' | 'counted'): Measurement {
  const value = [...(points.get('sluicevalue')?.values() ?? [])].at(-1);
  if (value === undefined) return { kind: 'no-data' };
  const counted = samples === 'itself' ? 1 : total(points, 'sluicesamples');
  return counted > 0 ? { kind: 'value', value, samples: counted } : { kind: 'no-data' };
}
