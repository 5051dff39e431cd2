import { milliseconds } from '../../src/domain/duration.ts';
import type { ProbeFault, ProbeRequest, ProbeResult, Prober } from '../../src/ports/prober.ts';

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

export interface FakeProber extends Prober {
  /** Every request, in order. */
  readonly requests: readonly ProbeRequest[];
}

interface FakeProberOptions {
  /** Lets the time of a request pass; without it a request takes its time without anyone waiting. */
  readonly pass?: (length: number, signal: AbortSignal) => Promise<void>;
}

/** Answers by a script: a function of the request and of how many came before it. */
export function fakeProber(
  script: (request: ProbeRequest, earlier: number) => Scripted,
  { pass }: FakeProberOptions = {},
): FakeProber {
  const requests: ProbeRequest[] = [];
  return {
    requests,
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
