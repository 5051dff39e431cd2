import type { Method, Redirects } from './document.ts';

/** The target as its users name it, and where it is really connected to. */
export interface Destination {
  /** Scheme, name and port as in a browser. */
  readonly url: URL;
  readonly connect: URL;
  /** Name for TLS and Host when it is not the host of `connect`. */
  readonly host?: string;
}

export interface Hop {
  readonly to: Destination;
  readonly method: Method;
  readonly body: 'kept' | 'dropped';
  /** Across origins only the harmless headers go along: credentials stay where they belong. */
  readonly headers: 'all' | 'harmless';
}

export type RedirectDecision =
  | { readonly kind: 'final' }
  | { readonly kind: 'follow'; readonly hop: Hop }
  | { readonly kind: 'refused'; readonly why: string };

const HARMLESS = new Set(['accept', 'accept-language', 'user-agent']);

export const harmless = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name)));

/** Where a request to `path` of the target goes. `host` is a name, with a port when it has one. */
export function destinationOf(target: { readonly url: string; readonly host?: string }, path: string): Destination {
  const connect = new URL(target.url.replace(/\/+$/, '') + path);
  if (target.host === undefined) return { url: connect, connect };
  return {
    url: new URL(`${connect.protocol}//${target.host}${connect.pathname}${connect.search}`),
    connect,
    host: target.host,
  };
}

interface Seen {
  readonly status: number;
  readonly location: string | undefined;
  readonly method: Method;
  readonly hasBody: boolean;
}

/** PURE. What to do with an answer, under the rules of the check. `target` is where the check's own request goes. */
export function decideRedirect(
  seen: Seen,
  at: Destination,
  rules: { readonly redirects: Redirects; readonly target: Destination },
): RedirectDecision {
  const { redirects, target } = rules;
  if (redirects.kind === 'never' || ![301, 302, 303, 307, 308].includes(seen.status)) return { kind: 'final' };
  if (seen.location === undefined) return { kind: 'refused', why: `status ${seen.status} without a location` };
  const url = URL.parse(seen.location, at.url.href);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return { kind: 'refused', why: 'redirect to something that is not an http(s) URL' };
  if (url.username !== '' || url.password !== '')
    return { kind: 'refused', why: `redirect to ${url.host} with credentials in the URL` };
  if (at.url.protocol === 'https:' && url.protocol === 'http:')
    return { kind: 'refused', why: `redirect from https to http at ${url.host}` };
  const ownName = url.hostname === target.url.hostname;
  if (!ownName && !redirects.hosts.includes(url.hostname)) {
    return { kind: 'refused', why: `redirect to ${url.host}, which is not in follow-redirects` };
  }
  const sameOrigin = url.origin === at.url.origin;
  const keepsMethod = methodAfter(seen) === seen.method;
  if (keepsMethod && seen.hasBody && !sameOrigin)
    return { kind: 'refused', why: `redirect ${seen.status} would send the body to ${url.host}` };
  return {
    kind: 'follow',
    hop: {
      to: ownName ? atTarget(url, target) : { url, connect: url },
      method: methodAfter(seen),
      body: keepsMethod ? 'kept' : 'dropped',
      headers: sameOrigin ? 'all' : 'harmless',
    },
  };
}

/** As browsers do it (fetch standard, HTTP-redirect fetch, step 12). */
function methodAfter({ status, method }: Seen): Method {
  if (method === 'GET' || method === 'HEAD' || status === 307 || status === 308) return method;
  return status === 303 || method === 'POST' ? 'GET' : method;
}

/** The target's own name: still connected to the target's address, on its own port unless the redirect names another origin. */
function atTarget(url: URL, target: Destination): Destination {
  const connect = new URL(url);
  connect.hostname = target.connect.hostname;
  if (url.origin === target.url.origin) connect.port = target.connect.port;
  return { url, connect, ...(target.host === undefined ? {} : { host: url.host }) };
}
