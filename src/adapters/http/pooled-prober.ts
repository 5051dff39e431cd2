import type { LookupFunction, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { Certificate, ProbeRequest, ProbeResult, Prober } from '../../ports/prober.ts';
import { startTimer } from '../system/timer.ts';
import { certificateOf } from './certificate.ts';
import { type Phase, openSocket, serverNameOf } from './connect.ts';
import { faultOf, timedOut } from './faults.ts';
import { httpProber } from './prober.ts';

interface PooledOptions {
  /** In place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/** A prober that keeps its connections: they go with `close`. */
export interface PooledProber extends Prober {
  close(): Promise<void>;
}

/**
 * Probes for load: connections stay open and are used again, as those of browsers and services do. One client for each
 * connection, the one used last is taken first: undici's own Pool costs two microseconds more a request.
 */
export function pooledProber({ lookup }: PooledOptions = {}): PooledProber {
  const single = httpProber(lookup === undefined ? {} : { lookup });
  const pools = new Map<string, Pool>();
  const prepared = new WeakMap<ProbeRequest, Prepared>();
  const stops = new WeakMap<AbortSignal, Set<Exchange>>();
  const prepare = (request: ProbeRequest): Prepared => {
    const known = prepared.get(request);
    if (known !== undefined) return known;
    const made = preparedOf(request, pools, lookup);
    prepared.set(request, made);
    return made;
  };
  return {
    ...single,
    probe(request, signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const running = stops.get(signal) ?? stoppedBy(signal, stops);
      return new Promise((resolve, reject) => {
        new Exchange(request, prepare(request), { resolve, reject, running }).start();
      });
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      pools.clear();
    },
  };
}

/** One listener for each signal, not one for each request. */
function stoppedBy(signal: AbortSignal, stops: WeakMap<AbortSignal, Set<Exchange>>): Set<Exchange> {
  const running = new Set<Exchange>();
  stops.set(signal, running);
  signal.addEventListener('abort', () => [...running].forEach((each) => each.stop(signal.reason as Error)), {
    once: true,
  });
  return running;
}

interface Prepared {
  readonly pool: Pool;
  readonly options: Dispatcher.DispatchOptions;
}

function preparedOf(request: ProbeRequest, pools: Map<string, Pool>, lookup: LookupFunction | undefined): Prepared {
  const url = new URL(request.url);
  const { host, address } = request;
  const key = [url.origin, host, address].join(' ');
  const pool = pools.get(key) ?? newPool(url, request, lookup);
  pools.set(key, pool);
  const headers = { 'accept-encoding': 'identity', ...request.headers, ...(host === undefined ? {} : { host }) };
  return {
    pool,
    options: {
      method: request.method as Dispatcher.HttpMethod,
      path: url.pathname + url.search,
      headers: Object.entries(headers).flat(),
      body: request.body ?? null,
    },
  };
}

interface Line {
  readonly client: Client;
  phase: Phase;
  socket: Socket | undefined;
  certificate: Certificate | undefined;
}

interface Pool {
  take(): Line;
  give(line: Line): void;
  drop(line: Line): void;
  close(): Promise<void>;
}

function newPool(url: URL, { host, address }: ProbeRequest, lookup: LookupFunction | undefined): Pool {
  const idle: Line[] = [];
  const all = new Set<Line>();
  const servername = serverNameOf(host ?? url.hostname);
  const add = (): Line => {
    const line: Line = {
      client: undefined as unknown as Client,
      phase: 'connecting',
      socket: undefined,
      certificate: undefined,
    };
    const client = new Client(url.origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: ({ hostname, port, protocol }, done) => {
        line.phase = 'connecting';
        const endpoint = { hostname: address ?? hostname, port, protocol, servername, lookup };
        const tell = (error: Error | null, open: Socket | null): void => {
          line.certificate = open === null ? undefined : certificateOf(open);
          (done as (error: Error | null, socket: Socket | null) => void)(error, open);
        };
        line.socket = openSocket(endpoint, (phase) => (line.phase = phase), tell);
      },
    });
    const whole = Object.assign(line, { client });
    all.add(whole);
    return whole;
  };
  const drop = (line: Line): Promise<void> => {
    all.delete(line);
    line.socket?.destroy();
    return line.client.destroy();
  };
  return {
    take: () => idle.pop() ?? add(),
    give: (line) => void idle.push(line),
    drop: (line) => void drop(line),
    async close() {
      await Promise.all([...all].map(drop));
      idle.length = 0;
    },
  };
}

interface Ways {
  readonly resolve: (result: ProbeResult) => void;
  readonly reject: (reason: Error) => void;
  readonly running: Set<Exchange>;
}

/** One request on one line. A class, because undici wants a handler with state and every request makes one. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ProbeRequest;
  readonly #prepared: Prepared;
  readonly #ways: Ways;
  readonly #line: Line;
  readonly #started = performance.now();
  #stopTimer: () => void = () => undefined;
  #over: 'no' | 'yes' = 'no';
  #status = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(request: ProbeRequest, prepared: Prepared, ways: Ways) {
    this.#request = request;
    this.#prepared = prepared;
    this.#ways = ways;
    this.#line = prepared.pool.take();
  }

  start(): void {
    this.#ways.running.add(this);
    this.#line.phase = this.#line.client.closed
      ? 'connecting'
      : this.#line.phase === 'reading'
        ? 'waiting'
        : this.#line.phase;
    this.#stopTimer = startTimer(Math.ceil(this.#request.timeout), () => {
      this.#fail(timedOut(this.#line.phase, this.#request));
    });
    this.#line.client.dispatch(this.#prepared.options, this);
  }

  stop(reason: Error): void {
    if (!this.#end()) return;
    this.#prepared.pool.drop(this.#line);
    this.#ways.reject(reason);
  }

  onRequestStart(): void {
    this.#line.phase = 'waiting';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#line.phase = 'reading';
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= this.#request.bodyLimit || !this.#end()) return;
    // The rest is not wanted, and the line is full of it.
    this.#answer();
    this.#prepared.pool.drop(this.#line);
  }

  onResponseEnd(): void {
    // 1xx answers come before the one that counts.
    if (this.#status < 200 || !this.#end()) return;
    this.#prepared.pool.give(this.#line);
    this.#answer();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(faultOf(error, this.#line.phase, this.#request));
  }

  #fail(fault: ReturnType<typeof timedOut>): void {
    if (!this.#end()) return;
    this.#prepared.pool.drop(this.#line);
    this.#ways.resolve({ kind: 'failed', ...fault, duration: this.#elapsed() });
  }

  #answer(): void {
    const duration = this.#elapsed();
    this.#ways.resolve(
      new Answered({
        status: this.#status,
        duration,
        headers: this.#headers,
        chunks: this.#chunks,
        size: this.#size,
        limit: this.#request.bodyLimit,
        certificate: this.#line.certificate,
      }),
    );
  }

  #elapsed(): Duration {
    return milliseconds(performance.now() - this.#started);
  }

  /** Whether this is the one end. */
  #end(): boolean {
    if (this.#over === 'yes') return false;
    this.#over = 'yes';
    this.#stopTimer();
    this.#ways.running.delete(this);
    return true;
  }
}

interface Raw {
  readonly status: number;
  readonly duration: Duration;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly chunks: readonly Buffer[];
  readonly size: number;
  readonly limit: number;
  readonly certificate: Certificate | undefined;
}

/** Headers and body are made only when somebody looks: under load most answers are judged by their status. */
class Answered {
  readonly kind = 'answered';
  readonly status: number;
  readonly duration: Duration;
  readonly bodyTruncated: boolean;
  readonly certificate?: Certificate;
  readonly #raw: Raw;

  constructor(raw: Raw) {
    this.status = raw.status;
    this.duration = raw.duration;
    this.bodyTruncated = raw.size > raw.limit;
    if (raw.certificate !== undefined) this.certificate = raw.certificate;
    this.#raw = raw;
  }

  get body(): string {
    return new TextDecoder().decode(Buffer.concat(this.#raw.chunks).subarray(0, this.#raw.limit));
  }

  get headers(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this.#raw.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
      ),
    );
  }
}
