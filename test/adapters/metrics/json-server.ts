import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface JsonServer {
  readonly url: string;
  /** Paths with their queries, and headers, of everything that was asked. */
  readonly asked: { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[];
  answer: { readonly status: number; readonly body: string };
  close(): Promise<void>;
}

/** One address on loopback that gives the answer a test sets. */
export async function jsonServer(): Promise<JsonServer> {
  const asked: JsonServer['asked'] = [];
  const state: { answer: JsonServer['answer'] } = { answer: { status: 200, body: '{}' } };
  const server: Server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    response.writeHead(state.answer.status, { 'content-type': 'application/json' }).end(state.answer.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get answer() {
      return state.answer;
    },
    set answer(next) {
      state.answer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
