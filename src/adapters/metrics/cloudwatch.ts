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
        const asked = questionOf(source.query, { query, window, dimensions });
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
}

interface Question {
  readonly queries: readonly DataQuery[];
  read(points: DataPoints): Measurement;
}

function questionOf(query: CloudWatchQuery, asked: Asked): Question {
  switch (query.kind) {
    case 'load-balancer':
      return ofLoadBalancer(asked);
    case 'ratio': {
      const maths = [mathsOf('sluicebad', query.bad), mathsOf('sluicetotal', query.total)];
      return {
        queries: [...metricsOf(query.metrics, asked), ...maths],
        read: (points) => ratio(points, { bad: ['sluicebad'], total: 'sluicetotal' }),
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

function ofLoadBalancer({ query, window, dimensions }: Asked): Question {
  const { metric, above } = query;
  const whole = between(window.from, window.to);
  const of = (id: string, name: string, stat: string, period = CLOUDWATCH_PERIOD): DataQuery => {
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
      return {
        queries: [
          of('answered', 'HTTPCode_Target_5XX_Count', 'Sum'),
          of('unreached', 'TargetConnectionErrorCount', 'Sum'),
          of('requests', 'RequestCount', 'Sum'),
        ],
        read: (points) => ratio(points, { bad: ['answered', 'unreached'], total: 'requests' }),
      };
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

const total = (points: DataPoints, id: string): number =>
  [...(points.get(id)?.values() ?? [])].reduce((sum, value) => sum + value, 0);

/** Counters of faults are reported only when they are not 0: absent beside requests they are 0; without requests, nothing is known. */
function ratio(points: DataPoints, ids: { readonly bad: readonly string[]; readonly total: string }): Measurement {
  const samples = total(points, ids.total);
  if (!(samples > 0)) return { kind: 'no-data' };
  const bad = ids.bad.reduce((sum, id) => sum + total(points, id), 0);
  return { kind: 'value', value: Math.min(1, bad / samples), samples };
}

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
