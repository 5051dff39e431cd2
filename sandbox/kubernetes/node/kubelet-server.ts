import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Identity } from '../../tls/certificates.ts';
import type { ContainerNow } from './container.ts';

export interface KubeletServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Finds a container of a pod that the node plays. */
export type FindContainer = (at: {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}) => ContainerNow | undefined;

/** What the API server asks a kubelet: here only the logs of containers. Anything else is a clear 501. */
export async function serveKubelet(identity: Identity, find: FindContainer): Promise<KubeletServer> {
  const server = createServer({ key: identity.key, cert: identity.cert }, (request, response) =>
    answer(request, response, find),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, find: FindContainer): void {
  const url = new URL(request.url ?? '/', 'https://kubelet');
  const [, kind, namespace = '', pod = '', container = ''] = url.pathname.split('/');
  const say = (status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  };
  if (kind !== 'containerLogs') return say(501, 'the kubelet of the sandbox serves containerLogs alone');
  const found = find({ namespace, pod, container });
  if (found === undefined) return say(404, `pod "${pod}" has no container "${container}" on this node`);
  const previous = url.searchParams.get('previous') === 'true';
  // While it waits for its restart, the process that ended is the current one and the previous one too.
  const isBetween = 'waiting' in found.state && found.last !== undefined;
  const log = previous && !isBetween ? found.previousLog : found.log;
  if (log === undefined) return say(400, `previous terminated container "${container}" in pod "${pod}" not found`);
  if ('waiting' in found.state && log.length === 0)
    return say(400, `container "${container}" in pod "${pod}" is waiting to start: ${found.state.waiting.reason}`);
  return say(200, cut(log, url.searchParams));
}

function cut(log: readonly string[], query: URLSearchParams): string {
  const tail = query.get('tailLines');
  const lines = tail === null ? log : log.slice(Math.max(0, log.length - Number(tail)));
  const text = lines.map((line) => `${line}\n`).join('');
  const limit = query.get('limitBytes');
  return limit === null ? text : text.slice(0, Number(limit));
}
