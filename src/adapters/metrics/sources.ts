import { type InputProblem, InvalidInput } from '../../domain/inputs.ts';
import type { MetricSource, Policy, ProbeSource } from '../../domain/policy/policy.ts';
import type { MetricProvider } from '../../ports/metric-provider.ts';
import type { Prober } from '../../ports/prober.ts';
import { type CandidateAddress, type ProbeTools, type Probing, probeHealth, probeMetric } from './probe.ts';
import { type WebPlace, webMetric } from './web.ts';

export interface MetricSources {
  readonly providers: Readonly<Record<string, MetricProvider>>;
  /** Keeps the sources at work that need to be: until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SourceTools extends Omit<ProbeTools, 'candidate'>, Omit<WebPlace, 'metric'> {
  readonly prober: Prober;
  /** undefined: nothing reaches the candidate alone, so nothing can be probed. */
  readonly candidate: (() => CandidateAddress) | undefined;
}

/** A provider for every metric of the policy; throws InvalidInput with every source that cannot work. */
export function metricSources(policy: Pick<Policy, 'metrics'>, tools: SourceTools): MetricSources {
  const problems: InputProblem[] = [];
  const probings = new Map<string, Probing>();
  const entries = Object.entries(policy.metrics).flatMap(([metric, source]): [string, MetricProvider][] => {
    try {
      return [[metric, providerOf(metric, source, { tools, probings })]];
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
}

function providerOf(metric: string, source: MetricSource, { tools, probings }: Making): MetricProvider {
  if (source.from === 'web') return webMetric(source, { ...tools, metric }, tools.prober);
  const { candidate } = tools;
  if (candidate === undefined) {
    throw new InvalidInput('The policy', [
      {
        input: `metrics.${metric}.from`,
        given: source.from,
        problem: 'cannot be used: no request is known to reach the candidate alone',
        accepted: 'candidate-url, or url with candidate-headers; or from: web',
      },
    ]);
  }
  if (metric === 'health') return probeHealth(source, { ...tools, candidate });
  // Metrics that look at the same requests share them.
  const key = keyOf(source);
  const known = probings.get(key) ?? probeMetric(source, { ...tools, candidate });
  probings.set(key, known);
  return known;
}

const keyOf = ({ path, every, timeout }: ProbeSource): string => `${path} ${every} ${timeout}`;
