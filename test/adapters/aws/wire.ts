import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WireCall {
  /** `DescribeServices` of X-Amz-Target, `GetCallerIdentity` of a query API, or the path. */
  readonly operation: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly url: string;
}

export interface WireAnswer {
  readonly status?: number;
  readonly body: string | object;
}

export interface Wire {
  readonly url: string;
  readonly calls: readonly WireCall[];
  close(): Promise<void>;
}

/** An HTTP server on loopback that answers what a test tells it to; what it is asked is kept. */
export async function startWire(answer: (call: WireCall, ordinal: number) => WireAnswer | 'reset'): Promise<Wire> {
  const calls: WireCall[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
      const operation = target ?? new URLSearchParams(body).get('Action') ?? request.url ?? '';
      const call = { operation, body, headers: request.headers, url: request.url ?? '' };
      calls.push(call);
      const answered = answer(call, calls.filter((other) => other.operation === operation).length);
      if (answered === 'reset') return request.socket.destroy();
      const text = typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body);
      const type = target === undefined ? 'application/json' : 'application/x-amz-json-1.1';
      response.writeHead(answered.status ?? 200, { 'content-type': text.startsWith('<') ? 'text/xml' : type });
      return response.end(text);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export const refusal = (type: string, message = ''): WireAnswer => ({ status: 400, body: { __type: type, message } });
