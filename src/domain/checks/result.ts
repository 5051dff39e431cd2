import type { Path, ResolvedCheck } from './document.ts';

/** How a person calls the request of a check. */
export const wayOf = ({ method, socket }: ResolvedCheck): string =>
  socket === undefined ? method : { websocket: 'WebSocket', signalr: 'SignalR' }[socket.protocol];

export type CheckVerdict = 'pass' | 'warn' | 'fail';

export interface CheckResult {
  readonly name: string;
  /** The place in the checks file, for an annotation. */
  readonly at: Path;
  /** `GET`, `WebSocket`, `SignalR`; `flow` for one, whose path is then all the requests that it made. */
  readonly method: string;
  readonly path: string;
  readonly verdict: CheckVerdict;
  readonly tries: number;
  /** From the start of the first try to the end of the last, waits included. */
  readonly durationMs: number;
  /** Why not `pass`, with numbers, units and limits. Printable, one line each, without secrets. */
  readonly reasons: readonly string[];
  /** Of the last try; absent when nothing answered. */
  readonly answer?: { readonly status: number; readonly durationMs: number; readonly version?: string };
}

export const isFlow = ({ method }: CheckResult): boolean => method === FLOW;
export const FLOW = 'flow';

/** `invalid`: nothing was measured, so nothing is known. It is neither a pass nor a fail of the release. */
export type ChecksVerdict = CheckVerdict | 'invalid';

export interface ChecksResult {
  readonly verdict: ChecksVerdict;
  readonly checks: readonly CheckResult[];
}

/** The worst of the verdicts; `invalid` when there is none. */
export function verdictOf(checks: readonly CheckResult[]): ChecksVerdict {
  if (checks.length === 0) return 'invalid';
  if (checks.some((check) => check.verdict === 'fail')) return 'fail';
  return checks.some((check) => check.verdict === 'warn') ? 'warn' : 'pass';
}

export const countOf = (result: ChecksResult, verdict: CheckVerdict): number =>
  result.checks.filter((check) => check.verdict === verdict).length;
