import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LocalServer, httpServer } from '../../adapters/http/servers.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';

/** What /me wants to see as a bearer. */
export const TOKEN = 'super-secret-token-4711';

function serve(request: IncomingMessage, response: ServerResponse, warmed: number): void {
  const { url, headers } = request;
  const json = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  switch (url) {
    case '/health':
      return json(200, { status: 'healthy', version: 'new', components: { cache: { status: 'healthy' } } });
    case '/ill':
      return json(503, {
        status: 'unhealthy',
        components: { cache: { status: 'unhealthy' }, db: { status: 'healthy' } },
      });
    case '/warming':
      return json(warmed < 3 ? 503 : 200, {});
    case '/me':
      return json(headers.authorization === `Bearer ${TOKEN}` ? 200 : 401, {
        seen: headers.authorization,
        host: headers.host,
      });
    case '/moved':
      return void response.writeHead(302, { location: '/health' }).end();
    case '/away':
      return void response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
    case '/silent':
      return;
    default:
      json(404, {});
  }
}

export interface Application {
  readonly server: LocalServer;
  readonly url: string;
  /** Runs the action against this application; `checks` is the text of its checks file. */
  smoke(inputs: BundleRun['inputs'], checks?: string, more?: Partial<BundleRun>): Promise<BundleResult>;
}

/** A small application with one path for each behaviour; /warming is healthy from its third request on. */
export async function startApplication(): Promise<Application> {
  let warmed = 0;
  const server = await httpServer((request, response) => {
    if (request.url === '/warming') warmed += 1;
    serve(request, response, warmed);
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    server,
    url,
    smoke: (inputs, checks, more) =>
      runBundle({
        action: 'smoke-test',
        inputs: { url, ...(checks === undefined ? {} : { checks: 'checks.yml' }), ...inputs },
        ...(checks === undefined ? {} : { files: { 'checks.yml': checks } }),
        ...more,
      }),
  };
}
