import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CheckResult } from '../../../src/domain/checks/result.ts';
import type { LoadResult } from '../../../src/domain/load/result.ts';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { closedPort, tlsServer, webSocketServer } from '../../adapters/http/servers.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

/** Every fault that a release may have, at a path each. Nothing here is healthy but `/good`. */
function faulty(): (request: IncomingMessage, response: ServerResponse) => void {
  let asked = 0;
  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    asked += 1;
    const turn = asked;
    switch (path) {
      case '/good':
        return void response.end('{"id":1}');
      case '/500':
        return void response.writeHead(500).end('down');
      case '/never':
        return undefined;
      case '/closes':
        return void request.socket.destroy();
      case '/never-a-tenth':
        return turn % 10 === 0 ? undefined : void response.end();
      case '/closes-half':
        return turn % 2 === 0 ? void request.socket.destroy() : void response.end();
      case '/slow-body':
        response.write('begins');
        return;
      case '/loop':
        return void response.writeHead(302, { location: '/loop' }).end();
      case '/huge':
        return void sendHuge(response);
      case '/broken-json':
        return void response.end('{"id": 1');
      case '/two':
        return void response.end('{"items":[{"id":1},{"id":2}]}');
      case '/stall':
        return void wait(turn % 3 === 0 ? 500 : 1).then(() => response.end());
      case '/old':
        return void response.writeHead(200, { 'x-version': turn % 2 === 0 ? 'old' : 'new' }).end();
      default:
        return void response.writeHead(404).end();
    }
  };
}

async function sendHuge(response: ServerResponse): Promise<void> {
  const piece = Buffer.alloc(65_536, 'x');
  for (let sent = 0; sent < 1_600 && !response.destroyed; sent++) {
    if (!response.write(piece)) await Promise.race([new Promise((next) => response.once('drain', next)), wait(100)]);
  }
  response.end();
}

export interface FaultyWorld {
  /** Base URLs: of everything below, of a port where nobody listens, of a certificate that nobody trusts. */
  readonly url: string;
  readonly closed: string;
  readonly untrusted: string;
  /** Runs the action with this checks file, `it.yml`, whose second line is the first of `checks`. */
  smoke(checks: string, url?: string): Promise<BundleResult>;
  close(): Promise<void>;
}

export async function openFaultyWorld(): Promise<FaultyWorld> {
  // `/hello` opens a WebSocket that says nothing.
  const server = await webSocketServer(() => undefined, { listener: faulty() });
  const untrusted = await tlsServer(selfSigned('shop.example.com'), (_, response) => response.end());
  const temp = mkdtempSync(join(tmpdir(), 'faults-'));
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    closed: `http://127.0.0.1:${await closedPort()}`,
    untrusted: `https://127.0.0.1:${untrusted.port}`,
    smoke: (checks, other = url) =>
      runBundle({
        action: 'smoke-test',
        inputs: { url: other, checks: 'it.yml' },
        files: { 'it.yml': `version: 1\n${checks}\n` },
        env: { RUNNER_TEMP: temp },
      }),
    async close() {
      await Promise.all([server.close(), untrusted.close()]);
      rmSync(temp, { recursive: true, force: true });
    },
  };
}

interface Results {
  readonly checks: readonly CheckResult[];
  readonly loads: readonly LoadResult[];
}

export const resultsOf = ({ outputs }: BundleResult): Results =>
  JSON.parse(readFileSync(outputs['results'] ?? '', 'utf8')) as Results;

export const check = (rest: string): string => `checks: [{ name: it, timeout: 10s, ${rest} }]`;

/** What never comes is waited for so long. Everything else may take much longer: the machine that tests may be busy. */
export const SOON = 'timeout: 1s';

export const load = (path: string, rules: string, more = 'timeout: 10s', count = 100): string =>
  `{ name: it, closed: { count: ${count}, concurrency: 10 }, get: ${path}, rules: [${rules}], ${more} }`;
