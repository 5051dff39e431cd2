import { lookup as systemLookup } from 'node:dns';
import { type LookupFunction, type Socket, isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { AddressesResult, Certificate, ProbeRequest, ProbeResult, Prober } from '../../ports/prober.ts';
import { certificateOf } from './certificate.ts';
import { type Phase, bareHost, openSocket, serverNameOf } from './connect.ts';
import { faultOf, timedOut } from './faults.ts';

export interface HttpProberOptions {
  /** In place of the system's resolver. What it answers is judged in the same way. */
  readonly lookup?: LookupFunction;
}

/**
 * Probes over HTTP/1.1, each request on a connection of its own that is closed when the request ends: an idle one would
 * stick to the load balancer's old choice of target. No proxy is used, whatever the environment says.
 */
export function httpProber({ lookup }: HttpProberOptions = {}): Prober {
  return {
    probe: (request, signal) => probe(request, { lookup, signal }),
    async open(request, signal) {
      // WebSockets have a library of their own, which most checks do not need.
      const { openWebSocket } = await import('./web-socket.ts');
      return openWebSocket(request, { lookup, signal });
    },
    addresses: (url, signal) => addressesOf(new URL(url), { lookup, signal }),
  };
}

function addressesOf(url: URL, { lookup, signal }: Surroundings): Promise<AddressesResult> {
  const name = bareHost(url.hostname);
  if (isIP(name) !== 0) return Promise.resolve({ kind: 'resolved', addresses: [name] });
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    const resolver = lookup ?? (systemLookup as LookupFunction);
    resolver(name, { all: true }, (error, found) => {
      signal.removeEventListener('abort', stop);
      const code = error?.code ?? 'no code';
      if (error) return resolve({ kind: 'failed', message: `the name of ${url.host} cannot be resolved (${code})` });
      const all = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      resolve({ kind: 'resolved', addresses: [...new Set(all)] });
    });
  });
}

interface Surroundings {
  readonly lookup: LookupFunction | undefined;
  readonly signal: AbortSignal;
}

async function probe(request: ProbeRequest, { lookup, signal }: Surroundings): Promise<ProbeResult> {
  signal.throwIfAborted();
  const url = new URL(request.url);
  const started = performance.now();
  const elapsed = (): Duration => milliseconds(performance.now() - started);
  // Covers everything: name, connection, TLS, headers and body. Not the Clock's time: it bounds a real connection.
  const timeout = AbortSignal.timeout(Math.ceil(request.timeout));
  const end = AbortSignal.any([signal, timeout]);
  const { address } = request;
  const name = request.host ?? url.hostname;
  const connection = openConnection(url, { name, lookup, end, ...(address === undefined ? {} : { address }) });
  try {
    const answer = await connection.client.request(requestOf(request, url, end));
    connection.phase = 'reading';
    const body = await readBody(answer.body, request.bodyLimit);
    const headers = headersOf(answer.headers);
    const { certificate } = connection;
    const seen = certificate === undefined ? {} : { certificate };
    return { kind: 'answered', status: answer.statusCode, headers, ...body, duration: elapsed(), ...seen };
  } catch (error) {
    signal.throwIfAborted();
    const { phase } = connection;
    const fault = timeout.aborted ? timedOut(phase, request) : faultOf(error, phase, request);
    return { kind: 'failed', ...fault, duration: elapsed() };
  } finally {
    await connection.close();
  }
}

interface Connection {
  readonly client: Client;
  phase: Phase;
  /** Known as soon as it is secured. */
  certificate: Certificate | undefined;
  close(): Promise<void>;
}

interface ConnectionOptions {
  /** For TLS. */
  readonly name: string;
  readonly lookup: LookupFunction | undefined;
  readonly end: AbortSignal;
  readonly address?: string;
}

/** A client that has one socket, which goes with `end`: undici itself notices a signal only once it is connected. */
function openConnection(url: URL, { name, lookup, end, address }: ConnectionOptions): Connection {
  let socket: Socket | undefined;
  const drop = (): void => void socket?.destroy();
  const client = new Client(url.origin, {
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: ({ hostname, port, protocol }, done) => {
      const endpoint = { hostname: address ?? hostname, port, protocol, servername: serverNameOf(name), lookup };
      const tell = (error: Error | null, open: Socket | null): void => {
        connection.certificate = open === null ? undefined : certificateOf(open);
        (done as (error: Error | null, socket: Socket | null) => void)(error, open);
      };
      socket = openSocket(endpoint, (phase) => (connection.phase = phase), tell);
      if (end.aborted) drop();
    },
  });
  end.addEventListener('abort', drop, { once: true });
  const connection: Connection = {
    client,
    phase: 'connecting',
    certificate: undefined,
    async close() {
      end.removeEventListener('abort', drop);
      drop();
      await client.destroy();
    },
  };
  return connection;
}

const requestOf = (request: ProbeRequest, url: URL, signal: AbortSignal): Dispatcher.RequestOptions => ({
  method: request.method as Dispatcher.HttpMethod,
  path: url.pathname + url.search,
  headers: {
    'accept-encoding': 'identity',
    ...request.headers,
    ...(request.host === undefined ? {} : { host: request.host }),
  },
  body: request.body ?? null,
  reset: true,
  signal,
});

async function readBody(
  stream: AsyncIterable<Buffer>,
  limit: number,
): Promise<{ body: string; bodyTruncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  const bytes = Buffer.concat(chunks).subarray(0, limit);
  return { body: new TextDecoder().decode(bytes), bodyTruncated: size > limit };
}

const headersOf = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
    ),
  );
