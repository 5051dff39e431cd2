import { formatDuration } from '../../domain/duration.ts';
import type { ProbeFault, ProbeRequest } from '../../ports/prober.ts';
import { type Phase, RefusedAddress } from './connect.ts';

export interface FaultAndMessage {
  readonly fault: ProbeFault;
  readonly message: string;
}

export function timedOut(phase: Phase, { timeout }: ProbeRequest): FaultAndMessage {
  const missing = {
    connecting: 'no connection',
    securing: 'no TLS connection',
    waiting: 'no answer',
    reading: 'no complete answer',
  }[phase];
  return { fault: 'timeout', message: `${missing} within ${formatDuration(timeout)}` };
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What an error of the connection or of the HTTP parser means, in words that name the peer. */
export function faultOf(error: unknown, phase: Phase, request: ProbeRequest): FaultAndMessage {
  const peer = new URL(request.url).host;
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof RefusedAddress) return { fault: 'other', message: said };
  if (code === 'ECONNREFUSED') return { fault: 'refused', message: `connection refused by ${peer}` };
  if (code === 'ENOTFOUND' || code.startsWith('EAI_'))
    return { fault: 'dns', message: `the name of ${peer} cannot be resolved (${code})` };
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return timedOut('connecting', request);
  if (['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'].includes(code))
    return { fault: 'reset', message: closed(phase, peer) };
  if (phase === 'securing')
    return { fault: 'tls', message: `TLS with ${request.host ?? peer} failed: ${said} (${code || 'no code'})` };
  if (isProtocol(code)) return { fault: 'protocol', message: `${peer} does not answer in HTTP/1.1: ${said}` };
  return { fault: 'other', message: `request to ${peer} failed: ${said}` };
}

const isProtocol = (code: string): boolean =>
  code.startsWith('HPE_') ||
  ['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_RES_EXCEEDED_MAX_SIZE'].includes(code);

function closed(phase: Phase, peer: string): string {
  switch (phase) {
    case 'connecting':
      return `connection reset by ${peer}`;
    case 'securing':
      return `${peer} closed the connection during the TLS handshake`;
    case 'waiting':
      return `${peer} closed the connection without an answer`;
    case 'reading':
      return `${peer} closed the connection before the answer was complete`;
  }
}
