import { type Duration, seconds } from '../duration.ts';
import { type Captured, readCaptures } from './capture.ts';
import type { Check, Expectation, Method, Redirects, Retry, StatusSet, Template } from './document.ts';
import { readExchanges } from './exchange.ts';
import { readExpectation } from './expectation.ts';
import { type Place, complain, fieldsOf, isMapping, readCount, readDuration, readText } from './place.ts';
import { readBody, readHeaders, readPaths, readRedirects, readRetry, readSecret } from './request-parts.ts';
import type { Grammar } from './template.ts';

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

const METHODS = { get: 'GET', head: 'HEAD', post: 'POST', put: 'PUT', delete: 'DELETE' } as const satisfies Record<
  string,
  Method
>;
export const METHOD_KEYS = Object.keys(METHODS) as readonly (keyof typeof METHODS)[];
export const SOCKET_KEYS = ['ws', 'signalr'] as const;
export const REQUEST_KEYS = [...METHOD_KEYS, ...SOCKET_KEYS] as const;
const PROTOCOLS = { ws: 'websocket', signalr: 'signalr' } as const;
const CHECK_LATER = ['socketio', 'emit'] as const;

export interface Base {
  readonly timeout: Duration;
  readonly headers: Readonly<Record<string, Template>>;
  readonly retry: Retry;
  readonly redirects: Redirects;
  readonly expect: Expectation<Template>;
}

export const DEFAULTS_KEYS = ['timeout', 'headers', 'retry', 'follow-redirects', 'expect'] as const;

export function readDefaults(place: Place | undefined, grammar: Grammar, fallbacks: Fallbacks): Base {
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

export const CHECK_KEYS = [
  'name',
  ...METHOD_KEYS,
  ...SOCKET_KEYS,
  'flow',
  'weight',
  'addresses',
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

/** Beside the keys of a check; only in flows. */
export const STEP_KEYS = ['capture'] as const;
/** A step has no name of its own, and is not tried again unless it says so. */
const NOT_IN_STEPS: readonly string[] = ['name', 'weight', 'warn'];

export interface CheckRole {
  /** `step`: of a flow, where `captured` gathers what it captures. */
  readonly kind: 'check' | 'step';
  readonly captured?: Captured;
}

/**
 * As far as it can be read: with problems of its own it is never run, but what it needs of the environment and the inputs
 * is told together with them.
 */
export function readCheck(
  place: Place,
  grammar: Grammar,
  base: Base,
  role: CheckRole = { kind: 'check' },
): Check | undefined {
  if (!isMapping(place.value))
    return complain(place, 'is not a check', { accepted: 'a mapping with `name` and a request' });
  const step = role.kind === 'step';
  const known = step ? [...CHECK_KEYS.filter((key) => !NOT_IN_STEPS.includes(key)), ...STEP_KEYS] : CHECK_KEYS;
  const fields: CheckFields = fieldsOf<CheckKey>(place, { known, later: CHECK_LATER });
  const name = step ? '' : readName(place, fields.name);
  const request = readRequest(place, fields, grammar);
  const headers = fields.headers ? readHeaders(fields.headers, grammar) : {};
  const bearer = fields.auth && readAuth(fields.auth, grammar);
  if (fields.auth && 'authorization' in headers)
    complain({ ...fields.auth, value: undefined }, 'excludes the header Authorization');
  const body = readBody(fields, grammar);
  const redirects = fields['follow-redirects'];
  const socket = readSocket(fields, grammar, role.captured);
  const addresses = fields.addresses && readAddresses(fields.addresses);
  const check = {
    at: place.path,
    weight: (fields.weight && readCount(fields.weight, { min: 1, max: 1_000_000 })) ?? 1,
    addresses: addresses ?? 'any',
    captures: fields.capture && role.captured ? readCaptures(fields.capture, grammar, role.captured) : [],
    ...(socket === undefined ? {} : { socket }),
    headers: { ...base.headers, ...headers },
    ...(bearer === undefined ? {} : { bearer }),
    ...(body === undefined ? {} : { body }),
    timeout: (fields.timeout && readDuration(fields.timeout)) ?? base.timeout,
    retry: fields.retry ? readRetry(fields.retry, step ? ONCE : base.retry) : step ? ONCE : base.retry,
    redirects: redirects ? readRedirects(redirects) : base.redirects,
    expect: {
      ...(socket ? withoutAnswer(base.expect) : base.expect),
      ...(fields.expect ? readExpectation(fields.expect, grammar) : {}),
    },
    ...(fields.warn ? { warn: readExpectation(fields.warn, grammar) } : {}),
  };
  return { name: name ?? '', ...(request ?? NO_REQUEST), ...check };
}

/** What every answer is expected to be says nothing of an open WebSocket, whose status is 101 and which has no body. */
function withoutAnswer({ status: _status, json: _json, body: _body, ...rest }: Base['expect']): Base['expect'] {
  return rest;
}

const NO_REQUEST: Pick<Check, 'method' | 'paths'> = { method: 'GET', paths: [] };

const ONCE: Retry = { count: 1, interval: seconds(5), consecutive: 1 };

const readName = (place: Place, name: Place | undefined): string | undefined =>
  name ? readText(name)?.trim() : complain({ ...place, value: undefined }, 'has no `name`');

function readAddresses(place: Place): 'any' | 'every' | undefined {
  if (place.value === 'any' || place.value === 'every') return place.value;
  return complain(place, 'is not a choice of addresses', { accepted: 'any, every' });
}

function readSocket(fields: CheckFields, grammar: Grammar, captured: Captured | undefined): Check['socket'] {
  const [key] = SOCKET_KEYS.filter((candidate) => fields[candidate] !== undefined);
  if (key === undefined) {
    if (fields.flow) complain({ ...fields.flow, value: undefined }, 'goes with `ws` and `signalr` only');
    return undefined;
  }
  const protocol = PROTOCOLS[key];
  return { protocol, exchanges: fields.flow ? readExchanges(fields.flow, { grammar, protocol, captured }) : [] };
}

type CheckKey = (typeof CHECK_KEYS)[number] | (typeof STEP_KEYS)[number];
type CheckFields = Partial<Record<CheckKey, Place>>;

/** The one request of a check and its paths. A check of a later kind has been refused by its key already. */
function readRequest(place: Place, fields: CheckFields, grammar: Grammar): Pick<Check, 'method' | 'paths'> | undefined {
  const [key, ...more] = REQUEST_KEYS.filter((candidate) => fields[candidate] !== undefined);
  const accepted = REQUEST_KEYS.join(', ');
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
  const method = key !== undefined && key in METHODS ? METHODS[key as keyof typeof METHODS] : 'GET';
  const payload = fields.json ?? fields.body;
  if (payload && (method === 'GET' || method === 'HEAD'))
    complain({ ...payload, value: undefined }, `does not go with ${key}`, { accepted: 'post, put, delete' });
  return { method, paths: readPaths(paths, grammar) };
}

function readAuth(place: Place, grammar: Grammar): Template | undefined {
  const { bearer } = fieldsOf(place, { known: ['bearer'] });
  if (bearer === undefined) return complain({ ...place, value: undefined }, 'has no `bearer`');
  return readSecret(bearer, grammar);
}
