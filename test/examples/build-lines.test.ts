import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Engine, startEngine } from '../../sandbox/engine/engine.ts';
import { type NamedRegistry, startNamedRegistry } from '../../sandbox/engine/named-registry.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../sandbox/engine/registry.ts';
import { type Scans, NOW, answersOf, basic } from '../actions/build-image/ecr-stage.ts';
import { startWire } from '../adapters/aws/wire.ts';
import { needs } from '../harness/needs.ts';
import { runBundle } from '../harness/run-bundle.ts';
import { ROOT } from '../rules/tracked.ts';

const LIMIT = 120_000;
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const ECR = (region: string): string => `444444444444.dkr.ecr.${region}.amazonaws.com`;

interface Line {
  readonly system: string;
  /** Of its stage, whose role pushes. */
  readonly account: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly event: Readonly<Record<string, string>>;
}

const read = (path: string): string => readFileSync(join(ROOT, 'examples', path), 'utf8');
/** What the team's workflow hands on to build-image; `build-stage` of the pipeline is its `stage`. */
function given(path: string, job: string): Readonly<Record<string, string>> {
  const { jobs } = parse(read(path)) as { jobs: Record<string, { with: Record<string, string> }> };
  const { 'build-stage': stage, ...inputs } = jobs[job]?.with ?? {};
  return stage === undefined ? inputs : { ...inputs, stage };
}

const WESIGN: Line = {
  system: 'wesign-charts',
  account: '111111111111',
  inputs: given('wesign-charts/.github/workflows/build-and-release.yml', 'release'),
  event: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/tags/v1.4.2' },
};
const ACCUNODE: Line = {
  system: 'accunode',
  account: '222222222222',
  inputs: given('accunode/.github/workflows/build.yml', 'build'),
  event: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main' },
};

// The build lines of two systems, with the inputs of their own workflows and their own sluice.yml: a real engine, a real
// registry under the name of ECR, and the calls of ECR and STS answered as AWS documents them.
needs('engine')('a build line', () => {
  let registry: Registry;
  let named: NamedRegistry;
  let engine: Engine;
  beforeAll(async () => {
    registry = await startRegistry('basic');
    named = await startNamedRegistry([ECR('us-west-2'), ECR('us-east-1')], registry.host);
    const { NODE_EXTRA_CA_CERTS: root = '', ...proxy } = named.env;
    engine = await startEngine({ ...proxy, SSL_CERT_FILE: root });
  }, LIMIT);
  afterAll(() => Promise.all([engine?.stop(), named?.close(), registry?.stop()]));

  const authorization = `Basic ${Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64')}`;
  const digestOf = async (repository: string, tag: string): Promise<string | null> => {
    const accept = 'application/vnd.docker.distribution.manifest.v2+json';
    const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { authorization, accept },
    });
    return answer.headers.get('docker-content-digest');
  };

  async function built(line: Line, { scans = { '*': [basic()] }, env = {} }: { scans?: Scans; env?: Readonly<Record<string, string>> } = {}) {
    const wire = await startWire(answersOf(scans, { '.github/scan-ignore.yml': read('accunode/.github/scan-ignore.yml') }, line.account));
    const run = await runBundle({
      action: 'build-image',
      inputs: { token: 'job-token', ...line.inputs },
      files: {
        Dockerfile: 'FROM scratch\nCOPY page.txt /page.txt\n',
        'page.txt': line.system,
        'sluice.yml': read(`${line.system}/sluice.yml`),
      },
      env: {
        ...engine.env,
        ...named.env,
        ...line.event,
        GITHUB_SHA: COMMIT,
        AWS_ENDPOINT_URL: wire.url,
        GITHUB_API_URL: wire.url,
        ACTIONS_ID_TOKEN_REQUEST_URL: `${wire.url}/id-token?x=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
        ...env,
      },
      clock: { lockStepFrom: NOW },
      timeout: LIMIT,
    });
    await wire.close();
    return { ...run, calls: wire.calls };
  } // prettier-ignore

  describe('of wesign-charts', () => {
    test('checks its prerequisites first, and says what is missing in one message', async () => {
      const run = await built(WESIGN, { env: { PATH: '/nowhere', ACTIONS_ID_TOKEN_REQUEST_URL: '' } });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
      expect(run.annotations[0]?.message).toMatch(/2 problems.*repository: .*id-token: write.*engine: no docker is on PATH/s);
      expect(await digestOf('wesign/charts', '1.4.2')).toBeNull();
    }, LIMIT); // prettier-ignore

    test('logs in to ECR, builds, scans, tags by version and pushes', async () => {
      const run = await built(WESIGN);
      expect(run.annotations.filter(({ level }) => level === 'error')).toEqual([]);
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed', version: '1.4.2', 'scan-verdict': 'pass' } });
      const { digest } = run.outputs;
      expect(await Promise.all(['1.4.2', '1.4', 'latest'].map((tag) => digestOf('wesign/charts', tag)))).toEqual(Array(3).fill(digest));
      expect(JSON.parse(run.outputs['images'] ?? '')).toEqual({ charts: { repository: 'wesign/charts', tag: '1.4.2', digest } });
      const asked = run.calls.find(({ operation }) => operation === 'GetAuthorizationToken');
      expect(JSON.parse(asked?.body ?? '')).toEqual({ registryIds: ['444444444444'] });
      expect(run.calls.find(({ operation }) => operation === 'AssumeRoleWithWebIdentity')?.body).toContain('wesign-charts-deploy');
      expect([run.stdout.replaceAll(/^::add-mask::.*$/gm, ''), run.stderr, JSON.stringify(run.outputs)].join()).not.toContain(REGISTRY_USER.password);
    }, LIMIT); // prettier-ignore
  });

  describe('of accunode', () => {
    const accepted: [id: string, severity: string] = ['CVE-2026-1234', 'CRITICAL'];
    test('from the commit to ECR: findings above the limit block, and nothing has a tag to deploy', async () => {
      const run = await built(ACCUNODE, { scans: { '*': [basic(accepted, ['CVE-2026-9', 'HIGH'])] } });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked', images: '', 'scan-verdict': 'fail', changed: 'true' } });
      expect(run.annotations.map(({ message }) => message).join('\n')).toMatch(/0 critical, 1 high.*high 1 > 0/);
      expect(await digestOf('accunode/api', `sha-${COMMIT}`)).toBe(run.outputs['digest']);
      expect(await digestOf('accunode/api', 'main')).toBeNull();
    }, LIMIT); // prettier-ignore

    test('the finding that its file accepts does not: the image of the same commit gets its tags, without another build', async () => {
      const run = await built(ACCUNODE, { scans: { '*': [basic(accepted)] } });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
      expect(run.summary).toMatch(/CVE-2026-1234 .*ignored/);
      const { digest } = run.outputs;
      expect(await Promise.all(['main', 'sha-0123456'].map((tag) => digestOf('accunode/api', tag)))).toEqual([digest, digest]);
    }, LIMIT); // prettier-ignore
  });
});
