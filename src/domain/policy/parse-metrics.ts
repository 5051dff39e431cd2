import { milliseconds, seconds } from '../duration.ts';
import { nearestOf } from '../inputs.ts';
import { type Mapping, durationAt, mappingAt, refuse, refuseUnknownKeys, textAt } from './document.ts';
import { isBuiltIn, kindOf } from './metric.ts';
import { readCloudWatch } from './parse-cloudwatch.ts';
import { readPrometheus } from './parse-prometheus.ts';
import { readHeaders, readUrl } from './parse-service.ts';
import type { MetricSource, ProbeSource, WebSource } from './policy.ts';

const SOURCES = ['probe', 'web', 'prometheus', 'cloudwatch'] as const;
export const METRIC_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const PLACEHOLDERS = ['color', 'target-group', 'window', 'from', 'to'];
const MIN_PROBE_INTERVAL = milliseconds(20);

/** The source of every metric in the file; what cannot be read is refused and left out. */
export function readMetrics(policy: Mapping): Readonly<Record<string, MetricSource>> {
  const metrics = mappingAt(policy, 'metrics');
  const sources: Record<string, MetricSource> = {};
  for (const name of Object.keys(metrics?.values ?? {})) {
    if (metrics === undefined) break;
    if (!METRIC_NAME.test(name))
      refuse(metrics, name, {
        problem: 'is not a name for a metric',
        accepted: 'a-z, 0-9 and -, beginning with a letter',
      });
    const entry = mappingAt(metrics, name);
    const source = entry && readSource(entry, name);
    if (source) sources[name] = source;
  }
  return sources;
}

/** The source of a built-in metric that the file does not list: own requests, /health for the checks. */
export const builtInSource = (metric: string): ProbeSource => ({
  from: 'probe',
  path: metric === 'health' ? '/health' : '/',
  every: seconds(1),
  timeout: seconds(5),
});

function readSource(entry: Mapping, metric: string): MetricSource | undefined {
  const from = textAt(entry, 'from');
  switch (from) {
    case 'probe':
      return readProbe(entry, metric);
    case 'web':
      return readWeb(entry, metric);
    case 'prometheus':
      return readPrometheus(entry, metric);
    case 'cloudwatch':
      return readCloudWatch(entry, metric);
    case undefined:
      return entry.values['from'] === undefined
        ? refuse(entry, 'from', { problem: 'is missing', accepted: SOURCES.join(', ') })
        : undefined;
    default: {
      const nearest = nearestOf(from, SOURCES);
      return refuse(entry, 'from', {
        problem: 'is not a source of metrics',
        accepted: SOURCES.join(', '),
        ...(nearest ? { nearest } : {}),
      });
    }
  }
}

export const PROBE_KEYS = ['from', 'path', 'every', 'timeout'] as const;

function readProbe(entry: Mapping, metric: string): ProbeSource | undefined {
  refuseUnknownKeys(entry, PROBE_KEYS);
  if (!isBuiltIn(metric))
    return refuse(entry, 'from', {
      problem: `cannot measure ${metric}: a probe knows the built-in metrics only`,
      accepted: 'web, prometheus, cloudwatch',
    });
  if (kindOf(metric) === 'throughput')
    return refuse(entry, 'from', {
      problem: 'cannot count the requests of users: a probe sees only its own',
      accepted: 'web, prometheus, cloudwatch',
    });
  const fallback = builtInSource(metric);
  const path = textAt(entry, 'path') ?? fallback.path;
  if (!path.startsWith('/'))
    refuse(entry, 'path', { problem: 'is not a path', accepted: 'a path that begins with /: /health' });
  return {
    from: 'probe',
    path,
    every: durationAt(entry, 'every', { fallback: fallback.every, min: MIN_PROBE_INTERVAL }),
    timeout: durationAt(entry, 'timeout', { fallback: fallback.timeout, min: MIN_PROBE_INTERVAL }),
  };
}

export const WEB_KEYS = ['from', 'url', 'value', 'samples', 'headers', 'timeout'] as const;

function readWeb(entry: Mapping, metric: string): WebSource {
  refuseUnknownKeys(entry, WEB_KEYS);
  const samples = path(
    entry,
    'samples',
    kindOf(metric) === 'rate' || kindOf(metric) === 'time' ? 'required' : 'optional',
  );
  return {
    from: 'web',
    url: readUrl(entry, PLACEHOLDERS),
    value: path(entry, 'value', 'required') ?? '$',
    samples,
    headers: readHeaders(entry),
    timeout: durationAt(entry, 'timeout', { fallback: seconds(10), min: milliseconds(100) }),
  };
}

/** Without the number of requests behind a rate nobody can say whether it means anything: there the path is required. */
function path(entry: Mapping, key: 'value' | 'samples', presence: 'required' | 'optional'): string | undefined {
  const given = textAt(entry, key);
  const accepted = 'an RFC 9535 path: $.requests';
  if (given === undefined) {
    if (entry.values[key] === undefined && presence === 'required')
      refuse(entry, key, { problem: 'is missing', accepted });
    return undefined;
  }
  return given.startsWith('$') ? given : refuse(entry, key, { problem: 'is not a path', accepted });
}
