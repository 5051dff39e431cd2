import { complain, type DocumentProblem, type Place } from './place.ts';
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
import { fill, namesIn } from './template.ts';

/** An environment variable of the step; undefined when unset or empty. */
export type Environment = (name: string) => string | undefined;

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
  const problems: DocumentProblem[] = [];
  const filling: Filling = { document, environment, problems, secrets: new Set() };
  for (const name of document.secrets) addSecret(filling, environment(name));
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

interface Filling {
  readonly document: ChecksDocument;
  readonly environment: Environment;
  readonly problems: DocumentProblem[];
  readonly secrets: Set<string>;
}

interface Where {
  readonly path: Path;
  readonly check?: string;
}

const addSecret = (filling: Filling, value: string | undefined): void => {
  if (value !== undefined) filling.secrets.add(value);
};

const complainAt = (filling: Filling, where: Where, problem: string, accepted?: string): void => {
  const place: Place = { value: undefined, path: where.path, problems: filling.problems };
  complain(place, where.check === undefined ? problem : `${problem} (check ${where.check})`, { accepted });
};

function fillIn(filling: Filling, template: Template, where: Where): string {
  const fromEnvironment = (name: string): string => {
    const value = filling.environment(name);
    if (value !== undefined) return value;
    const problem = `needs the environment variable ${name}, which is not set`;
    const said = filling.problems.some((other) => other.path === where.path && other.problem.startsWith(problem));
    if (!said) complainAt(filling, where, problem, `\`env: ${name}: ...\` on the step`);
    return '';
  };
  return fill(template, (kind, name) =>
    kind === 'environment'
      ? fromEnvironment(name)
      : fill(filling.document.variables[name] ?? '', (_, inner) => fromEnvironment(inner)),
  );
}

/** Values of the environment that stand in a template whose place is secret by its nature. */
function noteSecrets(filling: Filling, template: Template): void {
  for (const name of namesIn(template, 'environment')) addSecret(filling, filling.environment(name));
  for (const variable of namesIn(template, 'variable')) {
    const inner = filling.document.variables[variable];
    if (inner !== undefined) noteSecrets(filling, inner);
  }
}

const SECRET_HEADER = /authorization|cookie|token|secret|api-?key|password/;

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
  const value = (template: Template, ...steps: Path): string => {
    const where: Where = { path: [...check.at, ...steps], check: check.name };
    const text = fillIn(filling, template, where);
    if (/\p{Cc}/u.test(text))
      complainAt(filling, where, 'has a line break or control character when filled in', 'one line');
    return text;
  };
  const headers = Object.entries(check.headers).map(([name, template]): [string, string] => {
    if (SECRET_HEADER.test(name)) noteSecrets(filling, template);
    return [name, value(template, 'headers', name)];
  });
  if (check.bearer === undefined) return Object.fromEntries(headers);
  noteSecrets(filling, check.bearer);
  return Object.fromEntries([...headers, ['authorization', `Bearer ${value(check.bearer, 'auth', 'bearer')}`]]);
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
