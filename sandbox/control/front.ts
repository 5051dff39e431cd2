import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awsError, errorAnswer } from './wire/answer.ts';
import { type ApiCall, readCall } from './wire/call.ts';
import { invalidToken } from './wire/errors.ts';

/** What the front needs of a world. */
export interface Served {
  readonly name: string;
  readonly account: string;
  owns(accessKey: string): boolean;
  serve(call: ApiCall, response: ServerResponse): Promise<void>;
  /** `GET /sandbox/<world>/...`: `path` is what follows, with its query. */
  serveOwn(own: {
    readonly path: string;
    readonly query: URLSearchParams;
    readonly bearer: string | undefined;
  }): OwnAnswer;
}

export interface OwnAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

/** One HTTP server for all worlds: a call belongs to the world whose access key signed it. */
export async function openFront(worlds: () => Iterable<Served>, log: (line: string) => void): Promise<Front> {
  const server = createServer((request, response) => {
    route(request, response, worlds).catch((error: unknown) => {
      log(
        `the front failed on ${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`,
      );
      response.destroy();
    });
  });
  // A client keeps its connections for as long as it likes; a restart between two calls is no test of anything here.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => closed(server) };
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  worlds: () => Iterable<Served>,
): Promise<void> {
  if (request.url?.startsWith('/sandbox/')) return ownPage(request, response, worlds);
  const call = await readCall(request);
  const world = [...worlds()].find((candidate) => belongs(call, candidate));
  if (world !== undefined) return world.serve(call, response);
  const { status, headers, body } = errorAnswer(call, strangerError(call));
  response.writeHead(status, { ...headers }).end(body);
}

const strangerError = (call: ApiCall): ReturnType<typeof awsError> =>
  call.operation === 'AssumeRoleWithWebIdentity'
    ? awsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403)
    : invalidToken(call);

/** An unsigned call (AssumeRoleWithWebIdentity) names its account in the role. */
function belongs(call: ApiCall, world: Served): boolean {
  if (call.accessKey !== undefined) return world.owns(call.accessKey);
  return call.body.includes(encodeURIComponent(`arn:aws:iam::${world.account}:role/`));
}

function ownPage(request: IncomingMessage, response: ServerResponse, worlds: () => Iterable<Served>): void {
  const url = new URL(request.url ?? '/', 'http://front');
  const [, , name, ...rest] = url.pathname.split('/');
  const world = [...worlds()].find((candidate) => candidate.name === name);
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const answer = world?.serveOwn({ path: rest.join('/'), query: url.searchParams, bearer }) ?? {
    status: 404,
    body: { message: `no world is called '${name}'` },
  };
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
}
