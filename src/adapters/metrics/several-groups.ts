import type { MetricSource } from '../../domain/policy/policy.ts';
import { kindOf, shareBeyond } from '../../domain/policy/metric.ts';
import type { Arm, Measurement, MetricProvider } from '../../ports/metric-provider.ts';

/** One place where a metric is measured, and what tells it from another one. */
export interface Part {
  readonly provider: MetricProvider;
  keyOf(arm: Arm): string;
  /** Whether there is anything to ask: a route to an address of elsewhere has no load balancer here. */
  isMeasured(arm: Arm): boolean;
}

/** How the numbers of several target groups become the number of a color. */
type Adding = 'least' | 'by-requests' | 'sum' | 'greatest';

/** undefined: numbers of which only their owner knows what they are. */
export function addingOf(metric: string, source: MetricSource): Adding | undefined {
  switch (kindOf(metric)) {
    case 'checks':
      return 'least';
    case 'rate':
      return 'by-requests';
    case 'throughput':
      return 'sum';
    case 'time':
      return shareBeyond(metric) === undefined ? 'by-requests' : 'greatest';
    case 'own': {
      if (source.from === 'web' || source.from === 'probe') return undefined;
      if (source.query.kind === 'ratio') return 'by-requests';
      return source.query.kind === 'throughput' ? 'sum' : undefined;
    }
  }
}

/**
 * Several target groups of a color as one source: a release that moves in several places is judged by all requests that it
 * gets. A group that does not answer makes the whole unknown; one without requests says nothing, nor does a route that nothing
 * here measures, beside one that something does.
 */
export function severalGroups(adding: Adding, parts: readonly Part[]): MetricProvider {
  const [first] = parts;
  if (first === undefined) throw new TypeError('there is at least one target group');
  return {
    ...first.provider,
    async measure(query, window, signal) {
      // Routes may share a group, whose requests count once.
      const measured = parts.filter(({ isMeasured }) => isMeasured(query.arm));
      const asked = measured.length === 0 ? parts : measured;
      const distinct = new Map(asked.map(({ provider, keyOf }) => [keyOf(query.arm), provider]));
      const answers = await Promise.all([...distinct.values()].map((each) => each.measure(query, window, signal)));
      return addUp(adding, answers);
    },
  };
}

type Value = Extract<Measurement, { kind: 'value' }>;

/** PURE */
export function addUp(adding: Adding, answers: readonly Measurement[]): Measurement {
  const lost = answers.find(({ kind }) => kind === 'unreachable');
  if (lost !== undefined) return lost;
  const values = answers.filter((each): each is Value => each.kind === 'value');
  const [first, ...others] = values;
  if (first === undefined) return { kind: 'no-data' };
  if (others.length === 0) return first;
  const samples = values.reduce((sum, each) => sum + each.samples, 0);
  const mean = (of: (each: Value) => number): number =>
    values.reduce((sum, each) => sum + of(each) * each.samples, 0) / samples;
  switch (adding) {
    case 'least':
      return values.reduce((least, each) => (each.value < least.value ? each : least));
    case 'by-requests':
      return { kind: 'value', value: mean(({ value }) => value), samples };
    case 'sum':
      return { ...first, value: values.reduce((sum, { value }) => sum + value, 0) };
    case 'greatest': {
      // The percentile of all requests lies below the greatest of the groups; shares of slow requests add up exactly.
      const value = Math.max(...values.map((each) => each.value));
      const counted = values.every(({ slower }) => slower !== undefined);
      return { kind: 'value', value, samples, ...(counted ? { slower: mean(({ slower = 0 }) => slower) } : {}) };
    }
  }
}
