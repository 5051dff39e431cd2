import { seconds } from '../duration.ts';
import { type Mapping, choiceAt, durationAt, mappingAt, refuse, refuseUnknownKeys, textAt } from './document.ts';
import { isBuiltIn, kindOf } from './metric.ts';
import type { CloudWatchMetric, CloudWatchMetrics, CloudWatchQuery, CloudWatchSource } from './policy.ts';

export const CLOUDWATCH_KEYS = ['from', 'delay', 'unanswered', 'queries', 'bad', 'total', 'value', 'samples'] as const;
export const CLOUDWATCH_QUERY_KEYS = ['namespace', 'metric', 'dimensions', 'stat'] as const;
export const UNANSWERED = ['ignored', 'errors'] as const;
const EXPRESSIONS = ['bad', 'total', 'value', 'samples'] as const;

/** Built-in metrics need nothing: the load balancer measures them by target group. Others name their metrics and the maths. */
export function readCloudWatch(entry: Mapping, metric: string): CloudWatchSource | undefined {
  refuseUnknownKeys(entry, CLOUDWATCH_KEYS);
  const delay = durationAt(entry, 'delay', { fallback: seconds(30) });
  const query = readQuery(entry, metric);
  return query && { from: 'cloudwatch', delay, query };
}

function readQuery(entry: Mapping, metric: string): CloudWatchQuery | undefined {
  const unanswered = choiceAt(entry, 'unanswered', UNANSWERED);
  if (unanswered === 'errors' && (metric !== 'error-rate' || entry.values['queries'] !== undefined)) {
    const accepted = 'the metric error-rate without queries of its own';
    return refuse(entry, 'unanswered', { problem: 'says nothing to this metric', accepted });
  }
  if (entry.values['queries'] === undefined) {
    const lonely = EXPRESSIONS.find((key) => entry.values[key] !== undefined);
    const problem = 'is maths without the metrics that it names';
    if (lonely !== undefined) return refuse(entry, lonely, { problem, accepted: 'queries beside it' });
    if (isBuiltIn(metric)) return { kind: 'load-balancer', ...(unanswered === 'errors' ? { unanswered } : {}) };
    return refuse(entry, 'queries', {
      problem: 'is missing',
      accepted: '{ failed: { namespace, metric, dimensions } }',
    });
  }
  const metrics = readQueries(entry);
  if (Object.keys(metrics).length === 0)
    return refuse(entry, 'queries', { problem: 'names no metric', accepted: '{ failed: { namespace, metric } }' });
  const [bad, total, value, samples] = EXPRESSIONS.map((key) => textAt(entry, key));
  const kind = kindOf(metric);
  if (bad !== undefined && total !== undefined && value === undefined && samples === undefined) {
    if (kind !== 'time' && kind !== 'throughput') return { kind: 'ratio', metrics, bad, total };
  } else if (value !== undefined && bad === undefined && total === undefined) {
    if (samples !== undefined || (kind !== 'rate' && kind !== 'time'))
      return { kind: 'value', metrics, value, samples };
  }
  return refuse(entry, 'queries', {
    problem: `does not say what ${metric} is`,
    accepted: 'bad and total, or value (with samples for rates and times): an id of queries or metric maths',
  });
}

function readQueries(entry: Mapping): CloudWatchMetrics {
  const queries = mappingAt(entry, 'queries');
  const read = Object.keys(queries?.values ?? {}).flatMap((id): (readonly [string, CloudWatchMetric])[] => {
    const query = queries && mappingAt(queries, id);
    if (queries === undefined || query === undefined) return [];
    if (!/^[a-z]\w{0,99}$/.test(id))
      refuse(queries, id, {
        problem: 'is not an id of CloudWatch',
        accepted: 'a-z, 0-9 and _, beginning with a letter',
      });
    return [[id, readMetric(query)]];
  });
  return Object.fromEntries(read);
}

function readMetric(query: Mapping): CloudWatchMetric {
  refuseUnknownKeys(query, CLOUDWATCH_QUERY_KEYS);
  for (const key of ['namespace', 'metric'].filter((each) => query.values[each] === undefined))
    refuse(query, key, { problem: 'is missing', accepted: key === 'metric' ? 'RequestCount' : 'AWS/ApplicationELB' });
  const dimensions = mappingAt(query, 'dimensions');
  const names = Object.keys(dimensions?.values ?? {});
  return {
    namespace: textAt(query, 'namespace') ?? '',
    metric: textAt(query, 'metric') ?? '',
    dimensions: Object.fromEntries(names.map((name) => [name, (dimensions && textAt(dimensions, name)) ?? ''])),
    stat: textAt(query, 'stat') ?? 'Sum',
  };
}
