import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { type Scene, openScene } from './scene.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const BY_KUBECTL = 'kubectl-client-side-apply';

/** An app that people applied by kubectl, and that Sluice releases from now on. */
needs('kubernetes')('over an app that kubectl applied', () => {
  let scene: Scene;
  let folder: string;
  beforeAll(async () => {
    scene = await openScene('adopted');
    folder = await mkdtemp(join(tmpdir(), 'sluice-adopted-'));
  }, 300_000);
  afterAll(async () => {
    await scene?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const said = ({ stdout, annotations }: BundleResult): string =>
    `${stdout}${annotations.map(({ message }) => message).join('\n')}`;
  const maps = () => `/api/v1/namespaces/${scene.namespace}/configmaps`;
  const deployments = () => `/apis/apps/v1/namespaces/${scene.namespace}/deployments`;
  const made = (path: string, manager: string, object: object) =>
    scene.cluster.admin.api.request('POST', `${path}?fieldManager=${manager}`, object);
  const merged = (path: string, manager: string, change: object) =>
    scene.cluster.admin.api.request(
      'PATCH',
      `${path}?fieldManager=${manager}`,
      JSON.stringify(change),
      'application/merge-patch+json',
    );
  const specOf = async (name: string) =>
    ((await scene.live(`${deployments()}/${name}`)) as unknown as { readonly spec: Record<string, unknown> }).spec;

  const workload = (name: string, tag: string, more: string, pod = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  ${more}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      ${pod}
      terminationGracePeriodSeconds: 1
      containers: [{ name: c, image: 'x/y:${tag}' }]
`;
  const object = (name: string, image: string, spec: object, pod: object = {}): object => ({
    metadata: { name, annotations: { [LAST_APPLIED]: '{}' } },
    spec: {
      ...spec,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image }], ...pod },
      },
    },
  });
  const config = (name: string, data: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: ${data}\n`;
  const autoscaler = (name: string): string => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: ${name} }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: ${name} }
  minReplicas: 1
  maxReplicas: 9
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } } }]
`;

  test('what a release that fails has taken away comes back', async () => {
    const annotations = { [LAST_APPLIED]: '{"kept":"by kubectl"}', note: 'theirs' };
    await made(maps(), BY_KUBECTL, { metadata: { name: 'settings', annotations }, data: { a: '1', gone: 'yes' } });
    const spec = { replicas: 1, minReadySeconds: 2, strategy: { type: 'Recreate' } };
    await made(
      deployments(),
      BY_KUBECTL,
      object('old', 'x/y:1', spec, { nodeSelector: { 'kubernetes.io/os': 'linux' } }),
    );
    const set = `${config('settings', '{ a: "2" }')}---\n${workload('old', '2-missing-image', 'replicas: 1')}`;
    // A second time too, when all of it is of the first one's manager.
    for (const release of ['v1', 'v2']) {
      const run = await scene.run({ 'release-id': release }, set);
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(await scene.live(`${maps()}/settings`)).toMatchObject({
        metadata: { annotations },
        data: { a: '1', gone: 'yes' },
      });
      expect(await specOf('old')).toMatchObject({
        ...spec,
        template: { spec: { nodeSelector: { 'kubernetes.io/os': 'linux' }, containers: [{ image: 'x/y:1' }] } },
      });
    }
  }, 120_000);

  test('what a good release has taken away comes back by a roll back', async () => {
    await scene.run({ 'release-id': 'v3' }, config('own', '{ a: "1" }'));
    await made(maps(), BY_KUBECTL, { metadata: { name: 'theirs' }, data: { a: '1', gone: 'yes' } });
    const set = `${config('own', '{ a: "2" }')}---\n${config('theirs', '{ a: "2" }')}`;
    const taken = await scene.run({ 'release-id': 'v4' }, set);
    expect(taken).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(((await scene.live(`${maps()}/theirs`)) as unknown as { data: object }).data).toEqual({ a: '2' });
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v3' } });
    expect(await scene.live(`${maps()}/theirs`)).toMatchObject({ data: { a: '1', gone: 'yes' } });
  }, 120_000);

  test('the plan shows what goes, and what the server fills in again is not said to', async () => {
    const spec = { replicas: 3, minReadySeconds: 2 };
    await made(
      deployments(),
      BY_KUBECTL,
      object('shown', 'x/y:1', spec, { nodeSelector: { 'kubernetes.io/os': 'linux' } }),
    );
    const set = `${config('own', '{ a: "1" }')}---\n${workload('shown', '1', '')}`;
    const asked = { app: 'shown', 'field-conflicts': 'force' };
    const plan = await scene.run({ ...asked, mode: 'diff' }, set);
    const lines = [...plan.stdout.matchAll(/^ {4}(\.spec\S+): (\S+) -> (\S+)/gm)].map(([, ...each]) => each);
    expect(lines).toEqual([
      ['.spec.minReadySeconds', '2', 'none'],
      ['.spec.replicas', '3', '1'],
      ['.spec.template.spec.nodeSelector', '{"kubernetes.io/os":"linux"}', 'none'],
    ]);
    const approved = await scene.run({ ...asked, 'expect-diff': plan.outputs['plan-sha256'] ?? '' }, set);
    expect(approved).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const { minReadySeconds, replicas } = await specOf('shown');
    expect([minReadySeconds, replicas]).toEqual([undefined, 1]);
  }, 120_000);

  test('what somebody changed since by kubectl set is refused before the first write, and no image is given up', async () => {
    await made(deployments(), BY_KUBECTL, object('hotfix', 'x/y:1', { replicas: 1 }));
    await merged(`${deployments()}/hotfix`, 'kubectl-annotate', { metadata: { annotations: { owner: 'people' } } });
    const containers = [{ name: 'c', image: 'x/y:hotfix' }];
    await merged(`${deployments()}/hotfix`, 'kubectl-set', { spec: { template: { spec: { containers } } } });
    const set = `${config('first', '{ a: "1" }')}---\n${workload('hotfix', '2', 'replicas: 1')}`;
    const refused = await scene.run({ app: 'hotfix' }, set);
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(said(refused)).toContain(
      'has fields that others own: .spec.template.spec.containers[name="c"].image (kubectl-set)',
    );
    const left = await scene.run({ app: 'hotfix', 'field-conflicts': 'yield' }, set);
    expect(left).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(said(left)).toContain('would leave its image to kubectl-set');
    expect(await scene.live(`${maps()}/first`)).toBeUndefined();
    const taken = await scene.run({ app: 'hotfix', 'field-conflicts': 'force' }, set);
    expect(taken).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.live(`${deployments()}/hotfix`)).toMatchObject({
      metadata: { annotations: { owner: 'people' } },
      spec: { template: { spec: { containers: [{ image: 'x/y:2' }] } } },
    });
  }, 120_000);

  test('an image that somebody set is not what a way back leaves running; other changes of people stay', async () => {
    const app = { app: 'night' };
    const night = () => scene.live(`${deployments()}/night`);
    const ran = (image: string) => ({ spec: { minReadySeconds: 2, template: { spec: { containers: [{ image }] } } } });
    await scene.run({ ...app, 'release-id': 'v1' }, workload('night', '1', 'replicas: 1\n  minReadySeconds: 0'));
    await scene.run({ ...app, 'release-id': 'v2' }, workload('night', '2', 'replicas: 1\n  minReadySeconds: 0'));
    const containers = [{ name: 'c', image: 'x/y:3' }];
    await merged(`${deployments()}/night`, 'kubectl-set', { spec: { template: { spec: { containers } } } });
    await merged(`${deployments()}/night`, 'kubectl-patch', { spec: { minReadySeconds: 2 } });
    expect(await night()).toMatchObject(ran('x/y:3'));
    const plan = await scene.run({ ...app, mode: 'rollback', 'dry-run': 'true' }, '');
    expect(said(plan)).toMatch(/image: x\/y:3 -> x\/y:1/);
    const back = await scene.run({ ...app, mode: 'rollback' }, '');
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v1' } });
    expect(back.stdout).toContain('image is taken back from kubectl-set');
    expect(back.stdout).toContain('.spec.minReadySeconds is left to kubectl-patch');
    expect(await night()).toMatchObject(ran('x/y:1'));
  }, 120_000);

  test('a count that somebody set by kubectl scale stays', async () => {
    const app = { app: 'peak' };
    await scene.run({ ...app, 'release-id': 'v1' }, workload('peak', '1', 'replicas: 2'));
    await merged(`${deployments()}/peak/scale`, 'kubectl', { spec: { replicas: 5 } });
    const plan = await scene.run({ ...app, mode: 'diff' }, workload('peak', '2', 'replicas: 2'));
    expect(said(plan)).not.toContain('.spec.replicas:');
    const run = await scene.run({ ...app, 'release-id': 'v2' }, workload('peak', '2', 'replicas: 2'));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain('.spec.replicas is left to kubectl');
    expect(await specOf('peak')).toMatchObject({
      replicas: 5,
      template: { spec: { containers: [{ image: 'x/y:2' }] } },
    });
    const given = await scene.run({ ...app, 'field-conflicts': 'force' }, workload('peak', '2', 'replicas: 2'));
    expect(given).toMatchObject({ exitCode: 0 });
    expect(await specOf('peak')).toMatchObject({ replicas: 2 });
  }, 120_000);

  test('a count that an autoscaler rules stays when it is taken out of the manifest', async () => {
    const app = { app: 'ruled' };
    await scene.run({ ...app, 'release-id': 'v1' }, workload('ruled', '1', 'replicas: 4'));
    const set = `${workload('ruled', '2', '')}---\n${autoscaler('ruled')}`;
    const plan = await scene.run({ ...app, mode: 'diff' }, set);
    expect(said(plan)).not.toContain('.spec.replicas:');
    const run = await scene.run({ ...app, 'release-id': 'v2', 'expect-diff': plan.outputs['plan-sha256'] ?? '' }, set);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await specOf('ruled')).toMatchObject({ replicas: 4 });
    expect(run.stdout).toMatch(/Deployment \S+\/ruled: its count of 4 is left to its autoscaler/);
    const again = await scene.run({ ...app, 'release-id': 'v3' }, set.replace('x/y:2', 'x/y:3'));
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await specOf('ruled')).toMatchObject({ replicas: 4 });
  }, 120_000);

  test('a count that was left to an autoscaler which a way back took away is that of the manifest again', async () => {
    const app = { app: 'tried' };
    await scene.run({ ...app, 'release-id': 'v1' }, workload('tried', '1', 'replicas: 3'));
    const bad = `${workload('tried', '2-missing-image', '')}---\n${autoscaler('tried')}`;
    const failed = await scene.run({ ...app, 'release-id': 'v2' }, bad);
    expect(failed).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(await specOf('tried')).toMatchObject({ replicas: 3 });
    const plan = await scene.run({ ...app, mode: 'diff' }, workload('tried', '3', 'replicas: 2'));
    expect(said(plan)).toContain('.spec.replicas: 3 -> 2');
    const run = await scene.run({ ...app, 'release-id': 'v3' }, workload('tried', '3', 'replicas: 2'));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await specOf('tried')).toMatchObject({ replicas: 2 });
  }, 120_000);

  test('a count that kubectl applied and an autoscaler rules stays in the first release, and in the plan of it', async () => {
    const app = { app: 'first' };
    await made(deployments(), BY_KUBECTL, object('first', 'x/y:1', { replicas: 7 }));
    const set = `${workload('first', '2', '')}---\n${autoscaler('first')}`;
    const plan = await scene.run({ ...app, mode: 'diff' }, set);
    expect(said(plan)).toContain('image: x/y:1 -> x/y:2');
    expect(said(plan)).not.toContain('.spec.replicas:');
    const run = await scene.run({ ...app, 'expect-diff': plan.outputs['plan-sha256'] ?? '' }, set);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await specOf('first')).toMatchObject({ replicas: 7 });
  }, 120_000);

  test('a count that an autoscaler rules stays after a restore', async () => {
    const app = { app: 'ruled' };
    const place = { 'backup-location': folder, 'backup-key': 'a-passphrase-of-some-length' };
    expect(await scene.run({ ...app, mode: 'backup', ...place })).toMatchObject({ exitCode: 0 });
    await scene.cluster.admin.api.request('DELETE', `${deployments()}/ruled`);
    expect(await scene.run({ ...app, mode: 'restore', restore: 'latest', ...place })).toMatchObject({ exitCode: 0 });
    const set = `${workload('ruled', '5', '')}---\n${autoscaler('ruled')}`;
    const broken = `apiVersion: batch/v1
kind: Job
metadata: { name: broken, annotations: { sluice.dev/phase: before } }
spec:
  backoffLimit: 0
  template: { spec: { restartPolicy: Never, containers: [{ name: m, image: 'x/y:1-crash-at-start' }] } }
`;
    // It ends before it comes to the workload; the way back takes the fields over all the same.
    const failed = await scene.run({ ...app, 'release-id': 'v4' }, `${set}---\n${broken}`);
    expect(failed).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(await specOf('ruled')).toMatchObject({ replicas: 4 });
    const run = await scene.run({ ...app, 'release-id': 'v5' }, set);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await specOf('ruled')).toMatchObject({
      replicas: 4,
      template: { spec: { containers: [{ image: 'x/y:5' }] } },
    });
  }, 120_000);
});
