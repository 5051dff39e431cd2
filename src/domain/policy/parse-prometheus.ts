import { milliseconds, seconds } from '../duration.ts';
import { nearestOf } from '../inputs.ts';
import { type Mapping, durationAt, refuse, refuseUnknownKeys, textAt } from './document.ts';
import { kindOf, shareBeyond } from './metric.ts';
import { readHeaders, readUrl } from './parse-service.ts';
import type { PrometheusQuery, PrometheusSource } from './policy.ts';

export const PROMETHEUS_KEYS = [
  'from',
  'url',
  'bad',
  'total',
  'histogram',
  'value',
  'samples',
  'headers',
  'timeout',
] as const;
const QUERY_KEYS = ['bad', 'total', 'histogram', 'value', 'samples'] as const;
const PLACEHOLDERS = ['color', 'target-group', 'window'];

/** `bad` and `total` (rates), `histogram` (percentiles), `total` (requests), or a whole query as `value`. */
export function readPrometheus(entry: Mapping, metric: string): PrometheusSource | undefined {
  refuseUnknownKeys(entry, PROMETHEUS_KEYS);
  for (const key of QUERY_KEYS) refusePlaceholders(entry, key);
  const url = readUrl(entry, []);
  const headers = readHeaders(entry);
  const timeout = durationAt(entry, 'timeout', { fallback: seconds(10), min: milliseconds(100) });
  const query = readQuery(entry, metric);
  return query && { from: 'prometheus', url, headers, timeout, query };
}

function readQuery(entry: Mapping, metric: string): PrometheusQuery | undefined {
  const given = QUERY_KEYS.filter((key) => entry.values[key] !== undefined);
  const is = (...keys: readonly string[]): boolean =>
    keys.length === given.length && keys.every((key) => given.some((each) => each === key));
  const text = (key: string): string => textAt(entry, key) ?? '';
  const kind = kindOf(metric);
  if (is('bad', 'total') && (kind === 'rate' || kind === 'own' || kind === 'checks'))
    return { kind: 'ratio', bad: selector(entry, 'bad'), total: selector(entry, 'total') };
  if (is('total') && kind === 'throughput') return { kind: 'throughput', total: selector(entry, 'total') };
  if (is('histogram') && shareBeyond(metric) !== undefined)
    return { kind: 'histogram', histogram: selector(entry, 'histogram') };
  if (is('value', 'samples')) return { kind: 'value', value: text('value'), samples: text('samples') };
  if (is('value') && kind !== 'rate' && kind !== 'time')
    return { kind: 'value', value: text('value'), samples: undefined };
  return refuse(entry, given[0] ?? 'value', {
    problem: `is not what ${metric} is read from: ${given.length === 0 ? 'no query is given' : given.join(' and ')}`,
    accepted: acceptedFor(metric),
  });
}

function acceptedFor(metric: string): string {
  switch (kindOf(metric)) {
    case 'rate':
      return 'bad and total (selectors of counters), or value and samples (queries)';
    case 'time':
      return shareBeyond(metric) === undefined
        ? 'value and samples (queries)'
        : 'histogram (a selector of buckets), or value and samples (queries)';
    case 'throughput':
      return 'total (a selector of counters), or value (a query)';
    case 'checks':
    case 'own':
      return 'bad and total (selectors of counters), or value (a query), with or without samples';
  }
}

/** `name{label="x"}`: the increase is counted from the samples themselves, so no function may stand around it. */
function selector(entry: Mapping, key: string): string {
  const text = textAt(entry, key) ?? '';
  if (!/^[a-zA-Z_:][\w:]*\s*(\{[^[\]()]*\})?$|^\{[^[\]()]+\}$/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')))
    refuse(entry, key, {
      problem: 'is not a selector of a counter',
      accepted: 'http_requests_total{code=~"5..",color="{color}"}, without functions or ranges',
    });
  return text;
}

function refusePlaceholders(entry: Mapping, key: string): void {
  const text = entry.values[key];
  if (typeof text !== 'string') return;
  // `{name}` alone is a placeholder; `{label="x"}` is PromQL.
  for (const [, name = ''] of text.matchAll(/\{([a-z-]+)\}/g)) {
    if (PLACEHOLDERS.includes(name)) continue;
    const nearest = nearestOf(name, PLACEHOLDERS);
    refuse(entry, key, {
      problem: `has the placeholder {${name}}`,
      accepted: PLACEHOLDERS.map((each) => `{${each}}`).join(', '),
      ...(nearest ? { nearest } : {}),
    });
  }
}
