import { type MetricDataQuery, CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTargetGroupsCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Instant, instant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Window } from '../../ports/metric-provider.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import { callAws } from '../aws/errors.ts';
import type { CloudWatchAccess, DataQuery } from './cloudwatch.ts';

/** GetMetricData, and the names under which a load balancer reports: found once. */
export function cloudWatchAccess(config: ClientConfig): CloudWatchAccess {
  const cloudWatch = new CloudWatchClient(config);
  const balancing = new ElasticLoadBalancingV2Client(config);
  const known = new Map<string, Readonly<Record<string, string>>>();
  return {
    data: (queries, window, signal) => dataOf(cloudWatch, { queries, window }, signal),
    async dimensions(targetGroup, signal) {
      const found = known.get(targetGroup) ?? (await dimensionsOf(balancing, targetGroup, signal));
      known.set(targetGroup, found);
      return found;
    },
  };
}

interface Asked {
  readonly queries: readonly DataQuery[];
  readonly window: Window;
}

async function dataOf(client: CloudWatchClient, { queries, window }: Asked, signal: AbortSignal) {
  const points = new Map<string, Map<Instant, number>>();
  const what = `Could not read metrics from CloudWatch`;
  const maths = queries.some(({ kind }) => kind === 'maths');
  let NextToken: string | undefined;
  do {
    const answer = await callAws({ action: 'cloudwatch:GetMetricData', what }, signal, () =>
      client.send(
        new GetMetricDataCommand({
          MetricDataQueries: queries.map((query) => inWords(query, maths ? 'material' : 'answer')),
          StartTime: new Date(window.from),
          EndTime: new Date(window.to),
          ScanBy: 'TimestampAscending',
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
        { abortSignal: signal },
      ),
    );
    for (const { Id = '', StatusCode, Timestamps = [], Values = [], Messages } of answer.MetricDataResults ?? []) {
      if (StatusCode === 'InternalError' || StatusCode === 'Forbidden')
        throw new Failure({ what, why: `${Id}: ${Messages?.[0]?.Value ?? StatusCode}` });
      const series = points.get(Id) ?? new Map<Instant, number>();
      for (const [index, at] of Timestamps.entries()) series.set(instant(at.getTime()), Values[index] ?? Number.NaN);
      points.set(Id, series);
    }
    ({ NextToken } = answer);
  } while (NextToken !== undefined);
  return points;
}

/** Where there is maths, the metrics are its material and are not answered. */
function inWords(query: DataQuery, metrics: 'material' | 'answer'): MetricDataQuery {
  const { id: Id, period } = query;
  if (query.kind === 'maths')
    return { Id, Expression: query.expression, Period: period / 1_000, ReturnData: metrics === 'material' };
  return {
    Id,
    ReturnData: metrics === 'answer',
    MetricStat: {
      Stat: query.stat,
      Period: period / 1_000,
      Metric: {
        Namespace: query.namespace,
        MetricName: query.metric,
        Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
    },
  };
}

/** `targetgroup/shop-green/6d0ecf831eec9f09` and `app/shop/50dc6c495c0c9188`: the ends of the ARNs. */
async function dimensionsOf(
  client: ElasticLoadBalancingV2Client,
  targetGroup: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const what = `Could not find the target group ${targetGroup}`;
  const by = targetGroup.startsWith('arn:') ? { TargetGroupArns: [targetGroup] } : { Names: [targetGroup] };
  const answer = await callAws({ action: 'elasticloadbalancing:DescribeTargetGroups', what }, signal, () =>
    client.send(new DescribeTargetGroupsCommand(by), { abortSignal: signal }),
  );
  const [group] = answer.TargetGroups ?? [];
  const balancer = group?.LoadBalancerArns?.[0];
  if (group?.TargetGroupArn === undefined || balancer === undefined)
    throw new Failure({ what: `The target group ${targetGroup} has no load balancer yet that could measure it` });
  return {
    TargetGroup: group.TargetGroupArn.replace(/^.*:/, ''),
    LoadBalancer: balancer.replace(/^.*:loadbalancer\//, ''),
  };
}
