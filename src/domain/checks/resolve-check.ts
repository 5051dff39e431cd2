import type {
  Check,
  Expectation,
  Json,
  JsonTest,
  Path,
  RequestBody,
  ResolvedCheck,
  SocketPart,
  Template,
  TextTest,
  VersionExpectation,
} from './document.ts';
import { type Filling, type Where, complainAt, fillHeader, fillHeaders, fillIn, noteSecrets } from './fill-in.ts';

/** The requests of a check, one for each path, with every reference filled in. */
export function resolveCheck(filling: Filling, check: Check): readonly ResolvedCheck[] {
  const { bearer: _bearer, body: _body, weight: _weight, paths, expect, warn, socket, ...same } = check;
  const within = (part: string) => (template: Template, steps: Path) =>
    fillIn(filling, template, { path: [...check.at, part, ...steps], check: check.name });
  const headers = resolveHeaders(filling, check);
  const body = resolveBody(check, within('json'), within('body'));
  if (body !== undefined && body.type !== undefined) headers['content-type'] ??= body.type;
  const resolved = {
    ...same,
    headers,
    ...(body === undefined ? {} : { body: body.text }),
    expect: mapExpectation(expect, within('expect')),
    ...(warn ? { warn: mapExpectation(warn, within('warn')) } : {}),
    ...(socket ? { socket: resolveSocket(socket, within) } : {}),
  };
  return paths.map(({ text, at }) => {
    const before = filling.byTurn.count;
    const path = fillIn(filling, text, { path: at, check: check.name });
    const known = filling.turn !== undefined || filling.byTurn.count === before;
    const name = paths.length === 1 ? check.name : `${check.name} ${text}`;
    if (known && !/^\/\P{Cc}*$/u.test(path))
      complainAt(filling, { path: at, check: check.name }, 'is not a path when filled in', 'begins with /');
    return { ...resolved, name, at, path };
  });
}

function resolveHeaders(filling: Filling, check: Check): Record<string, string> {
  const at = (...steps: Path): Where => ({ path: [...check.at, ...steps], check: check.name });
  const headers = fillHeaders(filling, check.headers, at('headers'));
  if (check.bearer === undefined) return headers;
  noteSecrets(filling, check.bearer);
  return { ...headers, authorization: `Bearer ${fillHeader(filling, check.bearer, at('auth', 'bearer'))}` };
}

function resolveSocket({ protocol, exchanges }: SocketPart<Template>, within: (part: string) => FillPart): SocketPart {
  return {
    protocol,
    exchanges: exchanges.map((exchange, index) => {
      const part: FillPart = (template, steps) => within('flow')(template, [index, ...steps]);
      const { expect, captures, at } = exchange;
      const rest = { captures, at, ...(expect ? { expect: mapExpectation(expect, part) } : {}) };
      switch (exchange.kind) {
        case 'send': {
          const { body } = exchange;
          const filled: RequestBody =
            body.kind === 'text'
              ? { kind: 'text', text: part(body.text, ['send']) }
              : { kind: 'json', value: mapJson(body.value, part, ['send']) };
          return { kind: 'send', body: filled, ...rest };
        }
        case 'invoke':
          return {
            kind: 'invoke',
            method: part(exchange.method, ['invoke']),
            args: exchange.args.map((value, place) => mapJson(value, part, ['args', place])),
            ...rest,
          };
        case 'receive':
        case 'ping':
          return { kind: exchange.kind, ...rest };
      }
    }),
  };
}

type FillPart = (template: Template, steps: Path) => string;

function resolveBody(check: Check, json: FillPart, text: FillPart): { text: string; type?: string } | undefined {
  switch (check.body?.kind) {
    case undefined:
      return undefined;
    case 'json':
      return { text: JSON.stringify(mapJson(check.body.value, json, [])), type: 'application/json' };
    case 'text':
      return { text: text(check.body.text, []) };
  }
}

function mapJson(value: Json<Template>, fillPart: FillPart, steps: Path): Json {
  if (typeof value === 'string') return fillPart(value, steps);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item: Json<Template>, index) => mapJson(item, fillPart, [...steps, index]));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapJson(item as Json<Template>, fillPart, [...steps, key])]),
  );
}

function mapExpectation(expect: Expectation<Template>, fillPart: FillPart): Expectation {
  const { headers, json, body, version, ...same } = expect;
  return {
    ...same,
    ...(headers && {
      headers: headers.map(({ name, tests }) => ({
        name,
        tests: tests.map((test) => mapText(test, fillPart, ['headers', name])),
      })),
    }),
    ...(json && {
      json: json.map(({ query, tests }) => ({
        query,
        tests: tests.map((test) => mapValue(test, fillPart, ['json', query.source])),
      })),
    }),
    ...(body && { body: body.map((test) => mapText(test, fillPart, ['body'])) }),
    ...(version && { version: mapVersion(version, fillPart) }),
  };
}

function mapVersion(version: VersionExpectation<Template>, fillPart: FillPart): VersionExpectation {
  const { from, equals } = version;
  return equals === undefined ? { from } : { from, equals: fillPart(equals, ['version', 'equals']) };
}

const mapText = (test: TextTest<Template>, fillPart: FillPart, steps: Path): TextTest =>
  test.kind === 'equals' || test.kind === 'contains' ? { ...test, value: fillPart(test.value, steps) } : test;

const mapValue = (test: JsonTest<Template>, fillPart: FillPart, steps: Path): JsonTest =>
  test.kind === 'equals' || test.kind === 'contains' ? { ...test, value: mapJson(test.value, fillPart, steps) } : test;
