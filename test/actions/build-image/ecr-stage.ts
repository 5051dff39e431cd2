import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNamedRegistry } from '../../../sandbox/engine/named-registry.ts';
import { REGISTRY_USER, startRegistry } from '../../../sandbox/engine/registry.ts';
import { type SeededImage, seedImage, seedIndex } from '../../../sandbox/engine/seed-image.ts';
import { type Wire, type WireAnswer, type WireCall, refusal, startWire } from '../../adapters/aws/wire.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { COMMIT } from './engine.ts';

export const ECR = '111122223333.dkr.ecr.us-west-2.amazonaws.com';
export const IDENTITY = `sha-${COMMIT}`;
/** When the tested process starts, by its own clock; the image was pushed a minute before. */
export const NOW = Date.UTC(2026, 10, 20, 12);
const seconds = (ms: number): number => ms / 1_000;

/** What ECR says of one digest, look by look; the last is repeated. `*`: of every other. */
export type Scans = Readonly<Record<string, readonly WireAnswer[]>>;

export const completed = (more: object, status = 'COMPLETE'): WireAnswer => ({
  body: {
    imageScanStatus: { status },
    imageScanFindings: { imageScanCompletedAt: seconds(NOW - 30_000), ...more },
  },
});
export const basic = (...findings: readonly [id: string, severity: string, name?: string][]): WireAnswer =>
  completed({
    findings: findings.map(([name, severity, package_ = 'openssl']) => ({
      name,
      severity,
      uri: `https://example.com/${name}`,
      attributes: [
        { key: 'package_name', value: package_ },
        { key: 'package_version', value: '3.0' },
      ],
    })),
  });
export const enhanced = (...findings: readonly [id: string, severity: string, fix: string][]): WireAnswer =>
  completed(
    {
      enhancedFindings: findings.map(([vulnerabilityId, severity, fixAvailable]) => ({
        severity,
        fixAvailable,
        status: 'ACTIVE',
        title: `${vulnerabilityId} - zlib`,
        packageVulnerabilityDetails: {
          vulnerabilityId,
          vulnerablePackages: [{ name: 'zlib', version: '1.2', fixedInVersion: fixAvailable === 'YES' ? '1.3' : '' }],
        },
      })),
    },
    'ACTIVE',
  );
export const status = (word: string, description = ''): WireAnswer => ({
  body: { imageScanStatus: { status: word, description } },
});
export const denied: WireAnswer = refusal(
  'AccessDeniedException',
  'User: arn:aws:sts::111122223333:assumed-role/build/s is not authorized to perform: ecr:DescribeImageScanFindings',
);

export interface EcrStage {
  /** An image with the labels of this commit, as an earlier run pushed it: nothing has to be built. */
  seed(repository: string, options?: { readonly tag?: string; readonly content?: string }): Promise<SeededImage>;
  seedPlatforms(
    repository: string,
  ): Promise<{ readonly index: SeededImage; readonly children: readonly SeededImage[] }>;
  run(repository: string, run: StageRun): Promise<StageResult>;
  tagOf(repository: string, tag: string): Promise<string | null>;
  close(): Promise<void>;
}

export interface StageRun {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly scans: Scans;
  /** Files of the default branch. */
  readonly trusted?: Readonly<Record<string, string>>;
}

export type StageResult = BundleResult & {
  readonly calls: readonly WireCall[];
  /** By name; of RUNNER_TEMP, before it is removed. */
  file(path: string | undefined): unknown;
};

/** A registry under a name of ECR, with the calls of its API answered as a test wants them. */
export async function openEcrStage(): Promise<EcrStage> {
  const registry = await startRegistry('basic');
  const named = await startNamedRegistry(ECR, registry.host);
  const authorization = `Basic ${Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64')}`;
  const labels = {
    'org.opencontainers.image.revision': COMMIT,
    'sluice.inputs-sha256': await inputsOf(named.env),
  };
  const at = (repository: string) => ({ host: registry.host, repository, labels, headers: { authorization } });
  return {
    seed: (repository, { tag = IDENTITY, content = repository } = {}) => seedImage({ ...at(repository), tag, content }),
    async seedPlatforms(repository) {
      const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
      const images = await Promise.all(
        platforms.map(async (platform) => ({ platform, image: await seedImage({ ...at(repository), platform }) })),
      );
      const index = await seedIndex({ ...at(repository), tag: IDENTITY }, images);
      return { index, children: images.map(({ image }) => image) };
    },
    async run(repository, { inputs = {}, scans, trusted = {} }) {
      const wire = await startWire(answersOf(scans, trusted));
      const temp = mkdtempSync(join(tmpdir(), 'sluice-scan-'));
      try {
        const result = await runBundle({
          action: 'build-image',
          inputs: { ...sharedBy(repository), scan: 'ecr', token: 'job-token', ...inputs },
          env: { ...environment(named.env), ...addresses(wire), RUNNER_TEMP: temp },
          files: { Dockerfile: 'FROM scratch\n' },
          clock: { lockStepFrom: NOW },
        });
        const paths = [result.outputs['evidence-file'], result.outputs['sarif']].filter((path) => path);
        const files = new Map(paths.map((path) => [path, JSON.parse(readFileSync(path ?? '', 'utf8')) as unknown]));
        return { ...result, calls: wire.calls, file: (path) => files.get(path) };
      } finally {
        await wire.close();
        rmSync(temp, { recursive: true });
      }
    },
    async tagOf(repository, tag) {
      const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
        method: 'HEAD',
        headers: {
          authorization,
          accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json',
        },
      });
      return answer.headers.get('docker-content-digest');
    },
    async close() {
      await Promise.all([named.close(), registry.stop()]);
    },
  };
}

const sharedBy = (repository: string) => ({ repository, registry: ECR, tags: 'type=ref,event=branch' });
const environment = (env: Readonly<Record<string, string>>) => ({
  ...env,
  GITHUB_EVENT_NAME: 'push',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_SHA: COMMIT,
  AWS_REGION: 'us-west-2',
  AWS_ACCESS_KEY_ID: 'AKIA1',
  AWS_SECRET_ACCESS_KEY: 'secret-1',
});
const addresses = ({ url }: Wire) => ({ AWS_ENDPOINT_URL: url, GITHUB_API_URL: url });

/** Of the inputs that all runs of the stage share: they are in a label, by which a run knows its image. */
async function inputsOf(env: Readonly<Record<string, string>>): Promise<string> {
  const planned = await runBundle({
    action: 'build-image',
    inputs: { ...sharedBy('any'), 'dry-run': 'true' },
    env: environment(env),
  });
  const [, hash = ''] = /^sluice\.inputs-sha256=(\w+)$/m.exec(planned.outputs['labels'] ?? '') ?? [];
  if (hash === '') throw new Error(`the dry run gave no hash of the inputs:\n${planned.stdout}${planned.stderr}`);
  return hash;
}

/** ECR, STS, the files of the default branch, and who gives the tokens by which a job assumes a role. */
export function answersOf(
  scans: Scans,
  trusted: Readonly<Record<string, string>>,
  account = '111122223333',
): (call: WireCall) => WireAnswer {
  const looks = new Map<string, number>();
  return ({ operation, body, url }) => {
    if (url.startsWith('/id-token')) return { body: { value: 'header.payload.signature' } };
    const file = Object.entries(trusted).find(([path]) => url.includes(`/contents/${path}`));
    if (file !== undefined)
      return { body: { type: 'file', encoding: 'base64', content: Buffer.from(file[1]).toString('base64') } };
    switch (operation) {
      case 'GetCallerIdentity':
        return {
          body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::${account}:assumed-role/build/s</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
        };
      case 'AssumeRoleWithWebIdentity':
        return {
          body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>secret-of-role</SecretAccessKey><SessionToken>session-of-role</SessionToken><Expiration>${new Date(NOW + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
        };
      case 'GetAuthorizationToken': {
        const token = Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64');
        return { body: { authorizationData: [{ authorizationToken: token }] } };
      }
      case 'DescribeImages':
        return { body: { imageDetails: [{ imagePushedAt: seconds(NOW - 60_000) }] } };
      case 'DescribeImageScanFindings': {
        const { imageId } = JSON.parse(body) as { imageId: { imageDigest: string } };
        const look = looks.get(imageId.imageDigest) ?? 0;
        looks.set(imageId.imageDigest, look + 1);
        const said = scans[imageId.imageDigest] ?? scans['*'] ?? [];
        return said[Math.min(look, said.length - 1)] ?? refusal('ScanNotFoundException', 'no scan');
      }
      case 'StartImageScan':
        return { body: { imageScanStatus: { status: 'IN_PROGRESS' } } };
      default:
        return { status: 404, body: { message: 'Not Found' } };
    }
  };
}
