import { type Duration, seconds } from '../duration.ts';
import type {
  Check,
  ChecksDocument,
  Expectation,
  Matchers,
  Method,
  Redirects,
  Retry,
  StatusSet,
  Template,
} from './document.ts';
import { readExpectation } from './expectation.ts';
import {
  type DocumentProblem,
  type Place,
  complain,
  entriesOf,
  fieldsOf,
  isMapping,
  itemsOf,
  readDuration,
  readText,
  rootOf,
} from './place.ts';
import { readBody, readHeaders, readPaths, readRedirects, readRetry, readSecret } from './request-parts.ts';
import { type Grammar, readTemplate } from './template.ts';

/** What stands where neither the check nor the file's `defaults` say anything. */
export interface Fallbacks {
  readonly timeout: Duration;
  readonly retry: Retry;
  readonly status: StatusSet;
}

export const FALLBACKS: Fallbacks = {
  timeout: seconds(10),
  retry: { count: 1, interval: seconds(5), consecutive: 1 },
  status: { text: '<400', ranges: [{ from: 100, to: 399 }] },
};

export type ParsedChecks =
  | { readonly ok: true; readonly value: ChecksDocument }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

export const DOCUMENT_KEYS = ['version', 'target', 'variables', 'secrets', 'defaults', 'checks'] as const;
const TOP_LATER = ['flows', 'load'] as const;
const METHODS = { get: 'GET', head: 'HEAD', post: 'POST', put: 'PUT', delete: 'DELETE' } as const satisfies Record<
  string,
  Method
>;
export const METHOD_KEYS = Object.keys(METHODS) as readonly (keyof typeof METHODS)[];
const CHECK_LATER = ['ws', 'signalr', 'socketio', 'flow', 'emit', 'weight', 'capture', 'think'] as const;

/** Reads a checks document (version 1) from the value of its YAML: the document, or every problem at once with its place. */
export function parseChecks(value: unknown, matchers: Matchers, fallbacks: Fallbacks = FALLBACKS): ParsedChecks {
  const root = rootOf(value);
  const { version, target, variables, secrets, defaults, checks } = fieldsOf(root, {
    known: DOCUMENT_KEYS,
    later: TOP_LATER,
  });
  readFormat(root, version);
  const named = variables ? readVariables(variables, { matchers, variables: {} }) : {};
  const grammar: Grammar = { matchers, variables: named };
  const targetText = target && readText(target);
  const base = readDefaults(defaults, grammar, fallbacks);
  if (checks === undefined && isMapping(value)) complain({ ...root, value: undefined }, 'has no `checks`');
  const document: ChecksDocument = {
    ...(target && targetText !== undefined ? { target: readTemplate(target, targetText, grammar) } : {}),
    variables: named,
    secrets: secrets ? readSecretNames(secrets) : [],
    checks: checks ? readChecks(checks, grammar, base) : [],
  };
  return root.problems.length === 0 ? { ok: true, value: document } : { ok: false, problems: root.problems };
}

function readFormat(root: Place, version: Place | undefined): void {
  if (version === undefined) {
    if (root.problems.length === 0)
      complain({ ...root, value: undefined }, 'does not say its `version`', { accepted: 'version: 1' });
  } else if (version.value !== 1) {
    complain(version, 'is not a version that can be read', { accepted: '1' });
  }
}

function readVariables(place: Place, grammar: Grammar): Readonly<Record<string, Template>> {
  return Object.fromEntries(
    entriesOf(place).flatMap(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        complain({ ...value, value: name }, 'is not a name', { accepted: 'letters, digits and _' });
      }
      const plain =
        typeof value.value === 'number' || typeof value.value === 'boolean' ? String(value.value) : value.value;
      const text = readText({ ...value, value: plain });
      return [[name, text === undefined ? ('' as Template) : readTemplate(value, text, grammar)]];
    }),
  );
}

const readSecretNames = (place: Place): readonly string[] =>
  itemsOf(place).flatMap((item) => {
    const name = readText(item);
    if (name !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [name];
    if (name !== undefined)
      complain({ ...item, value: undefined }, 'is not the name of an environment variable', { accepted: 'API_TOKEN' });
    return [];
  });

interface Base {
  readonly timeout: Duration;
  readonly headers: Readonly<Record<string, Template>>;
  readonly retry: Retry;
  readonly redirects: Redirects;
  readonly expect: Expectation<Template>;
}

export const DEFAULTS_KEYS = ['timeout', 'headers', 'retry', 'follow-redirects', 'expect'] as const;

function readDefaults(place: Place | undefined, grammar: Grammar, fallbacks: Fallbacks): Base {
  const fields = place ? fieldsOf(place, { known: DEFAULTS_KEYS }) : {};
  const { timeout, headers, retry, expect } = fields;
  const redirects = fields['follow-redirects'];
  return {
    timeout: (timeout && readDuration(timeout)) ?? fallbacks.timeout,
    headers: headers ? readHeaders(headers, grammar) : {},
    retry: retry ? readRetry(retry, fallbacks.retry) : fallbacks.retry,
    redirects: redirects ? readRedirects(redirects) : { kind: 'never' },
    expect: { status: fallbacks.status, ...(expect ? readExpectation(expect, grammar) : {}) },
  };
}

function readChecks(place: Place, grammar: Grammar, base: Base): readonly Check[] {
  const names = new Set<string>();
  return itemsOf(place).flatMap((item) => {
    const check = readCheck(item, grammar, base);
    if (check === undefined) return [];
    if (names.has(check.name))
      complain({ ...item, value: check.name }, 'is the name of an earlier check too', {
        accepted: 'a name of its own',
      });
    names.add(check.name);
    return [check];
  });
}

export const CHECK_KEYS = [
  'name',
  ...METHOD_KEYS,
  'headers',
  'auth',
  'json',
  'body',
  'timeout',
  'retry',
  'follow-redirects',
  'expect',
  'warn',
] as const;

function readCheck(place: Place, grammar: Grammar, base: Base): Check | undefined {
  if (!isMapping(place.value))
    return complain(place, 'is not a check', { accepted: 'a mapping with `name` and a request' });
  const before = place.problems.length;
  const fields = fieldsOf(place, { known: CHECK_KEYS, later: CHECK_LATER });
  const name = fields.name ? readText(fields.name)?.trim() : complain({ ...place, value: undefined }, 'has no `name`');
  const request = readRequest(place, fields, grammar);
  const headers = fields.headers ? readHeaders(fields.headers, grammar) : {};
  const bearer = fields.auth && readAuth(fields.auth, grammar);
  if (fields.auth && 'authorization' in headers)
    complain({ ...fields.auth, value: undefined }, 'excludes the header Authorization');
  const body = readBody(fields, grammar);
  const redirects = fields['follow-redirects'];
  const check = {
    at: place.path,
    headers: { ...base.headers, ...headers },
    ...(bearer === undefined ? {} : { bearer }),
    ...(body === undefined ? {} : { body }),
    timeout: (fields.timeout && readDuration(fields.timeout)) ?? base.timeout,
    retry: fields.retry ? readRetry(fields.retry, base.retry) : base.retry,
    redirects: redirects ? readRedirects(redirects) : base.redirects,
    expect: { ...base.expect, ...(fields.expect ? readExpectation(fields.expect, grammar) : {}) },
    ...(fields.warn ? { warn: readExpectation(fields.warn, grammar) } : {}),
  };
  if (name === undefined || request === undefined || place.problems.length > before) return undefined;
  return { name, ...request, ...check };
}

type CheckFields = Partial<Record<(typeof CHECK_KEYS)[number], Place>>;

/** The one method of a check and its paths. A check of a later kind has been refused by its key already. */
function readRequest(place: Place, fields: CheckFields, grammar: Grammar): Pick<Check, 'method' | 'paths'> | undefined {
  const [key, ...more] = METHOD_KEYS.filter((candidate) => fields[candidate] !== undefined);
  const accepted = METHOD_KEYS.join(', ');
  if (more.length > 0)
    return complain({ ...place, value: undefined }, `has several requests (${[key, ...more].join(', ')})`, {
      accepted: `one of ${accepted}`,
    });
  const paths = key && fields[key];
  if (paths === undefined) {
    const later = CHECK_LATER.some((kind) => kind in (place.value as object));
    return later
      ? undefined
      : complain({ ...place, value: undefined }, 'makes no request', { accepted: `one of ${accepted}, with a path` });
  }
  const payload = fields.json ?? fields.body;
  if (payload && (key === 'get' || key === 'head'))
    complain({ ...payload, value: undefined }, `does not go with ${key}`, { accepted: 'post, put, delete' });
  return { method: METHODS[key as keyof typeof METHODS], paths: readPaths(paths, grammar) };
}

function readAuth(place: Place, grammar: Grammar): Template | undefined {
  const { bearer } = fieldsOf(place, { known: ['bearer'] });
  if (bearer === undefined) return complain({ ...place, value: undefined }, 'has no `bearer`');
  return readSecret(bearer, grammar);
}
