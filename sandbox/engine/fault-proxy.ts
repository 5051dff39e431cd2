import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with calls whose `METHOD /path` matches. */
export interface RegistryFault {
  readonly call: RegExp;
  readonly kind:
    | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
    /** The registry does it, and the answer is another one: a commit that took longer than its gateway waits. */
    | 'slow-commit'
    /** The connection ends without an answer. */
    | 'reset'
    /** Another body than the one that was asked for. */
    | 'garbled'
    /** What is not there is forbidden, as in a virtual repository of Artifactory. */
    | 'missing-is-forbidden';
  readonly times: number;
}

export interface FaultProxy {
  readonly host: string;
  /** `METHOD /path -> status`, in order. */
  calls(): readonly string[];
  break(fault: RegistryFault): void;
  /** Every token that was given is refused from now on. */
  expireTokens(): void;
  close(): Promise<void>;
}

export type Entrance = { readonly username: string; readonly password: string } | { readonly identityToken: string };

export interface ProxyOptions {
  /** By the scopes that are asked for, each in a parameter of its own; undefined: for all. */
  readonly lets?: (scopes: readonly string[]) => boolean;
  /** Bearer tokens by a token server of its own, which wants this name and password, or this identity token, by POST. */
  readonly tokens?: Entrance;
}

/** Stands before a registry: faults by call, and the token dance that Debian's registry has no server for. */
export async function startFaultProxy(
  target: string,
  { tokens, lets = () => true }: ProxyOptions = {},
): Promise<FaultProxy> {
  const calls: string[] = [];
  const faults: { fault: RegistryFault; left: number }[] = [];
  const valid = new Set<string>();
  let host = '';
  const take = (call: string): RegistryFault | undefined => {
    const armed = faults.find(({ fault, left }) => left > 0 && fault.call.test(call));
    if (armed !== undefined) armed.left -= 1;
    return armed?.fault;
  };
  const server: Server = createServer((incoming, outgoing) => {
    const call = `${incoming.method} ${incoming.url}`;
    outgoing.on('finish', () => calls.push(`${call} -> ${outgoing.statusCode}`));
    void answer(call, incoming, outgoing).catch(() => outgoing.destroy());
  });
  async function answer(call: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const fault = take(call);
    if (fault?.kind === 'reset') return void outgoing.destroy();
    if (fault !== undefined && typeof fault.kind === 'object') {
      outgoing.writeHead(fault.kind.status, fault.kind.headers ?? {});
      return void outgoing.end(fault.kind.body ?? '');
    }
    if (tokens !== undefined && /^\w+ \/token/.test(call)) {
      const scopes = new URL(incoming.url ?? '', 'http://token').searchParams.getAll('scope');
      return giveToken(lets(scopes) ? isLetIn(tokens, incoming, body) : undefined, outgoing);
    }
    if (tokens !== undefined && !valid.has(incoming.headers.authorization?.replace(/^Bearer /, '') ?? '')) {
      const challenge = `Bearer realm="http://${host}/token",service="sandbox",scope="repository:any:pull,push"`;
      outgoing.writeHead(401, { 'www-authenticate': challenge });
      return void outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    }
    await forward(target, { incoming, body, outgoing, fault, host });
  }
  function giveToken(field: 'token' | 'access_token' | undefined, outgoing: ServerResponse): void {
    if (field === undefined) {
      outgoing.writeHead(401);
      return void outgoing.end('{}');
    }
    const token = randomUUID();
    valid.add(token);
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify({ [field]: token, expires_in: 300 }));
  }
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    calls: () => calls,
    break: (fault) => void faults.push({ fault, left: fault.times }),
    expireTokens: () => valid.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** In which field the answer has the token; undefined: the caller is not let in. */
function isLetIn(
  wanted: Entrance,
  { method, headers }: IncomingMessage,
  body: Buffer,
): 'token' | 'access_token' | undefined {
  if ('password' in wanted) {
    const basic = `Basic ${Buffer.from(`${wanted.username}:${wanted.password}`).toString('base64')}`;
    return method === 'GET' && headers.authorization === basic ? 'token' : undefined;
  }
  // As Azure's: POST /oauth2/token, all in a form.
  const form = new URLSearchParams(body.toString('utf8'));
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const isWhole = ['service', 'scope', 'client_id'].every((key) => form.has(key));
  const isRight = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === wanted.identityToken;
  return method === 'POST' && isForm && isWhole && isRight ? 'access_token' : undefined;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
  readonly fault: RegistryFault | undefined;
  readonly host: string;
}

function forward(target: string, { incoming, body, outgoing, fault, host }: Exchange): Promise<void> {
  const [hostname, port] = target.split(':');
  // The registry writes its addresses by the Host header: with ours, uploads come back here.
  const headers = { ...incoming.headers, host, 'content-length': String(body.length) };
  const { authorization: _token, ...plain } = headers;
  return new Promise((done, failed) => {
    const asked = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: isBearer(headers) ? plain : headers },
      (reply) => {
        const parts: Buffer[] = [];
        reply.on('data', (part: Buffer) => parts.push(part));
        reply.on('end', () => {
          void sleep(fault?.kind === 'slow-commit' ? 50 : 0).then(() => {
            if (fault?.kind === 'slow-commit') {
              outgoing.writeHead(404, { 'content-type': 'application/json' });
              outgoing.end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}');
            } else if (fault?.kind === 'missing-is-forbidden' && reply.statusCode === 404) {
              outgoing.writeHead(403, { 'content-type': 'application/json' });
              outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"The client does not have permission"}]}');
            } else {
              const { 'content-length': _length, ...replied } = reply.headers;
              outgoing.writeHead(reply.statusCode ?? 502, fault?.kind === 'garbled' ? replied : reply.headers);
              outgoing.end(fault?.kind === 'garbled' ? '{"schemaVersion":2}' : Buffer.concat(parts));
            }
            done();
          });
        });
      },
    );
    asked.on('error', failed);
    asked.end(body);
  });
}

const isBearer = (headers: IncomingMessage['headers']): boolean =>
  headers.authorization?.startsWith('Bearer ') === true;

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
