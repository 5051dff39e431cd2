import type { Measured, Times } from './measured.ts';
import type { LoadRule } from './rule.ts';

/** What a rule looks at: fraction, milliseconds or per second. */
export function valueOf({ metric, time }: LoadRule, { requests, errors, response, service, rate }: Measured): number {
  switch (metric) {
    case 'error-rate':
      return errors / requests;
    case 'requests':
      return rate;
    case 'p50':
    case 'p95':
    case 'p99':
    case 'mean':
      return (time === 'service' ? service : response)[metric as keyof Times];
  }
}

export function showValue({ metric }: Pick<LoadRule, 'metric'>, value: number): string {
  switch (metric) {
    case 'error-rate':
      return `${Number((value * 100).toPrecision(3))}%`;
    case 'requests':
      return `${Number(value.toPrecision(4))}/s`;
    case 'p50':
    case 'p95':
    case 'p99':
    case 'mean':
      return Math.abs(value) < 10 ? `${Number(value.toPrecision(2))}ms` : `${Math.round(value)}ms`;
  }
}

/** `p95`, `service-p95`, `rate`: as a rule says it. */
export const shownMetric = ({ metric, text }: LoadRule): string =>
  metric === 'requests' ? 'rate' : (text.split(/ ?[<>]/, 1)[0] ?? metric);
