import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import { type Duration, type Instant, after, between, milliseconds, seconds } from '../../domain/duration.ts';
import {
  type KubeStatus,
  KubeFailure,
  explainSilence,
  explainStatus,
  kindOfStatus,
  readStatus,
} from '../../domain/kubernetes/failure.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { messageOf } from '../../domain/failure.ts';
import { isLoopback } from '../http/loopback.ts';
import type { Access } from './access.ts';
import { readWarnings } from './warnings.ts';

export interface Call {
  /** `Could not apply Deployment shop/web` */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  /** `text`: the answer is no JSON (a log). */
  readonly answer?: 'text';
  readonly body?: { readonly type: string; readonly text: string };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Parsed, or undefined when it is no JSON. */
  readonly json: unknown;
}

export interface HttpTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Told each warning of the server once. */
  readonly onWarning: (text: string) => void;
}

export interface KubeHttp {
  readonly server: string;
  /** Repeats what may pass, until a total deadline. An answer of 404 is given back, every other refusal is thrown. */
  call(call: Call, signal: AbortSignal): Promise<Answer>;
  /** One request whose body is read as it comes; nothing is repeated. */
  stream(call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

/** All tries of one call together. Longer than a control plane needs to change its leader. */
const CALL_WITHIN: Duration = seconds(60);
const CONNECT_WITHIN = 10_000;
const ANSWER_WITHIN = 30_000;
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

function agentOf({ certificateAuthority, clientCertificate, serverName, verify, proxy }: Access): Dispatcher {
  const connect = {
    timeout: CONNECT_WITHIN,
    rejectUnauthorized: verify === 'certificate',
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate.certificate, key: clientCertificate.key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  const options = {
    allowH2: true,
    headersTimeout: ANSWER_WITHIN,
    bodyTimeout: ANSWER_WITHIN,
    keepAliveTimeout: 60_000,
    connect,
    // Behind a proxy the same certificates are for what lies at the end of its tunnel.
    requestTls: connect,
  };
  if (proxy === 'none') return new Agent(options);
  return proxy === undefined ? new EnvHttpProxyAgent(options) : new ProxyAgent({ ...options, uri: proxy });
}

/**
 * One agent for all requests of a cluster: over HTTP/2, which every API server speaks, they share one connection (a new
 * agent for every request costs a TLS handshake each, 11 ms of 12).
 */
export function kubeHttp(access: Access, tools: HttpTools): KubeHttp {
  const base = new URL(access.server);
  // As kubectl does it: no proxy is asked for what listens on the runner itself.
  const agent = agentOf(isLoopback(base.hostname) ? { ...access, proxy: access.proxy ?? 'none' } : access);
  const told = new Set<string>();
  const warn = (headers: Dispatcher.ResponseData['headers']): void => {
    for (const text of readWarnings(headers['warning'])) {
      if (told.has(text)) continue;
      told.add(text);
      tools.onWarning(text);
    }
  };
  const send = async (call: Call, signal: AbortSignal, wish: 'fresh' | 'known', body: 'whole' | 'stream') => {
    const authorization = await access.authorization(signal, wish === 'fresh' ? 'fresh' : undefined);
    const query = new URLSearchParams(call.query).toString();
    const answer = await agent.request({
      origin: base.origin,
      path: `${base.pathname.replace(/\/$/, '')}${call.path}${query === '' ? '' : `?${query}`}`,
      method: call.method,
      headers: {
        accept: call.accept ?? 'application/json',
        'user-agent': 'sluice',
        ...(authorization === undefined ? {} : { authorization }),
        ...(call.body === undefined ? {} : { 'content-type': call.body.type }),
      },
      ...(call.body === undefined ? {} : { body: call.body.text }),
      // A watch may be silent for minutes; its own length ends it.
      ...(body === 'stream' ? { bodyTimeout: 0 } : {}),
      signal,
    });
    warn(answer.headers);
    return answer;
  };
  return {
    server: access.server,
    call: (call, signal) => repeat(call, { send, tools, server: access.server }, signal),
    async stream(call, signal) {
      try {
        const answer = await send(call, signal, 'known', 'stream');
        if (answer.statusCode !== 401) return answer;
        await answer.body.dump();
        return await send(call, signal, 'fresh', 'stream');
      } catch (thrown) {
        signal.throwIfAborted();
        throw silence(call, thrown, access.server);
      }
    },
    // undici lets go of an idle connection by itself, so that it keeps no process. Its `close` destroys the session with an
    // error, and a stream that has ended and not yet said so throws that at nobody: a release that went well ended red.
    close: async () => undefined,
  };
}

interface Sender {
  send(call: Call, signal: AbortSignal, wish: 'fresh' | 'known', body: 'whole'): Promise<Dispatcher.ResponseData>;
  readonly tools: HttpTools;
  readonly server: string;
}

/** Every call here may be made twice: an apply, a read, a delete of one uid, a write that names the version it read. */
async function repeat(call: Call, { send, tools, server }: Sender, signal: AbortSignal): Promise<Answer> {
  const { clock, random, log } = tools;
  const deadline = after(clock.now(), CALL_WITHIN);
  let wish: 'fresh' | 'known' = 'known';
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const tried = await attemptOf(call, { send, wish, server }, signal);
    if (tried.kind === 'answer') return tried.answer;
    const { failure, retryAfter } = tried;
    if (failure.kind === 'expired-token' && wish === 'known') {
      wish = 'fresh';
      continue;
    }
    if (!mayPass(failure.kind)) throw failure;
    const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * (0.5 + random.fraction() / 2);
    const pause = milliseconds(Math.max(growing, retryAfter));
    if (leaves(clock.now(), deadline, pause) <= 0) throw failure;
    // Once for people: a server that is away is waited for, and a log that says nothing looks like a step that hangs.
    log[attempt === 2 ? 'info' : 'debug'](`${failure.message} Trying again in ${Math.round(pause)}ms`);
    await clock.sleep(pause, signal);
  }
}

const leaves = (now: Instant, deadline: Instant, pause: Duration): number => between(now, deadline) - pause;

type Tried =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly failure: KubeFailure; readonly retryAfter: number };

async function attemptOf(
  call: Call,
  { send, wish, server }: Pick<Sender, 'send' | 'server'> & { readonly wish: 'fresh' | 'known' },
  signal: AbortSignal,
): Promise<Tried> {
  try {
    const { statusCode, headers, body } = await send(call, signal, wish, 'whole');
    const text = await body.text();
    const json = parse(text);
    // An answer that ends in the middle of its JSON is no answer.
    if (statusCode < 300 && json === undefined && call.answer !== 'text') throw new TypeError('the answer is no JSON');
    if (statusCode < 300 || statusCode === 404) return { kind: 'answer', answer: { status: statusCode, text, json } };
    const status = readStatus(statusCode, json, text);
    const asked = Number(headers['retry-after'] ?? status.retryAfterSeconds ?? 0);
    return { kind: 'failure', failure: refusal(call, status), retryAfter: Number.isFinite(asked) ? asked * 1_000 : 0 };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KubeFailure || isOurs(thrown)) throw thrown;
    return { kind: 'failure', failure: silence(call, thrown, server), retryAfter: 0 };
  }
}

/** A provider of credentials that has said all there is to say. */
const isOurs = (thrown: unknown): boolean => thrown instanceof Error && 'facts' in thrown;

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export const refusal = (call: Pick<Call, 'what'>, status: KubeStatus): KubeFailure =>
  new KubeFailure(kindOfStatus(status), { what: call.what, ...explainStatus(status) }, { status });

function silence(call: Pick<Call, 'what'>, thrown: unknown, server: string): KubeFailure {
  if (thrown instanceof KubeFailure) return thrown;
  const code = codeOf(thrown);
  const explained = explainSilence(code, messageOf(thrown));
  const untrusted = explained.next?.startsWith('Give the certificate') === true;
  const facts = { what: `${call.what} at ${server}`, ...explained };
  return new KubeFailure(untrusted ? 'invalid' : 'transient', facts, { cause: thrown });
}

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return 'cause' in thrown ? codeOf(thrown.cause) : undefined;
}
