import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A counter as it was scraped: labels (`__name__` among them), epoch milliseconds and values. */
export interface Scraped {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [at: number, value: number])[];
}

export interface FakePrometheus {
  readonly url: string;
  /** Queries in the order in which they came. */
  readonly asked: string[];
  series: readonly Scraped[];
  /** What an instant query that is no range selector gives: values, or text as Prometheus writes them (`NaN`). */
  values: Readonly<Record<string, readonly (number | string)[]>>;
  warnings: readonly string[];
  /** Answers 503 with Prometheus' own words. */
  ill: 'no' | 'yes';
  close(): Promise<void>;
}

const LIST = { content: { 'content-type': 'application/json' } } as const;
const STALE = 300_000;

/**
 * The part of Prometheus' HTTP API that a judgement asks: instant queries of selectors (a vector, within the five minutes
 * of lookback), of range selectors (a matrix of raw samples, beginning left open), and of queries whose values a test
 * sets. As strict as the real one: errors are JSON with status 400, 422 or 503, numbers are texts, nothing is an empty list.
 */
export async function fakePrometheus(): Promise<FakePrometheus> {
  const state = {
    asked: [] as string[],
    series: [] as readonly Scraped[],
    values: {} as FakePrometheus['values'],
    warnings: [] as readonly string[],
    ill: 'no' as FakePrometheus['ill'],
  };
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://prometheus');
    const answer =
      url.pathname === '/api/v1/query' ? answerOf(url.searchParams, state) : failed(404, 'not_found', 'no route');
    response.writeHead(answer.status, LIST.content).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
const failed = (status: number, errorType: string, error: string): Answer => ({
  status,
  body: { status: 'error', errorType, error },
});

type State = Omit<FakePrometheus, 'url' | 'close'>;

function answerOf(parameters: URLSearchParams, state: State): Answer {
  const query = parameters.get('query') ?? '';
  const time = Number(parameters.get('time'));
  state.asked.push(query);
  if (state.ill === 'yes') return failed(503, 'unavailable', 'Service Unavailable: TSDB not ready');
  if (query === '')
    return failed(
      400,
      'bad_data',
      'invalid parameter "query": unknown position: parse error: no expression found in input',
    );
  if (!Number.isFinite(time))
    return failed(
      400,
      'bad_data',
      `invalid parameter "time": cannot parse "${parameters.get('time')}" to a valid timestamp`,
    );
  const good = (resultType: string, result: unknown): Answer => ({
    status: 200,
    body: {
      status: 'success',
      data: { resultType, result },
      ...(state.warnings.length > 0 ? { warnings: state.warnings } : {}),
    },
  });
  const set = state.values[query];
  if (set !== undefined)
    return good(
      'vector',
      set.map((value) => ({ metric: {}, value: [time, String(value)] })),
    );
  if (/^(?:rate|increase)\([^[]*\)$/.test(query))
    return failed(
      400,
      'bad_data',
      'invalid parameter "query": 1:1: parse error: expected type range vector in call to function, got instant vector',
    );
  const selector = /^([a-zA-Z_:][\w:]*)?\s*(?:\{(.*)\})?(?:\[(\w+)\])?$/s.exec(query);
  if (selector === null)
    return failed(400, 'bad_data', `invalid parameter "query": parse error: unexpected input in ${query}`);
  const [, name, matchers = '', range] = selector;
  const chosen = choose(state.series, name, matchers);
  if (chosen === undefined)
    return failed(400, 'bad_data', `invalid parameter "query": parse error: unexpected end of input inside braces`);
  const end = time * 1_000;
  return range === undefined
    ? good(
        'vector',
        chosen.flatMap((each) => latest(each, end)),
      )
    : good(
        'matrix',
        chosen.flatMap((each) => inRange(each, { from: end - lengthOf(range), to: end })),
      );
}

const MATCHER = /\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;

/** undefined: the matchers cannot be read. */
function choose(
  series: readonly Scraped[],
  name: string | undefined,
  matchers: string,
): readonly Scraped[] | undefined {
  const tests: ((labels: Scraped['labels']) => boolean)[] = [];
  if (name !== undefined) tests.push((labels) => labels['__name__'] === name);
  MATCHER.lastIndex = 0;
  while (MATCHER.lastIndex < matchers.length) {
    const [, label = '', operator, text = ''] = MATCHER.exec(matchers) ?? [];
    if (operator === undefined) return undefined;
    const regular = new RegExp(`^(?:${text})$`);
    const test = (value: string): boolean => (operator.includes('~') ? regular.test(value) : value === text);
    tests.push((labels) => test(labels[label] ?? '') === !operator.startsWith('!'));
  }
  return series.filter(({ labels }) => tests.every((test) => test(labels)));
}

const shown = ([at, value]: readonly [number, number]): readonly [number, string] => [at / 1_000, String(value)];

function latest({ labels, samples }: Scraped, end: number): readonly unknown[] {
  const last = samples.findLast(([at]) => at <= end && at > end - STALE);
  return last === undefined ? [] : [{ metric: labels, value: shown(last) }];
}

function inRange(
  { labels, samples }: Scraped,
  { from, to }: { readonly from: number; readonly to: number },
): readonly unknown[] {
  const values = samples.filter(([at]) => at > from && at <= to).map(shown);
  return values.length === 0 ? [] : [{ metric: labels, values }];
}

function lengthOf(range: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  return [...range.matchAll(/(\d+)(ms|s|m|h)/g)].reduce(
    (sum, [, n, unit = '']) => sum + Number(n) * (units[unit] ?? 0),
    0,
  );
}
