import type { MeasuredLoadBalancers, WindowCounts } from '../../plane/types.ts';
import { BadExpression, evaluate, type Series } from './maths.ts';
import { isStatistic, measuredOf, statisticOf } from './statistics.ts';

export interface MetricDataInput {
  readonly MetricDataQueries?: readonly MetricQuery[];
  /** Epoch seconds. */
  readonly StartTime?: number;
  readonly EndTime?: number;
  readonly ScanBy?: string;
}

export interface MetricQuery {
  readonly Id?: string;
  readonly Expression?: string;
  readonly Period?: number;
  readonly Label?: string;
  readonly ReturnData?: boolean;
  readonly MetricStat?: {
    readonly Metric?: {
      readonly Namespace?: string;
      readonly MetricName?: string;
      readonly Dimensions?: readonly { readonly Name?: string; readonly Value?: string }[];
    };
    readonly Period?: number;
    readonly Stat?: string;
  };
}

export interface MeasuredFrom {
  readonly balancers: MeasuredLoadBalancers;
  /** ARNs of the target groups that exist. */
  targetGroups(): readonly string[];
  /** Those that listeners of a load balancer forward to, by the end of its ARN. */
  groupsOf(loadBalancer: string): readonly string[];
}

export type MetricDataAnswer =
  | { readonly kind: 'output'; readonly output: unknown }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export const NAMESPACE = 'AWS/ApplicationELB';

class Refused extends Error {}

/**
 * GetMetricData over what the load balancers of the sandbox really measured, by period: statistics, percentiles, percentile
 * ranks and metric maths. As in life a counter of nothing is not reported, and the newest period is still filling.
 */
export function getMetricData(input: MetricDataInput, from: MeasuredFrom): MetricDataAnswer {
  try {
    const { queries, span } = checked(input);
    const series = new Map<string, Series>();
    const metrics = queries.filter(({ MetricStat }) => MetricStat !== undefined);
    for (const query of metrics) series.set(query.Id ?? '', seriesOf(query, { span, from }));
    // Maths may name maths: each is worked out once what it names is there.
    for (const query of queries.filter(({ Expression }) => Expression !== undefined))
      series.set(
        query.Id ?? '',
        evaluate(query.Expression ?? '', { series, periods: periodsOf(span, periodOf(query)) }),
      );
    const shown = queries.filter(({ ReturnData }) => ReturnData !== false);
    const order = input.ScanBy === 'TimestampAscending' ? 1 : -1;
    return {
      kind: 'output',
      output: {
        Messages: [],
        MetricDataResults: shown.map(({ Id = '', Label, MetricStat }) => {
          const points = [...(series.get(Id) ?? [])].toSorted(([a], [b]) => order * (a - b));
          return {
            Id,
            Label: Label ?? MetricStat?.Metric?.MetricName ?? Id,
            StatusCode: 'Complete',
            Timestamps: points.map(([at]) => at / 1_000),
            Values: points.map(([, value]) => value),
          };
        }),
      },
    };
  } catch (error) {
    if (error instanceof Refused || error instanceof BadExpression)
      return { kind: 'refused', code: 'ValidationError', message: error.message };
    throw error;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Checked {
  readonly queries: readonly MetricQuery[];
  readonly span: Span;
}

function checked({ MetricDataQueries = [], StartTime, EndTime }: MetricDataInput): Checked {
  const refuse = (message: string): never => {
    throw new Refused(message);
  };
  if (StartTime === undefined || EndTime === undefined)
    return refuse('The parameters StartTime and EndTime are required.');
  if (!(StartTime < EndTime)) return refuse('The parameter StartTime must be less than the parameter EndTime.');
  if (MetricDataQueries.length === 0 || MetricDataQueries.length > 500)
    return refuse('The collection MetricDataQueries must have 1 to 500 members.');
  const ids = new Set<string>();
  for (const query of MetricDataQueries) {
    const { Id = '', Expression, MetricStat } = query;
    if (!/^[a-z]\w{0,254}$/.test(Id))
      refuse(
        `The value ${Id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`,
      );
    if (ids.has(Id)) refuse(`The id ${Id} is used more than once.`);
    ids.add(Id);
    if ((Expression === undefined) === (MetricStat === undefined))
      refuse(`Query ${Id} must have one of Expression and MetricStat.`);
    const period = periodOf(query);
    if (!(period >= 60_000 && period % 60_000 === 0)) refuse(`Query ${Id}: the period must be a multiple of 60.`);
    if (MetricStat !== undefined && !isStatistic(MetricStat.Stat ?? ''))
      refuse(`The value ${MetricStat.Stat} for parameter Stat is not supported.`);
  }
  if (MetricDataQueries.every(({ ReturnData }) => ReturnData === false)) refuse('At least one query must return data.');
  return { queries: MetricDataQueries, span: { from: StartTime * 1_000, to: EndTime * 1_000 } };
}

const periodOf = ({ Period, MetricStat }: MetricQuery): number => (MetricStat?.Period ?? Period ?? 60) * 1_000;

/** From the whole minute of the start on, one after the other. */
function periodsOf({ from, to }: Span, period: number): readonly number[] {
  const first = Math.floor(from / 60_000) * 60_000;
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / period)) }, (_, index) => first + index * period);
}

interface Measuring {
  readonly span: Span;
  readonly from: MeasuredFrom;
}

function seriesOf(query: MetricQuery, { span, from }: Measuring): Series {
  const { Metric, Stat = '' } = query.MetricStat ?? {};
  if (Metric?.Namespace !== NAMESPACE)
    throw new Refused(`The sandbox cloud does not model maths or percentiles of the namespace ${Metric?.Namespace}.`);
  const dimension = (name: string): string | undefined => Metric.Dimensions?.find(({ Name }) => Name === name)?.Value;
  const [group, balancer] = [dimension('TargetGroup'), dimension('LoadBalancer')];
  const arns =
    group === undefined
      ? from.groupsOf(balancer ?? '')
      : from.targetGroups().filter((each) => each.endsWith(`:${group}`));
  // A metric under other names was never reported: nothing, not an error.
  if (arns.length === 0 || balancer === undefined) return new Map();
  const period = periodOf(query);
  return new Map(
    periodsOf(span, period).flatMap((at): readonly (readonly [number, number])[] => {
      const counts = arns.map((arn) => from.balancers.range(arn, { from: at, to: at + period }));
      const measured = measuredOf(
        Metric.MetricName ?? '',
        together(counts),
        group === undefined ? 'balancer' : 'group',
      );
      return measured === undefined ? [] : [[at, statisticOf(Stat, measured)]];
    }),
  );
}

/** What several target groups served, as one. */
function together(all: readonly WindowCounts[]): WindowCounts {
  const sum = (of: (counts: WindowCounts) => number): number => all.reduce((total, counts) => total + of(counts), 0);
  return {
    requests: sum(({ requests }) => requests),
    status2xx: sum(({ status2xx }) => status2xx),
    status3xx: sum(({ status3xx }) => status3xx),
    status4xx: sum(({ status4xx }) => status4xx),
    status5xx: sum(({ status5xx }) => status5xx),
    connectionErrors: sum(({ connectionErrors }) => connectionErrors),
    unanswered: sum(({ unanswered }) => unanswered),
    errors: sum(({ errors }) => errors),
    clientClosed: sum(({ clientClosed }) => clientClosed),
    complete: all.every(({ complete }) => complete),
    responseTimes: all.flatMap(({ responseTimes }) => responseTimes),
  };
}
