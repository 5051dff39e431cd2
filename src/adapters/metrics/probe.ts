import type { ProbeSource } from '../../domain/policy/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Arm, MetricProvider } from '../../ports/metric-provider.ts';
import type { ProbeRequest, Prober } from '../../ports/prober.ts';
import { type ProbeSamples, probeSamples } from './probe-samples.ts';

/** Where one color alone answers. */
export interface ArmAddress {
  readonly url: string;
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProbeTools {
  readonly prober: Prober;
  readonly clock: Clock;
  /** Asked for each request: which color is the candidate is known only when the shift is. */
  addressOf(arm: Arm): ArmAddress;
  /** Whether the addresses differ: without that, only the candidate's is known to be right. */
  readonly arms: readonly Arm[];
}

/** A source that has to be at work before it can answer: its requests are made while others wait. */
export interface Probing extends MetricProvider {
  /** Sends its requests until the signal is aborted, then resolves. */
  run(signal: AbortSignal): Promise<void>;
}

/** More than this many at once means that the candidate hangs; the timeouts of these say so well enough. */
const MOST_AT_ONCE = 50;
const BODY_LIMIT = 65_536;

/**
 * Own requests to the candidate, one every `every`, on a fixed beat, and beside each one the same to stable, where an
 * address tells the two apart. They are the only requests that are known to be a color's whatever the weights are.
 */
export function probeMetric(source: ProbeSource, tools: ProbeTools): Probing {
  const samples = { candidate: probeSamples(), stable: probeSamples() };
  return {
    name: `probe of ${source.path}`,
    memory: 'none',
    async measure(query, window, signal) {
      signal.throwIfAborted();
      return samples[query.arm].measure(query, window);
    },
    async run(signal) {
      await Promise.all(tools.arms.map((arm) => beat(source, { arm, tools, samples: samples[arm] }, signal)));
    },
  };
}

interface Beating {
  readonly arm: Arm;
  readonly tools: ProbeTools;
  readonly samples: ProbeSamples;
}

async function beat(source: ProbeSource, { arm, tools, samples }: Beating, signal: AbortSignal): Promise<void> {
  const open = new Set<Promise<void>>();
  while (!signal.aborted) {
    if (open.size < MOST_AT_ONCE) {
      const probed = tools.prober
        .probe(requestOf(source, tools.addressOf(arm)), signal)
        .then((result) => samples.add(result, tools.clock.now()))
        .catch(() => undefined)
        .finally(() => open.delete(probed));
      open.add(probed);
    }
    await tools.clock.sleep(source.every, signal).catch(() => undefined);
  }
  await Promise.all(open);
}

/** One check at the moment of the measurement: a row of failures counts checks, and each point is one. */
export function probeHealth(source: ProbeSource, tools: ProbeTools): MetricProvider {
  return {
    name: `probe of ${source.path}`,
    memory: 'none',
    async measure({ arm }, _window, signal) {
      if (!tools.arms.includes(arm)) return { kind: 'no-data' };
      const result = await tools.prober.probe(requestOf(source, tools.addressOf(arm)), signal);
      const good = result.kind === 'answered' && result.status >= 200 && result.status <= 299;
      return { kind: 'value', value: good ? 1 : 0, samples: 1 };
    },
  };
}

const requestOf = ({ path, timeout }: ProbeSource, { url, host, headers }: ArmAddress): ProbeRequest => ({
  method: 'GET',
  url: url + path,
  ...(host === undefined ? {} : { host }),
  headers: { accept: '*/*', 'user-agent': 'sluice-probe', ...headers },
  timeout,
  bodyLimit: BODY_LIMIT,
});
