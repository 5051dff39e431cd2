import type { JsonQuery } from '../../domain/checks/document.ts';
import { between, formatDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { type InputProblem, InvalidInput } from '../../domain/inputs.ts';
import { ofColor } from '../../domain/policy/parse-service.ts';
import type { WebSource } from '../../domain/policy/policy.ts';
import type { Arm, Measurement, MetricProvider, Window } from '../../ports/metric-provider.ts';
import type { ProbeResult, Prober } from '../../ports/prober.ts';
import { matchers } from '../http/matchers.ts';
import { type MetricPlace, fill, namesOf, withEnvironment } from './environment.ts';

const BODY_LIMIT = 1_048_576;

/**
 * A number out of JSON over HTTP. What the service does not say is `no-data`, never 0; an answer that is no answer
 * (status, not JSON, not a number) is `unreachable` with the reason. Throws InvalidInput for a source that cannot work.
 */
export function webMetric(source: WebSource, place: MetricPlace, prober: Prober): MetricProvider {
  const { url, headers, value, samples } = resolve(source, place);
  return {
    name: `web ${hostOf(url)}`,
    memory: /\{(from|to)\}/.test(url) ? 'kept' : 'none',
    async measure({ arm }, window, signal) {
      // Asked the same for both colors, it would give the candidate's numbers as stable's.
      if (arm === 'stable' && !ofColor(url)) return { kind: 'no-data' };
      const answer = await prober.probe(
        {
          method: 'GET',
          url: filled(url, { arm, window, place }),
          headers: { accept: 'application/json', 'user-agent': 'sluice', ...headers },
          timeout: source.timeout,
          bodyLimit: BODY_LIMIT,
        },
        signal,
      );
      return read(answer, { value, samples });
    },
  };
}

interface Paths {
  readonly value: JsonQuery;
  readonly samples: JsonQuery | undefined;
}

interface Resolved extends Paths {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that can be known to be wrong before anything is measured. */
function resolve(source: WebSource, place: MetricPlace): Resolved {
  const problems: InputProblem[] = [];
  const at = (key: string): string => `metrics.${place.metric}.${key}`;
  const variables = withEnvironment(place, problems);
  const path = (text: string, key: string): JsonQuery => {
    const compiled = matchers.jsonQuery(text);
    if (compiled.ok) return compiled.value;
    problems.push({
      input: at(key),
      given: text,
      problem: compiled.problem,
      ...(compiled.accepted ? { accepted: compiled.accepted } : {}),
    });
    return { source: text, select: () => [] };
  };
  const url = variables(source.url, 'url');
  if (problems.length === 0 && !/^https?:\/\/[^/]/.test(url))
    problems.push({ input: at('url'), problem: 'is not an http or https URL' });
  const resolved: Resolved = {
    url,
    headers: Object.fromEntries(
      Object.entries(source.headers).map(([name, text]) => [name, variables(text, `headers.${name}`)]),
    ),
    value: path(source.value, 'value'),
    samples: source.samples === undefined ? undefined : path(source.samples, 'samples'),
  };
  if (problems.length > 0) throw new InvalidInput('The policy', problems);
  return resolved;
}

interface Filling {
  readonly arm: Arm;
  readonly window: Window;
  readonly place: MetricPlace;
}

function filled(template: string, { arm, window, place }: Filling): string {
  const values = {
    ...namesOf(place, arm),
    window: formatDuration(between(window.from, window.to)),
    from: String(window.from),
    to: String(window.to),
  };
  return fill(
    template,
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodeURIComponent(value)])),
  );
}

function read(answer: ProbeResult, paths: Paths): Measurement {
  if (answer.kind === 'failed') return unreachable(answer.message);
  if (answer.status < 200 || answer.status > 299) return unreachable(`status ${answer.status}`);
  let document: unknown;
  try {
    document = JSON.parse(answer.body);
  } catch {
    return unreachable(answer.bodyTruncated ? `more than ${BODY_LIMIT} bytes of JSON` : 'the answer is not JSON');
  }
  const value = numberAt(paths.value, document);
  // Without a path for it, a value stands for itself: the grammar allows that only where no sample size is asked for.
  const samples = paths.samples === undefined ? 1 : numberAt(paths.samples, document);
  if (typeof value === 'string') return unreachable(value);
  if (typeof samples === 'string') return unreachable(samples);
  return value === undefined || samples === undefined ? { kind: 'no-data' } : { kind: 'value', value, samples };
}

/** The number; undefined for null and for nothing there; a text says what is wrong instead. */
function numberAt(query: JsonQuery, document: unknown): number | undefined | string {
  const found = query.select(document);
  if (found.length > 1) return `${query.source} finds ${found.length} values`;
  const [value] = found;
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value : `${query.source} is ${JSON.stringify(value).slice(0, 60)}, not a number`;
}

const unreachable = (why: string): Measurement => ({ kind: 'unreachable', cause: new Failure({ what: why }) });

const hostOf = (url: string): string => URL.parse(url.replaceAll(/\{[^}]*\}/g, 'x'))?.host ?? url;
