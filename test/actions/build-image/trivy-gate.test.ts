import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundleRun, runBundle, startBundle } from '../../harness/run-bundle.ts';
import { type Put, type Services, startServices } from './services.ts';

/** Several processes a test; a limit for a machine that is busy, and no measure. */
jest.setTimeout(150_000);
const NOW = Date.UTC(2026, 10, 25, 12);
const VERSION = '0.69.1';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const ARCHIVE = `trivy_${VERSION}_Linux-${process.arch === 'arm64' ? 'ARM64' : '64bit'}.tar.gz`;

let services: Services;
let temp = '';
let trivySha256 = '';
beforeAll(async () => {
  services = await startServices();
  temp = mkdtempSync(join(tmpdir(), 'sluice-gate-'));
  trivySha256 = publishTrivy();
});
afterAll(async () => {
  rmSync(temp, { recursive: true, force: true });
  await services.close();
});

/** A release of a scanner that says what lies beside the image's digest on the server of releases, and leaves a trace. */
function publishTrivy(): string {
  const script = `#!${process.execPath}
const fs = require('node:fs');
const image = process.argv.at(-1);
fs.writeFileSync(require('node:path').join(process.env.TMPDIR, 'left-behind'), image);
if (fs.existsSync('.trivyignore')) process.exit(3);
fetch('${services.url}/findings/' + image.split('@')[1].slice(7)).then(async (answer) => {
  const text = await answer.text();
  if (text === 'hang') return setInterval(() => undefined, 1000);
  if (text.startsWith('exit')) { console.error('FATAL no database'); process.exit(1); }
  console.log(answer.ok ? text : JSON.stringify({ SchemaVersion: 2, Results: [{ Class: 'os-pkgs' }] }));
});
`;
  writeFileSync(join(temp, 'trivy'), script);
  chmodSync(join(temp, 'trivy'), 0o755);
  execFileSync('tar', ['-czf', join(temp, 'trivy.tar.gz'), '-C', temp, 'trivy']);
  const bytes = readFileSync(join(temp, 'trivy.tar.gz'));
  services.files.set(`/releases/v${VERSION}/${ARCHIVE}`, bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

interface Gate {
  readonly host: string;
  readonly path: string;
  readonly inputs: Readonly<Record<string, string>>;
}

/** An image that an earlier attempt of this run left under its identity tag: what a dry run says is what its labels are. */
async function imageOf({ host, path, inputs }: Gate): Promise<{ run: BundleRun; image: Put }> {
  const run: BundleRun = {
    action: 'build-image',
    inputs: { repository: `${host}/${path}`, tags: 'type=raw,value=tested', token: 'ghs_test', ...inputs },
    env: { ...services.env, GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', SLUICE_TIMER_SCALE: '1' },
    files: { Dockerfile: 'FROM scratch\n', '.trivyignore': 'CVE-2026-1\n' },
    clock: { lockStepFrom: NOW },
  };
  const planned = await runBundle({ ...run, inputs: { ...run.inputs, scan: 'none', 'dry-run': 'true' } });
  const labels = Object.fromEntries(
    (planned.outputs['labels'] ?? '').split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as Record<string, string>;
  return { run, image: services.put(path, `sha-${COMMIT}`, labels) };
}

const trivy = (path: string, inputs: Readonly<Record<string, string>> = {}): Gate => ({
  host: services.host,
  path,
  inputs: {
    scan: 'trivy',
    'trivy-version': VERSION,
    'trivy-sha256': trivySha256,
    'trivy-url': `${services.url}/releases`,
    ...inputs,
  },
});
const says = (digest: string, text: string) => services.files.set(`/findings/${digest.slice(7)}`, Buffer.from(text));
const report = (...findings: readonly (readonly [id: string, severity: string, fixed?: string])[]): string =>
  JSON.stringify({
    SchemaVersion: 2,
    Results: [
      {
        Vulnerabilities: findings.map(([VulnerabilityID, Severity, FixedVersion = '']) => ({
          VulnerabilityID,
          Severity,
          FixedVersion,
          PkgName: 'ssl',
          InstalledVersion: '3.0',
        })),
      },
    ],
  });
const sarifIn = (written: Readonly<Record<string, string>>, path = ''): Sarif =>
  JSON.parse(written[path] ?? readFileSync(path, 'utf8')) as Sarif;
interface Sarif {
  readonly version: string;
  readonly runs: readonly [
    { readonly results: readonly { readonly ruleId: string; readonly suppressions?: unknown }[] },
  ];
}

describe('the scan gate of build-image, by Trivy', () => {
  test('blocks what is above a limit: no tag, no images, red, and all of it written down', async () => {
    const { run, image } = await imageOf(trivy('team/blocked'));
    says(image.digest, report(['CVE-2026-1', 'CRITICAL', '3.1'], ['CVE-2026-2', 'LOW']));
    const folder = mkdtempSync(join(temp, 'run-'));
    const blocked = await runBundle({ ...run, env: { ...run.env, RUNNER_TEMP: folder } });
    expect(blocked).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'blocked', images: '', 'scan-verdict': 'fail', digest: image.digest, changed: 'false' },
      annotations: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringMatching(/critical 1 > 0/) }),
      ]),
    });
    expect(blocked.summary).toMatch(/CVE-2026-1/);
    expect(services.tag('team/blocked', 'tested')).toBeUndefined();
    const sarif = sarifIn({}, blocked.outputs['sarif']);
    expect(sarif.version).toBe('2.1.0');
    expect(sarif.runs[0].results.map(({ ruleId }) => ruleId)).toEqual(['CVE-2026-1', 'CVE-2026-2']);
    expect(JSON.parse(readFileSync(blocked.outputs['evidence-file'] ?? '', 'utf8'))).toMatchObject({
      tags: [],
      scan: { verdict: 'fail', scanner: `Trivy ${VERSION}`, counted: { critical: 1, low: 1 } },
    });
    // The program and what it left are gone, and a .trivyignore of the commit was not read.
    expect(readdirSync(folder).filter((name) => name.startsWith('sluice-docker'))).toEqual([]);
  });

  test('accepts what somebody answers for until it expires, reads it from the default branch, and says what ran out', async () => {
    const until = (expires: string, id: string) =>
      `- { id: ${id}, owner: alice, reason: only the client is used, expires: ${expires} }\n`;
    const { run, image } = await imageOf(trivy('team/ignored', { 'scan-ignore': '.github/ignore.yml' }));
    says(image.digest, report(['CVE-2026-1', 'CRITICAL'], ['CVE-2026-2', 'HIGH']));
    const listed = (text: string) => {
      const content = Buffer.from(text).toString('base64');
      services.github = {
        'GET /repos/acme/shop/contents/.github/ignore.yml': {
          status: 200,
          body: { type: 'file', encoding: 'base64', content },
        },
      };
    };
    listed(until('2026-12-01', 'CVE-2026-1') + until('2026-11-01', 'CVE-2026-2'));
    const expired = await runBundle(run);
    expect(expired).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(expired.stdout + expired.summary).toMatch(
      /CVE-2026-2 \(alice\) ended on 2026-11-01: its finding counts again/,
    );
    listed(until('2026-12-31', 'CVE-2026-1') + until('2027-01-01', 'CVE-2026-2'));
    expect(await runBundle(run)).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
    expect(services.tag('team/ignored', 'tested')).toBe(image.digest);
    services.github = {};
    const missing = await runBundle(run);
    expect(missing).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(missing.stdout).toMatch(/Could not read \.github\/ignore\.yml of the default branch/);
  });

  test('lets pass what production has as well, and what nobody can mend', async () => {
    const production = services.put('team/now', 'production', {});
    says(production.digest, report(['CVE-2026-1', 'CRITICAL', '3.1']));
    const compare = `${services.host}/team/now@${production.digest}`;
    const { run, image } = await imageOf(
      trivy('team/compared', { 'compare-image': compare, 'scan-only-fixed': 'true' }),
    );
    says(image.digest, report(['CVE-2026-1', 'CRITICAL', '3.1'], ['CVE-2026-2', 'HIGH']));
    const passed = await runBundle({ ...run, env: { ...run.env, RUNNER_TEMP: mkdtempSync(join(temp, 'run-')) } });
    expect(passed).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
    expect(sarifIn({}, passed.outputs['sarif']).runs[0].results).toMatchObject([
      { ruleId: 'CVE-2026-1', suppressions: [{ justification: 'in-production' }] },
      { ruleId: 'CVE-2026-2', suppressions: [{ justification: 'not-fixed' }] },
    ]);
    says(image.digest, report(['CVE-2026-1', 'CRITICAL', '3.1'], ['CVE-2026-3', 'HIGH', '3.2']));
    expect(await runBundle(run)).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
  });

  test('a scanner that ends in an error is no verdict: red, unless a warning is all that is wished', async () => {
    const { run, image } = await imageOf(trivy('team/unknown'));
    says(image.digest, 'exit');
    const unknown = await runBundle(run);
    expect(unknown).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'scan-unknown', images: '', 'scan-verdict': 'unknown' },
    });
    expect(unknown.stdout).toMatch(/Trivy ended with 1: FATAL no database/);
    expect(await runBundle({ ...run, inputs: { ...run.inputs, 'on-scan-error': 'warn' } })).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'reused', 'scan-verdict': 'unknown' },
    });
  });

  test('a release with another hash is not run, neither from the server nor from the cache', async () => {
    const { run } = await imageOf(trivy('team/forged', { 'trivy-sha256': 'f'.repeat(64) }));
    const cache = mkdtempSync(join(temp, 'cache-'));
    const refused = await runBundle({ ...run, env: { ...run.env, RUNNER_TOOL_CACHE: cache } });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(refused.stdout).toMatch(new RegExp(`is not what trivy-sha256 says.*${trivySha256}.*Nothing of it was run`));
    expect(readdirSync(cache)).toEqual([]);
    const right = {
      ...run,
      inputs: { ...run.inputs, 'trivy-sha256': trivySha256 },
      env: { ...run.env, RUNNER_TOOL_CACHE: cache },
    };
    expect(await runBundle(right)).toMatchObject({ exitCode: 0 });
    const kept = join(cache, 'sluice-trivy', VERSION, ARCHIVE);
    expect(existsSync(kept)).toBe(true);
    writeFileSync(kept, 'somebody wrote here');
    expect(await runBundle(right)).toMatchObject({ exitCode: 0, outputs: { 'scan-verdict': 'pass' } });
    expect(createHash('sha256').update(readFileSync(kept)).digest('hex')).toBe(trivySha256);
  });

  test('post removes the scanner and what it left when main was killed', async () => {
    const { run, image } = await imageOf(trivy('team/killed'));
    says(image.digest, 'hang');
    const folder = mkdtempSync(join(temp, 'run-'));
    const env = { ...run.env, RUNNER_TEMP: folder };
    const trace = () =>
      readdirSync(folder).some((name) => existsSync(join(folder, name, 'trivy', 'temp', 'left-behind')));
    const { clock: _virtual, ...real } = run;
    const running = await startBundle({ ...real, env });
    while (!trace()) await new Promise((waited) => setTimeout(waited, 20));
    running.signal('SIGKILL');
    const killed = await running.result;
    expect(trace()).toBe(true);
    expect(await runBundle({ ...run, env, phase: 'post', state: killed.state })).toMatchObject({ exitCode: 0 });
    expect(trace()).toBe(false);
  });
});
