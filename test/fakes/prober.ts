import { milliseconds } from '../../src/domain/duration.ts';
import type {
  OpenRequest,
  OpenResult,
  OpenSocket,
  ProbeFault,
  ProbeRequest,
  ProbeResult,
  Prober,
} from '../../src/ports/prober.ts';

/** What a scripted peer does with one request. `after` milliseconds pass before the answer is complete. */
export type Scripted =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly after?: number;
    }
  | { readonly fault: Exclude<ProbeFault, 'timeout'>; readonly message?: string; readonly after?: number }
  /** Nothing ever comes. */
  | { readonly silent: true };

/** What a scripted peer does with a WebSocket. `reply` gives the messages that follow one of ours; undefined closes with 1011. */
export type ScriptedSocket =
  | {
      readonly reply?: (message: string, earlier: number) => readonly string[] | undefined;
      readonly greeting?: readonly string[];
      /** Pings are answered unless it says `dead`. */
      readonly ping?: 'dead';
      readonly after?: number;
    }
  | { readonly status: number }
  | { readonly fault: ProbeFault; readonly message?: string }
  | { readonly silent: true };

export interface FakeProber extends Prober {
  /** Every WebSocket that was asked for, in order. */
  readonly opened: readonly OpenRequest[];
  /** WebSockets that are open now. */
  readonly stillOpen: number;
  /** Every request, in order. */
  readonly requests: readonly ProbeRequest[];
}

interface FakeProberOptions {
  /** Lets the time of a request pass; without it a request takes its time without anyone waiting. */
  readonly pass?: (length: number, signal: AbortSignal) => Promise<void>;
  readonly sockets?: (request: OpenRequest) => ScriptedSocket;
  /** By name; every other name is unknown. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

/** Answers by a script: a function of the request and of how many came before it. */
export function fakeProber(
  script: (request: ProbeRequest, earlier: number) => Scripted,
  { pass, sockets = () => ({ status: 404 }), names = {} }: FakeProberOptions = {},
): FakeProber {
  const requests: ProbeRequest[] = [];
  const opened: OpenRequest[] = [];
  let stillOpen = 0;
  const count = (change: 1 | -1): void => void (stillOpen += change);
  return {
    requests,
    opened,
    get stillOpen() {
      return stillOpen;
    },
    async open(request, signal) {
      signal.throwIfAborted();
      opened.push(request);
      return openScripted(request, sockets(request), { pass, signal, count });
    },
    addresses(url, signal) {
      signal.throwIfAborted();
      const { hostname } = new URL(url);
      const addresses = /^[\d.]+$/.test(hostname) ? [hostname] : names[hostname];
      return Promise.resolve(
        addresses ? { kind: 'resolved', addresses } : { kind: 'failed', message: `the name of ${hostname} is unknown` },
      );
    },
    async probe(request, signal) {
      signal.throwIfAborted();
      const scripted = script(request, requests.length);
      requests.push(request);
      const needs = 'silent' in scripted ? Number.POSITIVE_INFINITY : (scripted.after ?? 0);
      const takes = Math.min(needs, request.timeout);
      await pass?.(takes, signal);
      signal.throwIfAborted();
      return resultOf(request, scripted, takes < needs ? 'too-late' : 'in-time', takes);
    },
  };
}

/** The answers one after the other; the last one again and again. */
export const inTurn =
  (...answers: readonly [Scripted, ...Scripted[]]) =>
  (_request: ProbeRequest, earlier: number): Scripted =>
    answers[Math.min(earlier, answers.length - 1)] ?? answers[0];

function resultOf(
  request: ProbeRequest,
  scripted: Scripted,
  arrives: 'in-time' | 'too-late',
  takes: number,
): ProbeResult {
  const duration = milliseconds(takes);
  if ('silent' in scripted || arrives === 'too-late') {
    return { kind: 'failed', fault: 'timeout', message: `no answer within ${request.timeout} ms`, duration };
  }
  if (Object.values(request.headers).some((value) => /[\r\n]/.test(value)))
    return { kind: 'failed', fault: 'other', message: 'a header has a line break in it', duration };
  if ('fault' in scripted) {
    return {
      kind: 'failed',
      fault: scripted.fault,
      message: scripted.message ?? `scripted fault ${scripted.fault}`,
      duration,
    };
  }
  const bytes = Buffer.from(request.method === 'HEAD' ? '' : (scripted.body ?? ''));
  return {
    kind: 'answered',
    status: scripted.status,
    headers: Object.fromEntries(
      Object.entries(scripted.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body: new TextDecoder().decode(bytes.subarray(0, request.bodyLimit)),
    bodyTruncated: bytes.length > request.bodyLimit,
    duration,
  };
}

interface SocketSurroundings {
  readonly pass: FakeProberOptions['pass'];
  readonly signal: AbortSignal;
  readonly count: (change: 1 | -1) => void;
}

async function openScripted(
  request: OpenRequest,
  script: ScriptedSocket,
  { pass, signal, count }: SocketSurroundings,
): Promise<OpenResult> {
  const failed = (fault: ProbeFault, message: string, more: { readonly status?: number } = {}): OpenResult => ({
    kind: 'failed',
    fault,
    message,
    duration: milliseconds(0),
    ...more,
  });
  const { hostname } = new URL(request.url);
  if (hostname.startsWith('169.254.')) return failed('other', `address ${hostname} is refused`);
  if ('silent' in script) {
    await pass?.(request.timeout, signal);
    signal.throwIfAborted();
    return { ...failed('timeout', 'no open WebSocket'), duration: request.timeout } as OpenResult;
  }
  if ('fault' in script) return failed(script.fault, script.message ?? `scripted fault ${script.fault}`);
  if ('status' in script) return failed('protocol', `status ${script.status}, expected 101`, { status: script.status });
  count(1);
  const duration = milliseconds(script.after ?? 0);
  return {
    kind: 'open',
    headers: {},
    duration,
    socket: scriptedSocket(script, { pass, limit: request.messageLimit, count }),
  };
}

function scriptedSocket(
  { greeting = [], reply = () => [], ping }: Extract<ScriptedSocket, { greeting?: unknown }>,
  {
    pass,
    limit,
    count,
  }: { readonly pass: FakeProberOptions['pass']; readonly limit: number; readonly count: SocketSurroundings['count'] },
): OpenSocket {
  const inbox = [...greeting];
  let sent = 0;
  let ended: { readonly code: number; readonly reason: string } | undefined;
  const silence = async (timeout: number, signal: AbortSignal) => {
    await pass?.(timeout, signal);
    signal.throwIfAborted();
    return { kind: 'silent', waited: milliseconds(timeout) } as const;
  };
  return {
    send(text) {
      const answers = reply(text, sent);
      sent += 1;
      if (answers === undefined) ended = { code: 1011, reason: 'scripted' };
      else if (answers.some((answer) => answer.length > limit)) ended = { code: 1006, reason: '' };
      else inbox.push(...answers);
    },
    async receive(timeout, signal) {
      signal.throwIfAborted();
      const text = inbox.shift();
      if (text !== undefined) return { kind: 'message', text, waited: milliseconds(0) };
      return ended === undefined ? silence(timeout, signal) : { kind: 'closed', ...ended, waited: milliseconds(0) };
    },
    async ping(timeout, signal) {
      signal.throwIfAborted();
      if (ended !== undefined) return { kind: 'closed', ...ended, waited: milliseconds(0) };
      return ping === 'dead' ? silence(timeout, signal) : { kind: 'pong', waited: milliseconds(0) };
    },
    close: () => count(-1),
  };
}
