import type { JsonSchema } from '../json-schema.ts';
import { readJson } from './expectation.ts';
import type { Check, Path, Redirects, RequestBody, Retry, Template } from './document.ts';
import {
  type Place,
  complain,
  entriesOf,
  fieldsOf,
  itemsOf,
  oneOrMore,
  readCount,
  readDuration,
  readText,
} from './place.ts';
import { type Grammar, type Names, readTemplate, takesFromEnvironment } from './template.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** As `readHeaders` reads them; it judges the names that belong to the connection, and what is a secret. */
export const HEADERS_SHAPE: JsonSchema = {
  type: 'object',
  propertyNames: { pattern: TOKEN.source },
  additionalProperties: { type: ['string', 'number', 'boolean'], pattern: String.raw`\S` },
};

/** Set by the connection itself; a wrong one sends the request somewhere else or makes it unreadable. */
const RESERVED = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key'];

/** Headers by lower-case name. What is a secret by its name must come from the environment. */
export function readHeaders(place: Place, names: Names): Readonly<Record<string, Template>> {
  const read: [string, Template][] = [];
  for (const [given, value] of entriesOf(place)) {
    const name = given.toLowerCase();
    const problem = headerProblem(name, read);
    if (problem !== undefined) {
      complain({ ...value, value: given }, problem.problem, { accepted: problem.accepted });
      continue;
    }
    const text = SECRET_HEADERS.includes(name) ? readSecret(value, names) : readHeaderText(value, names);
    if (text !== undefined) read.push([name, text]);
  }
  return Object.fromEntries(read);
}

function headerProblem(
  name: string,
  read: readonly [string, Template][],
): { problem: string; accepted?: string } | undefined {
  if (!TOKEN.test(name)) return { problem: 'is not the name of a header' };
  if (name === 'host')
    return { problem: 'is not set here', accepted: 'the input `host`, which also sets the name for TLS' };
  if (RESERVED.includes(name)) return { problem: 'is set by the connection itself' };
  return read.some(([other]) => other === name) ? { problem: 'is given twice' } : undefined;
}

function readHeaderText(place: Place, names: Names): Template | undefined {
  const plain = typeof place.value === 'number' || typeof place.value === 'boolean' ? String(place.value) : place.value;
  const text = readText({ ...place, value: plain });
  return text === undefined ? undefined : readTemplate(place, text, names);
}

/** A text that must take its value from the environment, because the file is in the repository. Its value is never shown. */
export function readSecret(place: Place, names: Names): Template | undefined {
  if (typeof place.value !== 'string' || place.value === '') return complain(place, 'is not text', { given: 'hidden' });
  if (!takesFromEnvironment(place.value, names)) {
    return complain(place, 'is a secret written into the file', {
      accepted: '${NAME} of an environment variable',
      given: 'hidden',
    });
  }
  return readTemplate({ ...place, value: undefined }, place.value, names);
}

/** One path or several. */
export function readPaths(place: Place, names: Names): Check['paths'] {
  return oneOrMore(place).flatMap((one) => {
    const text = readText(one);
    if (text === undefined) return [];
    if (!/^(\/|\$\{|\{\{)/.test(text)) {
      complain(one, 'is not a path', { accepted: 'begins with /; the host comes from the target' });
      return [];
    }
    return [{ text: readTemplate(one, text, names), at: one.path as Path }];
  });
}

export function readBody(
  fields: { readonly json?: Place; readonly body?: Place },
  grammar: Grammar,
): RequestBody<Template> | undefined {
  const { json, body } = fields;
  if (json && body) return complain({ ...body, value: undefined }, 'excludes `json`');
  if (json) return { kind: 'json', value: readJson(json, grammar) };
  const text = body && readText(body);
  return text === undefined || body === undefined
    ? undefined
    : { kind: 'text', text: readTemplate(body, text, grammar) };
}

export const RETRY_KEYS = ['count', 'interval', 'consecutive'] as const;

export function readRetry(place: Place, fallback: Retry): Retry {
  const { count, interval, consecutive } = fieldsOf(place, { known: RETRY_KEYS });
  const retry: Retry = {
    count: (count && readCount(count, { min: 1, max: 1000 })) ?? fallback.count,
    interval: (interval && readDuration(interval)) ?? fallback.interval,
    consecutive: (consecutive && readCount(consecutive, { min: 1, max: 1000 })) ?? fallback.consecutive,
  };
  if (retry.consecutive > retry.count) {
    complain(
      { ...place, value: undefined },
      `can never give ${retry.consecutive} good answers in a row in ${retry.count} tries`,
    );
  }
  return retry;
}

/** `same-host`, or the list of further hosts that a redirect may lead to. */
export function readRedirects(place: Place): Redirects {
  if (place.value === 'never') return { kind: 'never' };
  if (place.value === 'same-host') return { kind: 'follow', hosts: [] };
  if (!Array.isArray(place.value)) {
    complain(place, 'is not a choice of redirects', { accepted: 'never, same-host, or a list of host names' });
    return { kind: 'never' };
  }
  const hosts = itemsOf(place).flatMap((item) => {
    const name = readText(item)?.toLowerCase();
    if (name !== undefined && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) return [name];
    if (name !== undefined) complain(item, 'is not a host name', { accepted: 'a name without scheme, port and path' });
    return [];
  });
  return { kind: 'follow', hosts };
}
