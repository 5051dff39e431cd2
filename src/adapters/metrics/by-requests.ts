import { Failure } from '../../domain/failure.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Prober } from '../../ports/prober.ts';
import { type MetricSources, metricSources } from './sources.ts';

export interface RequestedAddress {
  readonly prober: Prober;
  readonly clock: Clock;
  environment(name: string): string | undefined;
  /** Asked when a request is made: it may be known late. */
  url(): string;
  readonly host: string | undefined;
}

/** Metrics of a rolling update, by requests to its one address: it has one arm and no colors. */
export const metricsByRequests = (
  policy: Pick<Policy, 'metrics' | 'rules'>,
  { prober, clock, environment, url, host }: RequestedAddress,
): MetricSources =>
  metricSources(policy, {
    prober,
    clock,
    environment,
    address: () => ({ url: url(), host, headers: {} }),
    colorOf: () => 'green',
    targetGroupOf: () => '',
    // Rules of an input have no sources of their own; others than requests need a policy file.
    cloudWatch: () => Promise.reject(new Failure({ what: 'A rolling update is not measured by CloudWatch' })),
  });
