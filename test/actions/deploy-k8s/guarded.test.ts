import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { mainOnly, onceItSays } from '../../harness/interrupt.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const AUTOSCALER = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 2
  maxReplicas: 6
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } } }]
`;
const HOOK = `apiVersion: batch/v1
kind: Job
metadata: { name: migrate, annotations: { helm.sh/hook: pre-upgrade } }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: m, image: 'team/m:1' }] } } }
`;

needs('kubernetes')('deploy-k8s', () => {
  let scene: Scene;
  let tools: string;
  beforeAll(async () => {
    scene = await openScene('guarded');
    tools = await mkdtemp(join(tmpdir(), 'sluice-tools-'));
  }, 300_000);
  afterAll(async () => {
    await scene?.close();
    await rm(tools, { recursive: true, force: true });
  });

  test('releases nothing without the approval that is required', async () => {
    const images = JSON.stringify({ web: { repository: 'team/web', digest: `sha256:${'ab'.repeat(32)}` } });
    const asked = { images, registry: 'registry.example.com', environment: 'production', 'require-approval': 'true' };
    const run = await scene.run(asked);
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toMatch(/approval/);
    expect(await scene.live(`/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`)).toBeUndefined();
  }, 60_000);

  test('is refused while another run holds the lease, and takes that of a runner that is dead', async () => {
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${scene.namespace}/leases`;
    const spec = (age: number) => ({
      holderIdentity: '999/1',
      leaseDurationSeconds: 60,
      renewTime: new Date(Date.now() - age).toISOString().replace('Z', '000Z'),
    });
    const { api } = scene.cluster.admin;
    await api.create(leases, { metadata: { name: 'sluice-web' }, spec: spec(0) });
    const refused = await scene.run({ 'release-id': 'v1' });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(refused.annotations[0]?.message).toContain(
      `Could not release web in ${scene.namespace}: run 999/1 releases web`,
    );
    await api.merge(`${leases}/sluice-web`, { spec: spec(61_000) });
    const taken = await scene.run({ 'release-id': 'v1' }, setOf({ more: AUTOSCALER }));
    expect(taken).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
  }, 120_000);

  /** A run that waits for another one's lease; what happens meanwhile, and then that one gives it back. */
  async function whileItWaits(step: BundleRun, meanwhile: () => Promise<unknown>): Promise<BundleResult> {
    const { api } = scene.cluster.admin;
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${scene.namespace}/leases/sluice-web`;
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    await api.merge(lease, { spec: { holderIdentity: '999/1', renewTime } });
    return mainOnly(
      step,
      onceItSays(/Waiting: run 999\/1 releases web/, async () => {
        await meanwhile();
        await api.merge(lease, { spec: { holderIdentity: '' } });
      }),
    );
  }

  test('looks again after a wait for another run: what that one changed is not what was approved', async () => {
    const { api } = scene.cluster.admin;
    const set = setOf({ tag: '2', config: 'two', more: AUTOSCALER });
    const plan = await scene.run({ mode: 'diff', 'field-conflicts': 'force' }, set);
    const approved = { 'expect-diff': plan.outputs['plan-sha256'] ?? '', 'field-conflicts': 'force' };
    const wish = { 'release-id': 'v2', 'on-conflict': 'wait', ...approved };
    const config = `/api/v1/namespaces/${scene.namespace}/configmaps/web-config`;
    const run = await whileItWaits(scene.step(wish, set), () => api.merge(config, { data: { GREETING: 'theirs' } }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(run.annotations.at(-1)?.message).toContain('the plan is not the one that was approved');
    expect(await scene.truth()).toMatchObject({ config: 'theirs' });
  }, 120_000);

  test('counts its time from its first write, not from the wait for another run', async () => {
    const wish = { 'release-id': 'v1', 'on-conflict': 'wait', 'field-conflicts': 'force', timeout: '1m' };
    const step = scene.step(wish, setOf({ config: 'waited', more: AUTOSCALER }));
    // The other one is dead: after a minute, which passes at once here, its lease is free.
    const run = await whileItIsDead(step);
    expect(run.stdout).toContain('Waiting: run 999/1 releases web');
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
  }, 120_000);

  async function whileItIsDead(step: BundleRun): Promise<BundleResult> {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${scene.namespace}/leases/sluice-web`;
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    await scene.cluster.admin.api.merge(lease, { spec: { holderIdentity: '999/1', renewTime } });
    return runBundle({ ...step, clock: { lockStepFrom: Date.now() } });
  }

  test('leaves the count to an autoscaler', async () => {
    const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web/scale`;
    await scene.cluster.admin.api.merge(path, { spec: { replicas: 4 } });
    const run = await scene.run({ 'release-id': 'v2' }, setOf({ tag: '2', more: AUTOSCALER }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toMatch(/Deployment \S+\/web: \.spec\.replicas is left to /);
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:2', ready: 4 });
    const forced = await scene.run(
      { 'release-id': 'v3', 'field-conflicts': 'force' },
      setOf({ tag: '2', more: AUTOSCALER, config: 'forced' }),
    );
    expect(forced).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.truth()).toMatchObject({ config: 'forced', ready: 4 });
  }, 120_000);

  /** A stand-in for the program: it prints what the real one would, so that only our side of it is tried. */
  async function standIn(name: string, script: string): Promise<Record<string, string>> {
    await writeFile(join(tools, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(tools, name), 0o755);
    return { PATH: `${tools}:/usr/bin:/bin` };
  }
  const rendered = (text: string) => ({ 'overlay/rendered.yml': text });

  test('takes what kustomize and helm print, and applies no hook', async () => {
    const files = rendered(setOf({ tag: '3', more: HOOK }));
    const byKustomize = await scene.run({ mode: 'diff', manifests: '', kustomize: 'overlay' }, '', {
      files,
      env: await standIn('kustomize', '[ "$1" = build ] && cat "$2/rendered.yml"'),
    });
    expect(byKustomize).toMatchObject({ exitCode: 0, outputs: { outcome: 'diff' } });
    expect(byKustomize.stdout).toContain('team/web:2 -> registry.example.com/team/web:3');
    const chart = { mode: 'diff', manifests: '', helm: 'overlay', 'helm-values': 'a.yml' };
    const byHelm = await scene.run(chart, '', {
      files,
      env: await standIn('helm', 'echo "# $*"; cat "$3/rendered.yml"'),
    });
    expect(byHelm.stdout).toContain('team/web:2 -> registry.example.com/team/web:3');
    expect(byHelm.stdout).toContain('is a Helm hook (pre-upgrade) and is not applied');
    expect(byHelm.stdout).not.toContain('create Job');
  }, 120_000);

  test('says what the program said that failed, and which one is missing', async () => {
    const asked = { mode: 'diff', manifests: '', helm: 'overlay' };
    const failed = await scene.run(asked, '', { env: await standIn('helm', 'echo "no such value: port" >&2; exit 1') });
    expect(failed.annotations[0]?.message).toContain('Could not render the chart overlay: no such value: port.');
    const missing = await scene.run({ mode: 'diff', manifests: '', kustomize: 'overlay' }, '', {
      env: { PATH: '/nowhere' },
    });
    expect(missing.annotations[0]?.message).toContain('the runner has neither kustomize nor kubectl');
  }, 60_000);
});
