import { type IncomingMessage, type Server, type ServerResponse, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Gateway {
  /** `http://127.0.0.1:40123/via/shop.example.com` leads where the name leads now. */
  urlOf(name: string): string;
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** Base URL of what answers for the name, asked anew for each request; undefined: there is nothing. */
  lead(name: string): string | undefined;
}

/**
 * The way to the sandbox's names for processes that ask another resolver, as every process of this machine does: the name
 * stands in the path, and each request goes where the name leads at that moment.
 */
export async function openGateway({ lead }: GatewayOptions): Promise<Gateway> {
  const server = createServer((request, response) => pass(request, response, lead));
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { urlOf: (name) => `http://127.0.0.1:${port}/via/${name}`, close: () => closed(server) };
}

function pass(request: IncomingMessage, response: ServerResponse, lead: GatewayOptions['lead']): void {
  const [, name = '', path = '/'] = /^\/via\/([^/?]+)(.*)$/.exec(request.url ?? '') ?? [];
  const base = lead(name);
  if (base === undefined) {
    response.writeHead(502, { 'content-type': 'text/plain' }).end(`nothing answers for ${name}\n`);
    return;
  }
  const url = new URL(path.startsWith('/') ? path : `/${path}`, base);
  const onward = send(url, { method: request.method, headers: { ...request.headers, host: name } }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(onward);
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
