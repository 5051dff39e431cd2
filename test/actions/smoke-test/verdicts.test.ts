import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { closedPort, tcpServer, tlsServer } from '../../adapters/http/servers.ts';
import { runBundle, startBundle } from '../../harness/run-bundle.ts';
import { type Application, startApplication } from './application.ts';

let application: Application;
let smoke: Application['smoke'];
let url: string;
beforeAll(async () => {
  application = await startApplication();
  ({ smoke, url } = application);
});
afterAll(() => application.server.close());

describe('the smoke test', () => {
  test('passes a healthy system', async () => {
    const checks = `
version: 1
checks:
  - { name: health, get: /health, expect: { status: 200, json: { "$.status": healthy, "$.components[*].status": healthy } } }
  - { name: others, get: [/health, /moved] }
`;
    const run = await smoke({}, checks);
    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'passed', changed: 'false', verdict: 'pass', passed: '3', warned: '0', failed: '0' },
      annotations: [],
    });
    expect(run.stdout).toContain(`3 checks against ${url}`);
    expect(run.stdout).toMatch(/^others \/moved: passed \(/m);
    expect(run.summary).toContain('| others /moved | pass | GET /moved | 302 |');
  });

  test('takes paths without a file', async () => {
    const run = await smoke({ paths: '/health\n/moved', 'expect-status': '200, 302' });
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass', passed: '2' } });
  });

  test('fails with the line of the file, the reasons and the unhealthy component', async () => {
    const run = await smoke(
      {},
      'version: 1\nchecks:\n  - name: fine\n    get: /health\n  - name: health\n    get: /ill\n    expect: { status: 200 }\n',
    );
    const reasons = 'status 503, expected 200; component cache is unhealthy';
    expect(run).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'failed', verdict: 'fail', passed: '1', failed: '1' },
    });
    expect(run.annotations).toEqual([
      { level: 'error', title: 'Check health', message: reasons, file: 'checks.yml', line: 6 },
      {
        level: 'error',
        title: 'smoke-test: failed',
        message: expect.stringMatching(/^Smoke test failed: 2 checks in \S+ against \S+; failed: health$/),
      },
    ]);
    expect(run.summary).toContain(reasons);
  });

  test('tries until the system is healthy', async () => {
    const run = await smoke({
      paths: '/warming',
      'expect-status': '200',
      'retry-count': '10',
      'retry-interval': '20ms',
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
    expect(run.stdout).toContain('/warming: status 503, expected 200. Try 2 of 10 in 20ms');
    expect(run.stdout).toMatch(/^\/warming: passed \(\S+, 3 tries\)$/m);
  });

  test('fails when the old version still answers', async () => {
    const run = await smoke({ paths: '/health', 'expect-version': 'newer', 'version-from': 'json:$.version' });
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
    expect(run.stdout).toContain('version new answers, expected newer ($.version)');
  });

  test('warns and stays green', async () => {
    const run = await smoke(
      {},
      'version: 1\nchecks:\n  - { name: slow, get: /health, warn: { json: { "$.status": perfect } } }\n',
    );
    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'warned', verdict: 'warn', warned: '1', passed: '0' },
    });
    expect(run.annotations).toEqual([expect.objectContaining({ level: 'warning', file: 'checks.yml', line: 3 })]);
  });

  test('writes a result file with every check', async () => {
    const temp = await mkdtemp(join(tmpdir(), 'smoke-'));
    const run = await smoke({ paths: '/health\n/ill' }, 'version: 1\nchecks:\n  - { name: me, get: /me }\n', {
      env: { RUNNER_TEMP: temp },
    });
    const file = JSON.parse(await readFile(run.outputs['results'] ?? '', 'utf8')) as unknown;
    await rm(temp, { recursive: true });
    expect(file).toMatchObject({
      schema: 'sluice/checks-result/v1',
      verdict: 'fail',
      target: { url, host: null, expectVersion: null },
      checks: [
        { name: '/health', verdict: 'pass', tries: 1, answer: { status: 200 } },
        { name: '/ill', verdict: 'fail', reasons: ['status 503, expected <400', 'component cache is unhealthy'] },
        { name: 'me', verdict: 'fail', file: 'checks.yml', line: 3 },
      ],
    });
  });
});

describe('a target', () => {
  test('of the file is used when there is no url', async () => {
    const run = await smoke({ url: '' }, 'version: 1\ntarget: "${BASE}"\nchecks: [{ name: health, get: /health }]\n', {
      env: { BASE: url },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
  });

  test('of the stage in sluice.yml is used, and the deployment timeout there is not ours', async () => {
    const sluice = `stages:\n  staging: { url: "${url}", host: shop.example.com, timeout: 15m, paths: [/me], expect-status: 401 }\n`;
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { stage: 'staging', 'dry-run': 'true' },
      files: { 'sluice.yml': sluice },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', verdict: '' } });
    expect(run.stdout).toContain(`/me: GET ${url}/me, expects status 401; one try, timeout 10s`);
    expect(run.stdout).toMatch(/^host: shop\.example\.com {2}\(sluice\.yml/m);
  });

  test('that is down fails every check after one patience', async () => {
    const checks =
      'version: 1\ndefaults: { retry: { count: 3, interval: 20ms } }\nchecks:\n  - { name: a, get: / }\n  - { name: b, get: / }\n  - { name: c, get: / }\n';
    const down = `http://127.0.0.1:${await closedPort()}`;
    const run = await smoke({ url: down }, checks);
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail', failed: '3' } });
    expect(run.stdout).toMatch(/^a: failed \(\S+, 3 tries\): connection refused by 127\.0\.0\.1:\d+$/m);
    expect(run.stdout).toMatch(/^c: failed \(\S+\): connection refused/m);
  });

  test('that never answers costs the timeout', async () => {
    const run = await smoke({ paths: '/silent', timeout: '200ms' });
    expect(run.stdout).toMatch(/^\/silent: failed \(\S+\): no answer within 200ms$/m);
  });

  test('is never a metadata service', async () => {
    const run = await smoke({ url: 'http://169.254.169.254', paths: '/latest/meta-data/' });
    expect(run.stdout).toContain('address 169.254.169.254 is refused');
  });

  test.each([
    { name: 'whatever NODE_TLS_REJECT_UNAUTHORIZED says', env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
    { name: 'by default', env: {} },
  ])('with a certificate that nobody trusts fails, $name', async ({ env }) => {
    const untrusted = await tlsServer(selfSigned('shop.example.com'), (_, response) => response.end());
    const run = await smoke(
      { url: `https://127.0.0.1:${untrusted.port}`, host: 'shop.example.com', paths: '/' },
      undefined,
      { env },
    );
    await untrusted.close();
    expect(run.stdout).toContain(
      'TLS with shop.example.com failed: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
  });

  test('is reached without the proxy of the environment', async () => {
    let connections = 0;
    const proxy = await tcpServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
    const run = await smoke({ paths: '/health' }, undefined, {
      env: { HTTP_PROXY, http_proxy: HTTP_PROXY, NODE_USE_ENV_PROXY: '1' },
    });
    await proxy.close();
    expect([run.outputs['verdict'], connections]).toEqual(['pass', 0]);
  });
});

describe('a redirect', () => {
  test.each([
    { name: 'is not followed by default', follow: 'never', path: '/moved', status: 302, verdict: 'pass' },
    {
      name: 'inside the target is followed when the check says so',
      follow: 'same-host',
      path: '/moved',
      status: 200,
      verdict: 'pass',
    },
    { name: 'to another host is refused', follow: 'same-host', path: '/away', status: 200, verdict: 'fail' },
  ])('$name', async ({ follow, path, status, verdict }) => {
    const run = await smoke(
      {},
      `version: 1\nchecks: [{ name: a, get: ${path}, follow-redirects: ${follow}, expect: { status: ${status} } }]\n`,
    );
    expect(run.outputs['verdict']).toBe(verdict);
  });
});

test('a cancelled run ends at once and gives no verdict', async () => {
  const running = await startBundle({
    action: 'smoke-test',
    inputs: { url, paths: '/ill', 'retry-count': '100', 'retry-interval': '10s' },
    signalAt: { output: /Try 2 of 100/, signal: 'SIGINT' },
  });
  const run = await running.result;
  expect(run.outputs).toMatchObject({ outcome: 'cancelled', changed: 'false' });
  expect(run.outputs).not.toHaveProperty('verdict');
  expect(run.wall).toBeLessThan(8_000);
});
