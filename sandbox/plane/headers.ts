import type { IncomingMessage } from 'node:http';

/** RFC 9110 7.6.1, and what clients send of old habit: these belong to one connection and never go on to the next. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
]);
/** The load balancer says these itself; `expect` was already answered by its own HTTP server. */
const REPLACED = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-port', 'expect']);
/** A client may not have these removed by naming them in Connection. */
const KEPT = new Set(['host', 'content-length', 'content-type', 'authorization', 'cookie']);

export interface Via {
  readonly protocol: 'http' | 'https';
  /** The listener's port as the API shows it. */
  readonly port: number;
}

/** Names and values in turn, as the target gets them: Host as the client sent it, X-Forwarded-For appended to. */
export function forwardedHeaders(request: IncomingMessage, { protocol, port }: Via): string[] {
  const named = connectionNames(request.headers.connection);
  const flat: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || REPLACED.has(lower) || named.has(lower)) continue;
    flat.push(name, raw[index + 1] ?? '');
  }
  const earlier = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? 'unknown';
  const clients = earlier === undefined ? client : `${String(earlier)}, ${client}`;
  flat.push('X-Forwarded-For', clients, 'X-Forwarded-Proto', protocol, 'X-Forwarded-Port', String(port));
  return flat;
}

/** Names and values in turn, as the client gets them. */
export function returnedHeaders(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  const named = connectionNames(headers['connection']);
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || HOP_BY_HOP.has(name) || named.has(name)) return [];
    return typeof value === 'string' ? [name, value] : value.flatMap((each) => [name, each]);
  });
}

function connectionNames(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  if (connection === undefined) return new Set();
  const names = (typeof connection === 'string' ? connection : connection.join(','))
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !KEPT.has(name)));
}
