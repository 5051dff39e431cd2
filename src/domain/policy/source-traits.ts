import { type Duration, milliseconds, minutes } from '../duration.ts';
import { ofColor } from './parse-service.ts';
import type { CloudWatchSource, MetricSource, PrometheusSource } from './policy.ts';
import type { RuleContext } from './rule-context.ts';

/** Load balancers and most other services report by the minute. */
export const CLOUDWATCH_PERIOD: Duration = minutes(1);

/**
 * The source knows whole periods only, each of them `delay` after its end. What lacks an answer is the difference of several
 * counters: the newest period, in which one of them may still be behind the others, is left out.
 */
export function periodsOf(source: MetricSource): { readonly length: Duration; readonly delay: Duration } | undefined {
  if (source.from !== 'cloudwatch') return undefined;
  const isDifference = source.query.kind === 'load-balancer' && source.query.unanswered === 'errors';
  const delay = milliseconds(source.delay + (isDifference ? CLOUDWATCH_PERIOD : 0));
  return { length: CLOUDWATCH_PERIOD, delay };
}

/** What a rule may ask of each source. */
export const traitsOf = (sources: Readonly<Record<string, MetricSource>>): RuleContext['sources'] =>
  Object.fromEntries(
    Object.entries(sources).map(([metric, source]) => [
      metric,
      { countsSlow: countsSlow(source), knowsStable: knowsStable(source) },
    ]),
  );

function countsSlow(source: MetricSource): boolean {
  switch (source.from) {
    case 'probe':
      return true;
    case 'web':
      return false;
    case 'prometheus':
      return source.query.kind === 'histogram';
    case 'cloudwatch':
      return source.query.kind === 'load-balancer';
  }
}

/** Whether it measures target groups: where a color has several, it has to be asked for each of them. */
export const isByTargetGroup = (source: MetricSource): boolean =>
  (source.from === 'cloudwatch' && source.query.kind === 'load-balancer') || namesTargetGroup(source);

export const namesTargetGroup = (source: MetricSource): boolean => JSON.stringify(source).includes('{target-group}');

/** Of a probe the address of the candidate decides, which no policy knows. */
export function knowsStable(source: MetricSource): boolean {
  switch (source.from) {
    case 'probe':
      return true;
    case 'web':
      return ofColor(source.url);
    case 'prometheus':
      return textsOf(source).every(ofColor);
    case 'cloudwatch':
      return source.query.kind === 'load-balancer' || dimensionsOf(source).every((each) => each.some(ofColor));
  }
}

function textsOf({ query }: PrometheusSource): readonly string[] {
  switch (query.kind) {
    case 'ratio':
      return [query.bad, query.total];
    case 'throughput':
      return [query.total];
    case 'histogram':
      return [query.histogram];
    case 'value':
      return [query.value];
  }
}

const dimensionsOf = ({ query }: CloudWatchSource): readonly (readonly string[])[] =>
  query.kind === 'load-balancer' ? [] : Object.values(query.metrics).map(({ dimensions }) => Object.values(dimensions));
