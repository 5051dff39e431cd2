import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Ending } from './recorder.ts';

/** An answer of the load balancer itself, no target's. */
export interface OwnAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The page that an ALB gives when it has no answer of a target. */
export function errorPage(status: number): OwnAnswer {
  const title = `${status} ${STATUS_CODES[status] ?? 'Error'}`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  return { status, contentType: 'text/html', body };
}

const headersOf = ({ contentType, body }: OwnAnswer): Readonly<Record<string, string>> => ({
  server: 'awselb/2.0',
  'content-type': contentType,
  'content-length': String(Buffer.byteLength(body)),
});

export function sendOwn(response: ServerResponse, own: OwnAnswer): void {
  response.writeHead(own.status, headersOf(own)).end(own.body);
}

/** The same as raw HTTP, for a request to upgrade, which has no response object. */
export function rawOwn(own: OwnAnswer): string {
  const lines = Object.entries({ ...headersOf(own), connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${own.status} ${STATUS_CODES[own.status] ?? ''}`, ...lines, '', own.body].join('\r\n');
}

const LATE = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

const NOT_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);

/** How a request ended that the target gave no answer to. */
export const endingOfFailure = (error: NodeJS.ErrnoException): Ending => ({
  kind: NOT_CONNECTED.has(error.code ?? '') ? 'connection-error' : 'unanswered',
});

/** What the client sees when the target gave no answer; 400: the request itself cannot be sent on. */
export function statusForFailure(error: NodeJS.ErrnoException): 400 | 502 | 504 {
  if (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED') return 400;
  return LATE.has(error.code ?? '') ? 504 : 502;
}
