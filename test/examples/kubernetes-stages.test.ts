import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGitHub } from '../../sandbox/github/front.ts';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import { EKS_REGION, type EksApi, startEksApi } from '../../sandbox/kubernetes/eks/aws-api.ts';
import { type AwsIdentity, EKS_CLUSTER } from '../../sandbox/kubernetes/eks/identity.ts';
import { HFT_PRODUCTION, HFT_STAGING, type Place, type System, openPlace, tagged } from '../harness/kubernetes.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, type BundleRun, runBundle } from '../harness/run-bundle.ts';
import { type Texts, callOf, stepOf, under } from './workflow-steps.ts';

const FOLDER = join(import.meta.dirname, '../../examples/hft-platform');

/** hft-platform's steps as its workflows have them: a stage, what the build hands on, and nothing else. */
needs('kubernetes')('the stages of hft-platform, on EKS', () => {
  let cluster: Cluster;
  let aws: EksApi;
  let deployer: AwsIdentity;
  const places: Place[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  const binding = `hft-${process.pid}`;
  const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    deployer = cluster.awsUser('hftdeploy');
    aws = await startEksApi(cluster, [deployer]);
    await cluster.admin.api.create(bindings, {
      metadata: { name: binding },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: deployer.arn }],
    });
  }, 200_000);
  afterAll(async () => {
    await Promise.all([...places.map((place) => place.close()), ...closers.map((close) => close())]);
    await cluster?.admin.api.delete(`${bindings}/${binding}`);
    await aws?.close();
    await cluster?.stop();
  });

  /** The sandbox has one cluster, one region and no OIDC; the rest of the file is the team's. */
  async function openStage(stage: string, system: System, more: (config: string) => string = (config) => config) {
    const place = await openPlace(system, { cluster });
    places.push(place);
    const config = readFileSync(join(FOLDER, 'sluice.yml'), 'utf8')
      .replaceAll(/eks-cluster: .*/g, `eks-cluster: ${EKS_CLUSTER}`)
      .replaceAll(/^ *role-to-assume: .*\n/gm, '')
      .replace(/region: .*/, `region: ${EKS_REGION}`)
      .replace(`namespace: ${system.namespace}\n`, `namespace: ${place.namespace}\n`);
    const set = Object.entries(place.files).map(
      ([path, text]) => [path.replace('k8s/', `k8s/${stage}/`), text] as const,
    );
    const files: Texts = { 'sluice.yml': more(config), ...Object.fromEntries(set) };
    const run = (inputs: Texts, { files: others, env, ...rest }: Partial<BundleRun> = {}): Promise<BundleResult> =>
      runBundle({
        action: 'deploy-k8s',
        inputs: { stage, ...inputs },
        files: { ...files, ...others },
        env: { ...aws.environmentOf(deployer), ...env },
        ...rest,
      });
    return { place, files, run };
  }
  const SECRETS = 'API_KEY=value-of-api-key\nSESSION_SECRET=value-of-session-secret';
  const built = (tag: string): Texts => ({
    images: JSON.stringify({
      frontend: { repository: 'hft-platform/frontend', digest: tagged(tag).split('@')[1], tag },
    }),
    'pinned-tag': tagged(tag),
    'secret-values': SECRETS,
  });

  /** What deploy.yml gives its steps when the team's release.yml calls it for staging. */
  function released(tag: string) {
    const { images, 'pinned-tag': pinned } = built(tag);
    const asked = { 'inputs.images': images ?? '', 'inputs.pinned-tag': pinned ?? '' };
    const given = { ...asked, 'secrets.STAGING_SECRET_VALUES': SECRETS };
    const { workflow, known } = callOf('examples/hft-platform/.github/workflows/release.yml', 'staging', given);
    const step = (id: string, more = known) => {
      const { action, inputs } = stepOf(workflow, id, more);
      expect([workflow, action]).toEqual(['deploy.yml', 'deploy-k8s']);
      return inputs;
    };
    return { known, step };
  }

  test('staging is released to, rolled back, scaled and looked at', async () => {
    const { place, run } = await openStage('staging', HFT_STAGING);
    expect((await run(released('1.0.0').step('deploy-k8s'))).outputs).toMatchObject({ outcome: 'succeeded' });
    const { known, step } = released('1.1.0');
    const second = await run(step('deploy-k8s'));
    expect(second.outputs).toMatchObject({ outcome: 'succeeded', configured: '1', 'previous-revision': '1' });
    expect(await place.truth()).toMatchObject({ tag: '1.1.0', replicas: 2, isComplete: true });
    // Its smoke test is red.
    const back = step('go-back-k8s', { ...known, ...under('steps.deploy-k8s.outputs', second.outputs) });
    expect(back).toMatchObject({ mode: 'rollback', to: 'revision:1', stage: 'staging' });
    expect((await run(back)).outputs).toMatchObject({ outcome: 'rolled-back', release: '1.0.0' });
    expect((await run({ mode: 'scale', replicas: '+1' })).outputs).toMatchObject({ outcome: 'succeeded' });
    expect(await place.truth()).toMatchObject({ tag: '1.0.0', replicas: 3, isComplete: true });
    expect((await run({ mode: 'status' })).stdout).toContain('all ready');
  }, 120_000);

  test('production is planned without the kind that no cluster serves', async () => {
    const { place, run } = await openStage('production', HFT_PRODUCTION);
    const plan = await run({ mode: 'diff', ...built('1.0.0') });
    expect(plan.outputs).toMatchObject({ changed: 'false' });
    expect(plan.stdout).toContain(`Deployment ${place.namespace}/hft-frontend`);
    expect(plan.stdout).not.toContain('PodSecurityPolicy');
  }, 60_000);

  const HFT = 'examples/hft-platform/.github/workflows';

  /** Production as one run of release.yml, and what operate.yml does there after it, in lock-step time: half an hour is seconds. */
  async function openProduction() {
    let now = Date.now();
    const users = await usersOf();
    const backups = await mkdtemp(join(tmpdir(), 'sluice-hft-'));
    closers.push(users.close, () => rm(backups, { recursive: true, force: true }));
    // Here no Prometheus operator is installed; what is new is in the file of the systems' manifests.
    const stage = await openStage('production', HFT_PRODUCTION, (config) =>
      config
        .replace('https://hft-platform.com', users.url)
        .replace('s3://hft-backups/production', backups)
        .replace(/^ *- k8s\/production\/monitoring.yml\n/m, ''),
    );
    // WebSockets do not stop the clock: checks-and-loads.test.ts has theirs.
    const checks = readFileSync(join(FOLDER, 'checks.yml'), 'utf8').replace(/^.*ws: .*\n/m, '');
    const step = async (workflow: string, id: string, known: Texts, more: Texts = {}) => {
      const { action, inputs } = stepOf(workflow, id, known);
      const files = { 'checks.yml': checks };
      const clock = { lockStepFrom: now };
      const result = await stage.run({ ...inputs, ...more }, { action, files, clock, env: ENV, timeout: 120_000 });
      // The longest that a step of this line takes.
      now += 40 * 60_000;
      return result;
    };
    return {
      ...stage,
      users,
      async gate(known: Texts) {
        const { workflow, known: given } = callOf(`${HFT}/release.yml`, 'approve', known);
        const hub = await startGitHub({
          repository: ENV.GITHUB_REPOSITORY,
          people: { alice: 'write', bob: 'write', dave: 'write' },
        });
        hub.setRun({ id: '1', actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: ENV.GITHUB_SHA });
        hub.world.beginAt(now);
        const issues = `POST /repos/${ENV.GITHUB_REPOSITORY}/issues`;
        hub.afterNext(issues, async (data) => {
          const { number } = data as { number: number };
          await hub.as('alice', `${issues}/${number}/comments`, { body: 'approve' });
        });
        const { action, inputs } = stepOf(workflow, 'approval-gate', given);
        const asked = { ...inputs, token: hub.tokens['github-actions'] ?? '' };
        const env = { ...ENV, GITHUB_API_URL: hub.url };
        const result = await stage.run(asked, { action, env, clock: { lockStepFrom: now } });
        await hub.close();
        return result;
      },
      release: (known: Texts, name: string, more: Texts = {}) => step(`${HFT}/release.yml`, name, known, more),
      operate: (inputs: Texts) =>
        step(`${HFT}/operate.yml`, 'deploy-k8s', {
          ...under('inputs', { stage: 'production', ...inputs }),
          'secrets.BACKUP_KEY': BACKUP_KEY,
        }),
    };
  }

  test('production is approved, backed up, released and judged for 30 minutes, taken back when users fail, and operated', async () => {
    const line = await openProduction();
    const released = async (tag: string) => {
      const { images = '', 'pinned-tag': pinned = '' } = built(tag);
      const given = {
        'inputs.images': images,
        'inputs.pinned-tag': pinned,
        'secrets.SECRET_VALUES': SECRETS,
        'secrets.BACKUP_KEY': BACKUP_KEY,
      };
      const gate = await line.gate(given);
      expect([gate.annotations.map(({ message }) => message), gate.outputs]).toMatchObject([
        [],
        { outcome: 'approved', 'approved-by': 'alice' },
      ]);
      const backup = await line.release(given, 'Back up the namespace');
      expect(backup).toMatchObject({ annotations: [], outputs: { outcome: 'succeeded' } });
      const known = { ...given, 'needs.approve.outputs.approval': gate.outputs['approval'] ?? '' };
      return { given, deploy: (more: Texts = {}) => line.release(known, DEPLOY, more) };
    };
    // A backup of nothing is refused, so production is there.
    const there = await line.run({ 'require-approval': 'false', ...built('2.0.0') }, { env: ENV });
    expect(there.outputs).toMatchObject({ outcome: 'succeeded', revision: '1' });

    const second = await released('2.1.0');
    // Without the grant of the gate nothing is written.
    const refused = await line.release(second.given, DEPLOY);
    expect(refused).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    // Half an hour of good users costs ten seconds: by default they are shorter, and the red release has it as it is written.
    const good = await second.deploy(ALL ? {} : { recheck: '6m' });
    expect(good).toMatchObject({ annotations: [], outputs: { outcome: 'succeeded', revision: '2' } });
    expect(good.stdout).toContain('health: passed');
    expect(good.stdout).toContain(`Judging by 2 rules for ${ALL ? '30m' : '6m'}`);
    expect(await line.place.truth()).toMatchObject({ tag: '2.1.0', replicas: 6, isComplete: true });

    const third = await released('2.2.0');
    line.users.failAfter(40);
    const red = await third.deploy();
    expect(red).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(red.stdout).toContain('Judging by 2 rules for 30m');
    expect(red.annotations.at(-1)?.message).toMatch(/a rule failed after the deployment: error-rate .* > 5 %/);
    expect(await line.place.truth()).toMatchObject({ tag: '2.1.0', replicas: 6, isComplete: true });

    line.users.failAfter(Number.POSITIVE_INFINITY);
    const back = await line.operate({ mode: 'rollback', to: 'revision:1', replicas: '9', restore: 'latest' });
    expect(back).toMatchObject({ exitCode: 0, annotations: [], outputs: { outcome: 'rolled-back' } });
    expect(back.stdout).toContain('health: passed');
    expect(await line.place.truth()).toMatchObject({ tag: '2.0.0', replicas: 6, isComplete: true });
    expect((await line.operate({ mode: 'status', to: '', replicas: '', restore: '' })).stdout).toContain('all ready');
  }, 240_000);
});

const ENV = {
  GITHUB_REPOSITORY: 'hft-platform/app',
  GITHUB_RUN_ID: '1',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_SHA: 'c0ffee01'.repeat(5),
};
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const DEPLOY = 'Deploy, and watch for 30 minutes';
const BACKUP_KEY = 'the-passphrase-of-the-team';

/** Where the users' requests go: what answers them is the test's. */
async function usersOf() {
  let left = Number.POSITIVE_INFINITY;
  const server = createServer((_request, response) => response.writeHead(left-- > 0 ? 200 : 500).end());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** 500 after so many good answers. */
    failAfter: (answers: number) => (left = answers),
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  };
}
