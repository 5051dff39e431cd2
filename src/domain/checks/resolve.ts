import type {
  Check,
  ChecksDocument,
  Expectation,
  Json,
  JsonTest,
  Path,
  ResolvedCheck,
  ResolvedChecks,
  Template,
  TextTest,
  VersionExpectation,
} from './document.ts';
import {
  type Environment,
  type Filling,
  type Where,
  complainAt,
  fillHeader,
  fillHeaders,
  fillIn,
  newFilling,
  noteSecret,
  noteSecrets,
} from './fill-in.ts';
import type { DocumentProblem } from './place.ts';

export type ResolvedOrNot =
  | { readonly ok: true; readonly value: ResolvedChecks }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/**
 * Fills in the references. `target: 'elsewhere'` leaves the document's own target alone, because another one is used:
 * its environment variable need not exist then.
 */
export function resolveChecks(
  document: ChecksDocument,
  environment: Environment,
  options: { readonly target: 'of-document' | 'elsewhere' } = { target: 'of-document' },
): ResolvedOrNot {
  const filling = newFilling(environment, document.variables);
  const { problems } = filling;
  for (const name of document.secrets) noteSecret(filling, name);
  const { target } = document;
  const value: ResolvedChecks = {
    ...(target === undefined || options.target === 'elsewhere'
      ? {}
      : { target: fillIn(filling, target, { path: ['target'] }) }),
    checks: document.checks.flatMap((check) => resolveCheck(filling, check)),
    secrets: [],
  };
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, value: { ...value, secrets: [...filling.secrets] } };
}

function resolveCheck(filling: Filling, check: Check): readonly ResolvedCheck[] {
  const { bearer: _bearer, body: _body, paths, expect, warn, ...same } = check;
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
  };
  return paths.map(({ text, at }) => {
    const path = fillIn(filling, text, { path: at, check: check.name });
    const name = paths.length === 1 ? check.name : `${check.name} ${text}`;
    if (!/^\/\P{Cc}*$/u.test(path))
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
