import { formatDuration } from '../../domain/duration.ts';
import type { ProbeFault, ProbeRequest } from '../../ports/prober.ts';
import { type Phase, RefusedAddress } from './connect.ts';

export interface FaultAndMessage {
  readonly fault: ProbeFault;
  readonly message: string;
}

/** What every request to a peer says of it. */
type Dialling = Pick<ProbeRequest, 'url' | 'host' | 'timeout'>;

export function timedOut(phase: Phase, { timeout }: Dialling): FaultAndMessage {
  const missing = {
    connecting: 'no connection',
    securing: 'no TLS connection',
    waiting: 'no answer',
    reading: 'no complete answer',
  }[phase];
  return { fault: 'timeout', message: `${missing} within ${formatDuration(timeout)}` };
}

const partOf = (error: unknown, key: 'code' | 'message' | 'name'): string => {
  const part: unknown =
    typeof error === 'object' && error !== null && key in error ? Reflect.get(error, key) : undefined;
  return typeof part === 'string' ? part : '';
};

/** What an error of the connection or of the HTTP parser means, in words that name the peer. */
export function faultOf(error: unknown, phase: Phase, request: Dialling): FaultAndMessage {
  const peer = new URL(request.url).host;
  const code = partOf(error, 'code');
  const said = partOf(error, 'message') || String(error);
  if (error instanceof RefusedAddress) return { fault: 'other', message: said };
  if (code === 'ECONNREFUSED') return { fault: 'refused', message: `connection refused by ${peer}` };
  if (code === 'ENOTFOUND' || code.startsWith('EAI_'))
    return { fault: 'dns', message: `the name of ${peer} cannot be resolved (${code})` };
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return timedOut('connecting', request);
  if (CLOSED.includes(code) || said.includes(CUT_SHORT)) return { fault: 'reset', message: closed(phase, peer) };
  if (phase === 'securing')
    return {
      fault: 'tls',
      message: `TLS with ${request.host ?? peer} failed: ${said.replace(/;.*/, '')} (${code || 'no code'})`,
    };
  if (isProtocol(code) || partOf(error, 'name') === 'HTTPParserError')
    return { fault: 'protocol', message: `${peer} does not answer in HTTP/1.1: ${said}` };
  return { fault: 'other', message: `request to ${peer} failed: ${said}` };
}

/** A content length that does not match is an answer that was cut: more than it would be the start of a next one. */
const CLOSED = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'];
/** What undici's parser says, without a code, when a connection ends in the middle of headers or chunks. */
const CUT_SHORT = 'Invalid EOF state';

const isProtocol = (code: string): boolean =>
  code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';

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
