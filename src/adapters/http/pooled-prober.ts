import type { LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { FieldResult } from '../../domain/inputs.ts';
import type { Certificate, ProbeRequest, ProbeResult, Prober } from '../../ports/prober.ts';
import type { RawAnswer, Wanted } from './answer-parser.ts';
import { type Phase, serverNameOf } from './connect.ts';
import { type FaultAndMessage, faultOf, timedOut } from './faults.ts';
import { type Exchange, Line } from './line.ts';
import { httpProber } from './prober.ts';
import { requestBytes } from './request-bytes.ts';

interface PooledOptions {
  /** In place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/** A prober that keeps its connections: they go with `close`. */
export interface PooledProber extends Prober {
  close(): Promise<void>;
}

/**
 * Probes for load: connections stay open and are used again, as those of browsers and services do; the one used last is
 * taken first. Not undici's dispatch: with everything that it can do, it costs more CPU a request than all the rest of a
 * load together (bench/load). Its parser is used, so that framing is the same.
 */
export function pooledProber({ lookup }: PooledOptions = {}): PooledProber {
  const single = httpProber(lookup === undefined ? {} : { lookup });
  const pools = new Map<string, Pool>();
  const prepared = new WeakMap<ProbeRequest, FieldResult<Prepared>>();
  const stops = new WeakMap<AbortSignal, Set<Probe>>();
  const prepare = (request: ProbeRequest): FieldResult<Prepared> => {
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
        const ready = prepare(request);
        if (!ready.ok) resolve(unsendable(ready.problem, request));
        else new Probe(request, ready.value, { resolve, reject, running }).start();
      });
    },
    close() {
      for (const pool of pools.values()) pool.close();
      pools.clear();
      return Promise.resolve();
    },
  };
}

/** One listener for each signal, not one for each request. */
function stoppedBy(signal: AbortSignal, stops: WeakMap<AbortSignal, Set<Probe>>): Set<Probe> {
  const running = new Set<Probe>();
  stops.set(signal, running);
  signal.addEventListener('abort', () => [...running].forEach((each) => each.stop(signal.reason as Error)), {
    once: true,
  });
  return running;
}

interface Prepared {
  readonly pool: Pool;
  readonly bytes: Buffer;
  readonly wanted: Wanted;
  readonly timeout: number;
}

function preparedOf(
  request: ProbeRequest,
  pools: Map<string, Pool>,
  lookup: LookupFunction | undefined,
): FieldResult<Prepared> {
  const url = new URL(request.url);
  const { host, address, method, timeout, statusSuffices } = request;
  const key = [url.origin, host, address].join(' ');
  const pool = pools.get(key) ?? newPool(url, request, lookup);
  pools.set(key, pool);
  const bytes = requestBytes(request, url);
  if (!bytes.ok) return bytes;
  const wanted: Wanted = { body: method === 'HEAD' ? 'none' : 'expected', statusSuffices };
  return { ok: true, value: { pool, bytes: bytes.value, wanted, timeout: Math.ceil(timeout) } };
}

const unsendable = (problem: string, request: ProbeRequest): ProbeResult => ({
  kind: 'failed',
  ...faultOf(problem, 'connecting', request),
  duration: milliseconds(0),
});

interface Pool {
  take(): Line;
  give(line: Line): void;
  close(): void;
}

function newPool(url: URL, { host, address }: ProbeRequest, lookup: LookupFunction | undefined): Pool {
  const idle: Line[] = [];
  const { hostname, port, protocol } = url;
  const servername = serverNameOf(host ?? hostname);
  const options = { hostname: address ?? hostname, port, protocol, servername, lookup };
  return {
    take() {
      for (let line = idle.pop(); line !== undefined; line = idle.pop()) if (line.usable) return line;
      return new Line(options);
    },
    give(line) {
      if (line.usable) idle.push(line);
    },
    // Those that are under way go with their signal.
    close() {
      for (const line of idle.splice(0)) line.close();
    },
  };
}

interface Ways {
  readonly resolve: (result: ProbeResult) => void;
  readonly reject: (reason: Error) => void;
  readonly running: Set<Probe>;
}

/** One request on one line. A class, because a line wants something with state and every request makes one. */
class Probe implements Exchange {
  readonly bytes: Buffer;
  readonly wanted: Wanted;
  readonly bodyLimit: number;
  readonly timeout: number;
  readonly #request: ProbeRequest;
  readonly #pool: Pool;
  readonly #line: Line;
  readonly #ways: Ways;
  readonly #started: number;

  constructor(request: ProbeRequest, { pool, bytes, wanted, timeout }: Prepared, ways: Ways) {
    this.bytes = bytes;
    this.wanted = wanted;
    this.bodyLimit = request.bodyLimit;
    this.timeout = timeout;
    this.#request = request;
    this.#pool = pool;
    this.#ways = ways;
    this.#started = performance.now();
    this.#line = pool.take();
  }

  start(): void {
    this.#ways.running.add(this);
    this.#line.send(this);
  }

  stop(reason: Error): void {
    this.#ways.running.delete(this);
    this.#line.close();
    this.#ways.reject(reason);
  }

  onAnswer(status: number, size: number, raw: RawAnswer, certificate: Certificate | undefined): void {
    const duration = this.#elapsed();
    this.#ways.running.delete(this);
    this.#pool.give(this.#line);
    this.#ways.resolve(new Answered({ status, duration, size, limit: this.bodyLimit, raw, certificate }));
  }

  onTimeout(phase: Phase): void {
    this.#fail(timedOut(phase, this.#request));
  }

  onFault(error: unknown, phase: Phase): void {
    this.#fail(faultOf(error, phase, this.#request));
  }

  #fail(fault: FaultAndMessage): void {
    this.#ways.running.delete(this);
    this.#ways.resolve({ kind: 'failed', ...fault, duration: this.#elapsed() });
  }

  #elapsed(): Duration {
    return milliseconds(performance.now() - this.#started);
  }
}

interface Facts {
  readonly status: number;
  readonly duration: Duration;
  readonly size: number;
  readonly limit: number;
  readonly raw: RawAnswer;
  readonly certificate: Certificate | undefined;
}

/** Headers and body are made only when somebody looks: under load most answers are judged by their status. */
class Answered {
  readonly kind = 'answered';
  readonly status: number;
  readonly duration: Duration;
  readonly bodyTruncated: boolean;
  readonly certificate?: Certificate;
  readonly #raw: RawAnswer;
  readonly #limit: number;

  constructor({ status, duration, size, limit, raw, certificate }: Facts) {
    this.status = status;
    this.duration = duration;
    this.bodyTruncated = size > limit;
    if (certificate !== undefined) this.certificate = certificate;
    this.#raw = raw;
    this.#limit = limit;
  }

  get body(): string {
    return new TextDecoder().decode(this.#raw.body(this.#limit));
  }

  get headers(): Readonly<Record<string, string>> {
    const all = new Map<string, string>();
    for (const [given, value] of this.#raw.headers()) {
      const name = given.toLowerCase();
      const earlier = all.get(name);
      all.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    }
    return Object.fromEntries(all);
  }
}
