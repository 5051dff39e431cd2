import { type InputProblem, InvalidInput } from '../../domain/inputs.ts';
import type { MetricSource, Policy, ProbeSource } from '../../domain/policy/policy.ts';
import { isByTargetGroup, namesTargetGroup } from '../../domain/policy/source-traits.ts';
import { type Color, COLORS } from '../../domain/traffic-split.ts';
import type { Arm, MetricProvider } from '../../ports/metric-provider.ts';
import type { Prober } from '../../ports/prober.ts';
import { type CloudWatchPlace, cloudWatchMetric } from './cloudwatch.ts';
import { type ArmAddress, type ProbeTools, type Probing, probeHealth, probeMetric } from './probe.ts';
import { prometheusMetric } from './prometheus.ts';
import { addingOf, severalGroups } from './several-groups.ts';
import { webMetric } from './web.ts';

export interface MetricSources {
  readonly providers: Readonly<Record<string, MetricProvider>>;
  /** Keeps the sources at work that need to be: until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SourceTools extends Omit<ProbeTools, 'addressOf' | 'arms'>, Omit<CloudWatchPlace, 'metric'> {
  readonly prober: Prober;
  /** Where a color alone answers. undefined: nothing reaches the candidate alone, so nothing can be probed. */
  readonly address: ((color: Color) => ArmAddress) | undefined;
  /** More places that move together with this one. */
  readonly others?: readonly Pick<CloudWatchPlace, 'targetGroupOf' | 'meterOf'>[];
}

/** A provider for every metric of the policy; throws InvalidInput with every source that cannot work. */
export function metricSources(policy: Pick<Policy, 'metrics' | 'rules'>, tools: SourceTools): MetricSources {
  const problems: InputProblem[] = [];
  const probings = new Map<string, Probing>();
  const compared = new Set(policy.rules.flatMap((rule) => (rule.kind === 'comparison' ? [rule.metric] : [])));
  const entries = Object.entries(policy.metrics).flatMap(([metric, source]): [string, MetricProvider][] => {
    try {
      return [[metric, everywhereOf(metric, source, { tools, probings, compared })]];
    } catch (thrown) {
      if (!(thrown instanceof InvalidInput)) throw thrown;
      problems.push(...thrown.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new InvalidInput('The policy', problems);
  return {
    providers: Object.fromEntries(entries),
    run: async (signal) => void (await Promise.all([...probings.values()].map((probing) => probing.run(signal)))),
  };
}

interface Making {
  readonly tools: SourceTools;
  readonly probings: Map<string, Probing>;
  /** Metrics of rules against stable. */
  readonly compared: ReadonlySet<string>;
}

/** What is measured by target group is asked for in all places, as one. */
function everywhereOf(metric: string, source: MetricSource, making: Making): MetricProvider {
  const { others = [], ...tools } = making.tools;
  if (others.length === 0 || !isByTargetGroup(source)) return providerOf(metric, source, making);
  const places = [tools, ...others.map((other) => ({ ...tools, ...other }))];
  const adding = addingOf(metric, source);
  const groups = COLORS.map((color) => [...new Set(places.map((place) => place.targetGroupOf(color)))]);
  if (adding === undefined) {
    if (groups.every(({ length }) => length === 1)) return providerOf(metric, source, making);
    throw new InvalidInput('The policy', [
      {
        input: `metrics.${metric}`,
        given: '{target-group}',
        problem: `stands for several target groups, because the routes lead to ${groups.map((each) => each.join(' and ')).join(', and to ')}: only you know what its numbers together are`,
        accepted: '{color} in its place, or bad and total',
      },
    ]);
  }
  const parts = places.map((place) => ({
    provider: providerOf(metric, source, { ...making, tools: place }),
    keyOf(arm: Arm) {
      const color = place.colorOf(arm);
      // With Route 53 the group is a name of the record, and two names may lead to one load balancer.
      const meter = namesTargetGroup(source) ? undefined : place.meterOf?.(color);
      return JSON.stringify(meter ?? place.targetGroupOf(color));
    },
    isMeasured: (arm: Arm) => namesTargetGroup(source) || place.meterOf?.(place.colorOf(arm)).kind !== 'none',
  }));
  return severalGroups(adding, parts);
}

function providerOf(metric: string, source: MetricSource, making: Making): MetricProvider {
  const { tools } = making;
  switch (source.from) {
    case 'web':
      return webMetric(source, { ...tools, metric }, tools.prober);
    case 'prometheus':
      return prometheusMetric(source, { ...tools, metric }, tools.prober);
    case 'cloudwatch':
      return cloudWatchMetric(source, { ...tools, metric });
    case 'probe':
      return probeOf(metric, source, making);
  }
}

function probeOf(metric: string, source: ProbeSource, { tools, probings, compared }: Making): MetricProvider {
  const { address } = tools;
  const refuse = (problem: string, accepted: string): InvalidInput =>
    new InvalidInput('The policy', [{ input: `metrics.${metric}.from`, given: source.from, problem, accepted }]);
  if (address === undefined) {
    const accepted = 'candidate-url, or url with candidate-headers; or from: web, prometheus, cloudwatch';
    throw refuse('cannot be used: no request is known to reach the candidate alone', accepted);
  }
  const arms = armsOf(address);
  if (compared.has(metric) && !arms.includes('stable')) {
    const accepted = '{color} in candidate-url or candidate-headers; or from: web, prometheus, cloudwatch';
    throw refuse('cannot be compared with stable: no request is known to reach stable alone', accepted);
  }
  const probe: ProbeTools = { ...tools, arms, addressOf: (arm) => address(tools.colorOf(arm)) };
  if (metric === 'health') return probeHealth(source, probe);
  // Metrics that look at the same requests share them.
  const key = keyOf(source);
  const known = probings.get(key) ?? probeMetric(source, probe);
  probings.set(key, known);
  return known;
}

/** Stable can be asked only where its address differs from the candidate's. */
function armsOf(address: (color: Color) => ArmAddress): readonly Arm[] {
  const places = new Set(COLORS.map((color) => JSON.stringify(address(color))));
  return places.size === COLORS.length ? ['candidate', 'stable'] : ['candidate'];
}

const keyOf = ({ path, every, timeout }: ProbeSource): string => `${path} ${every} ${timeout}`;
