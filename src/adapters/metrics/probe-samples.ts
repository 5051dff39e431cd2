import { type Duration, type Instant, before, minutes } from '../../domain/duration.ts';
import { shareBeyond } from '../../domain/policy/metric.ts';
import type { Measurement, MetricQuery, Window } from '../../ports/metric-provider.ts';
import type { ProbeResult } from '../../ports/prober.ts';

interface Probed {
  readonly at: Instant;
  readonly took: Duration;
  /** Transport failed, or the server says that it is to blame (5xx). */
  readonly failed: boolean;
  /** Its time says something about the server: it answered, or kept the client waiting until the end. */
  readonly timed: boolean;
}

/** Long enough for the widest stretched window. */
const KEEP: Duration = minutes(30);

/** Own requests with what came of them, newest last. */
export interface ProbeSamples {
  add(result: ProbeResult, at: Instant): void;
  measure(query: Pick<MetricQuery, 'metric' | 'above'>, window: Window): Measurement;
}

export function probeSamples(): ProbeSamples {
  let kept: Probed[] = [];
  return {
    add(result, at) {
      const failed = result.kind === 'failed' || result.status >= 500;
      const timed = result.kind === 'answered' || result.fault === 'timeout';
      kept.push({ at, took: result.duration, failed, timed });
      if (kept.length % 1_000 === 0) kept = kept.filter((each) => each.at > before(at, KEEP));
    },
    measure: (query, { from, to }) =>
      measured(
        query,
        kept.filter((each) => each.at > from && each.at <= to),
      ),
  };
}

function measured({ metric, above }: Pick<MetricQuery, 'metric' | 'above'>, probes: readonly Probed[]): Measurement {
  if (metric === 'error-rate') return rateOf(probes);
  const times = probes.flatMap((each) => (each.timed ? [each.took as number] : [])).sort((a, b) => a - b);
  if (times.length === 0) return { kind: 'no-data' };
  if (metric === 'mean')
    return { kind: 'value', value: times.reduce((sum, time) => sum + time, 0) / times.length, samples: times.length };
  const beyond = shareBeyond(metric);
  if (beyond === undefined) return { kind: 'unreachable', cause: new TypeError(`a probe cannot measure ${metric}`) };
  // Nearest rank: a time that was really seen, never one between two.
  const rank = Math.ceil((1 - beyond) * times.length - 1e-9);
  const slower = above === undefined ? {} : { slower: times.filter((time) => time > above).length / times.length };
  return { kind: 'value', value: times[rank - 1] ?? 0, samples: times.length, ...slower };
}

function rateOf(probes: readonly Probed[]): Measurement {
  if (probes.length === 0) return { kind: 'no-data' };
  return { kind: 'value', value: probes.filter(({ failed }) => failed).length / probes.length, samples: probes.length };
}
