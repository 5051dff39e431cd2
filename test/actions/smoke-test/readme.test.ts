import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { parse, stringify } from 'yaml';
import { negotiation, serveHub } from '../../../sandbox/application/hub.ts';
import { newState } from '../../../sandbox/application/state.ts';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';

const README = readFileSync(join(import.meta.dirname, '../../../actions/smoke-test/README.md'), 'utf8');
const [step = '', short = '', ...files] = [...README.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
type Document = Readonly<Record<string, unknown>> & { readonly checks?: readonly object[] };
const documents = files.map((text) => parse(text) as Document);
/** What the blocks of the README make together: they are parts of one file. */
const whole: Document = {
  ...Object.assign({}, ...documents),
  secrets: ['API_TOKEN', 'LOGIN_PASSWORD'],
  checks: documents.flatMap(({ checks = [] }) => checks),
};

const NAME = 'shop.example.com';
const ENVIRONMENT = { API_TOKEN: 'api-token-4711', LOGIN_PASSWORD: 'login-password-4711' };
const SHA = '4f2a9c1';

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization } = request.headers;
  const json = (value: unknown, status = 200): void =>
    void response
      .writeHead(status, { 'content-type': 'application/json', 'x-git-sha': SHA })
      .end(JSON.stringify(value));
  switch ((request.url ?? '').split('?', 1)[0]) {
    case '/health':
      return json({ status: 'healthy' });
    case '/api/v1/me':
      return json({}, authorization === `Bearer ${ENVIRONMENT.API_TOKEN}` ? 200 : 401);
    case '/login': {
      const given = JSON.parse(Buffer.concat(await request.toArray()).toString()) as { readonly password?: string };
      const known = Object.values(ENVIRONMENT).some((each) => each === given.password);
      return json({ message: 'Welcome', token: 'session-4711' }, known ? 200 : 401);
    }
    case '/cart':
      return json({}, authorization === 'Bearer session-4711' ? 200 : 401);
    case '/analyticsHub/negotiate':
      return json(negotiation());
    case '/':
    case '/prices':
    case '/docs':
    case '/items':
      return json({});
    default:
      return json({}, 404);
  }
}

const temp = mkdtempSync(join(tmpdir(), 'readme-'));
let server: Server;
let run: (document: object, inputs?: Readonly<Record<string, string>>) => Promise<BundleResult>;
let runShort: (inputs: Readonly<Record<string, string>>) => Promise<BundleResult>;
beforeAll(async () => {
  const identity = selfSigned(NAME);
  const state = newState({ id: 'a', image: 'a', tag: '1', digest: '', environment: {}, containerPort: 80 }, 0);
  const sockets = new WebSocketServer({ noServer: true });
  server = createServer({ ...identity }, (request, response) => void serve(request, response));
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (open) => {
      if (request.url?.startsWith('/analyticsHub') === true) serveHub(open, state);
      else open.on('message', (data, binary) => open.send(data, { binary }));
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authority = join(temp, 'authority.pem');
  writeFileSync(authority, identity.cert);
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // How the README says that a private authority is trusted.
  const env = { ...ENVIRONMENT, NODE_EXTRA_CA_CERTS: authority };
  const own = { url, host: NAME, 'expect-version': SHA };
  run = (document, inputs = {}) =>
    runBundle({
      action: 'smoke-test',
      inputs: { ...own, checks: 'checks.yml', ...inputs },
      files: { 'checks.yml': stringify(document) },
      env,
    });
  runShort = (inputs) => runBundle({ action: 'smoke-test', inputs: { ...inputs, ...own }, env });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(temp, { recursive: true, force: true });
});

describe('the examples of the README', () => {
  test('of checks, sockets and flows pass a system that serves them', async () => {
    // Waits belong to a real system, and so does a certificate that lives for months.
    const { load: _, ...checks } = whole;
    const sooner = JSON.parse(
      JSON.stringify(checks)
        .replace('"interval":"10s"', '"interval":"10ms"')
        .replace(',"certificate":{"days-left":14}', '')
        .replace('500ms..2s', '1ms..2ms'),
    ) as object;
    const done = await run(sooner);
    expect([done.outputs['verdict'], done.outputs['passed'], done.annotations]).toEqual(['pass', '10', []]);
  });

  test('of loads are plans that this version understands', async () => {
    const done = await run(whole, { 'dry-run': 'true' });
    expect(done).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned' } });
    expect(done.stdout).toContain('load quick: 100 runs, 10 at a time');
    expect(done.stdout).toContain('load ramp: 6750 arrivals in 6m, at most 500 at a time, scenarios shop, hub');
  });

  test('carry a load as they are: a flow, a WebSocket and a hub, each with its turns', async () => {
    const { load: _, ...checks } = whole;
    const scenarios = ['shop', 'socket', 'hub'];
    const rules = ['fail: error-rate > 0%', ...scenarios.map((scenario) => ({ fail: 'mean > 30s', scenario }))];
    const load = { name: 'all', scenarios, closed: { count: 30, concurrency: 5 }, rules };
    const sooner = JSON.stringify({ ...checks, checks: checks.checks?.slice(-3), load: [load] })
      .replace(',"certificate":{"days-left":14}', '')
      .replace('500ms..2s', '1ms..2ms');
    const done = await run(JSON.parse(sooner) as object);
    expect(done).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass', requests: '80', 'error-rate': '0' } });
    expect(done.summary).toMatch(/\| shop \| 30 \|[^]*\| socket \| 30 \|[^]*\| hub \| 20 \|/);
  });

  test('of the short form passes it without a file, and makes its load', async () => {
    const [{ with: inputs }] = parse(short) as [{ readonly with: Readonly<Record<string, unknown>> }];
    const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]));
    const done = await runShort(given);
    expect(done).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass', passed: '3', requests: '100' } });
    expect(done.stdout).toContain('3 checks, 1 load against');
    expect(done.annotations).toEqual([]);
  });

  test('of a step names only inputs that there are, and says where the action stands', () => {
    const { smoke } = parse(step) as {
      readonly smoke: { readonly steps: readonly { readonly uses: string; readonly with: object }[] };
    };
    const { uses, with: inputs } = smoke.steps.at(-1) ?? { uses: '', with: {} };
    const action = readFileSync(join(import.meta.dirname, '../../../actions/smoke-test/action.yml'), 'utf8');
    const known = Object.keys((parse(action) as { readonly inputs: object }).inputs);
    expect(uses).toMatch(/^acme\/sluice\/actions\/smoke-test@/);
    expect(Object.keys(inputs).filter((name) => !known.includes(name))).toEqual([]);
  });
});
