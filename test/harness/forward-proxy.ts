import { createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';

export interface ForwardProxy {
  /** As a self-hosted runner hands it to its steps. */
  readonly env: Readonly<Record<'HTTP_PROXY' | 'HTTPS_PROXY' | 'NO_PROXY', string>>;
  readonly url: string;
  /** What was asked for, in order: `GET aws.test:80`, `CONNECT kube.test:6443`. */
  readonly asked: () => readonly string[];
  close(): Promise<void>;
}

/**
 * The only way to some names, as on a network without another way out: nobody else resolves them. `ways` has the local
 * port behind each `name:port`.
 */
export async function startForwardProxy(ways: Readonly<Record<string, number>>): Promise<ForwardProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '');
    const name = `${url.hostname}:${url.port || '80'}`;
    asked.push(`${incoming.method} ${name}`);
    const port = ways[name];
    if (port === undefined) return void outgoing.writeHead(502).end();
    const options = { host: '127.0.0.1', port, method: incoming.method, path: url.pathname + url.search, headers: incoming.headers }; // prettier-ignore
    const forwarded = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded.on('error', () => outgoing.destroy()));
  });
  server.on('connection', keep);
  server.on('connect', ({ url = '' }, client: Socket) => {
    asked.push(`CONNECT ${url}`);
    const port = ways[url];
    if (port === undefined) return void client.end('HTTP/1.1 502 Not this one\r\n\r\n');
    const far = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n');
      far.pipe(client).pipe(far);
    });
    keep(far);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: '127.0.0.1,localhost' },
    url,
    asked: () => asked,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
