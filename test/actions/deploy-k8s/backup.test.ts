import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { until } from '../../sandbox/kubernetes/until.ts';
import { PASSWORD, type Scene, openScene, setOf } from './scene.ts';

needs('kubernetes')('a backup', () => {
  let scene: Scene;
  let folder: string;
  beforeAll(async () => {
    scene = await openScene('backup');
    folder = await mkdtemp(join(tmpdir(), 'sluice-backup-'));
  }, 300_000);
  afterAll(async () => {
    await scene?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const key = 'a-passphrase-of-some-length';
  const place = () => ({ 'backup-location': folder, 'backup-key': key });

  test('is sealed, and brings everything back, Secrets included', async () => {
    await scene.run({ 'release-id': 'v1' });
    const dry = await scene.run({ mode: 'backup', 'dry-run': 'true', ...place() });
    expect(dry).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', backup: '', changed: 'false' } });
    expect(await readdir(folder)).toEqual([]);
    const made = await scene.run({ mode: 'backup', ...place() });
    const name = made.outputs['backup'] ?? '';
    expect(made).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await readdir(folder)).toEqual([name]);
    const sealed = await readFile(join(folder, name));
    expect(sealed.subarray(0, 8).toString()).toBe('SLUICEB1');
    expect(sealed.includes(PASSWORD) || sealed.includes('web-config')).toBe(false);

    const before = await scene.truth();
    const { api } = scene.cluster.admin;
    const secret = `/api/v1/namespaces/${scene.namespace}/secrets/web-secret`;
    await api.request('DELETE', secret);
    await api.request('DELETE', `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`);
    await api.merge(`/api/v1/namespaces/${scene.namespace}/configmaps/web-config`, { data: { GREETING: 'lost' } });
    const plan = await scene.run({ mode: 'restore', restore: 'latest', 'dry-run': 'true', ...place() });
    expect(plan.stdout).toContain(`would restore`);
    const back = await scene.run({ mode: 'restore', restore: 'latest', ...place() });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', backup: name } });
    expect(await scene.truth()).toEqual(before);
    const { data } = (await scene.live(secret)) as unknown as { readonly data: { readonly PASSWORD: string } };
    expect(Buffer.from(data.PASSWORD, 'base64').toString()).toBe(PASSWORD);
    const order = [
      ...back.stdout.matchAll(/^(Secret|ConfigMap|Deployment|Service) \S+ (?:created|configured|unchanged)/gm),
    ].map(([, kind]) => kind);
    expect(order.indexOf('Deployment')).toBeGreaterThan(
      Math.max(order.lastIndexOf('Secret'), order.lastIndexOf('ConfigMap')),
    );
  }, 240_000);

  test('is taken over by the next release', async () => {
    const next = await scene.run({ 'release-id': 'v2' }, setOf({ tag: '2', config: 'two' }));
    expect(next).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:2', config: 'two', ready: 2 });
  }, 240_000);

  test('and a scale and a restore need no more than the Role that rbac prints for each', async () => {
    const { api } = scene.cluster.admin;
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}`;
    const first = { ...place(), 'backup-location': join(folder, 'first') };
    await mkdir(join(folder, 'first'));
    // Taken before the Roles stand: nobody may bring back a Role that grants what he does not have.
    await scene.run({ mode: 'backup', ...first });
    const printed = await scene.run({ mode: 'rbac' });
    const roles = (/^apiVersion: rbac[\s\S]*?(?=^::)/m.exec(printed.stdout)?.[0] ?? '').split(/^---\n/m);
    const as = async (mode: string, inputs: Readonly<Record<string, string>>): Promise<void> => {
      const name = `only-${mode}`;
      const guest = await scene.cluster.serviceAccount(scene.namespace, name);
      const role = roles.find((each) => each.includes(`sluice.dev/modes: ${mode}\n`)) ?? '';
      const path = `${rbac}/roles/sluice-web.${mode}?fieldManager=test`;
      expect((await api.request('PATCH', path, role, 'application/apply-patch+yaml')).status).toBe(201);
      await api.create(`${rbac}/rolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: `sluice-web.${mode}` },
        subjects: [{ kind: 'ServiceAccount', name, namespace: scene.namespace }],
      });
      const run = await scene.run({ mode, kubeconfig: guest.kubeconfig, ...inputs });
      expect(run.stdout).not.toMatch(/access denied|No lease is held/);
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    };
    await as('scale', { workload: 'Deployment/web', replicas: '3' });
    await as('backup', place());
    await api.request('DELETE', `/api/v1/namespaces/${scene.namespace}/configmaps/web-config`);
    await as('restore', { restore: 'latest', ...first });
    expect(await scene.truth()).toMatchObject({ config: 'two' });
  }, 240_000);

  test('does not open with another key, and nothing is touched', async () => {
    const wrong = await scene.run({
      mode: 'restore',
      restore: 'latest',
      ...place(),
      'backup-key': 'another-passphrase-here',
    });
    expect(wrong).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(wrong.annotations[0]?.message).toContain('backup-key is not the one that it was sealed with');
    const none = await scene.run({ mode: 'restore', restore: '2020-01-01', ...place() });
    expect(none.annotations[0]?.message).toContain('There is no backup of');
  }, 240_000);

  test('that was renamed, or changed by a byte, is not restored', async () => {
    const [name = ''] = await readdir(folder);
    const sealed = await readFile(join(folder, name));
    const later = name.replace(/\d{8}T/, '20991231T');
    await writeFile(join(folder, later), sealed);
    const renamed = await scene.run({ mode: 'restore', restore: 'latest', ...place() });
    expect(renamed).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(renamed.annotations[0]?.message).toContain(`it was sealed as ${name}, and somebody renamed or replaced it`);
    await writeFile(
      join(folder, later),
      Buffer.concat([sealed.subarray(0, -1), Buffer.from([(sealed.at(-1) ?? 0) ^ 1])]),
    );
    const tampered = await scene.run({ mode: 'restore', restore: 'latest', ...place() });
    expect(tampered).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(tampered.annotations[0]?.message).toContain('or the file was changed');
  }, 240_000);
});

/** One that no other run of this test holds. */
const PORT = randomInt(30_000, 32_767);
const MORE = `
apiVersion: batch/v1
kind: Job
metadata: { name: seed }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: seed, image: x/seed:1 }] } } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: later }
spec: { suspend: true, template: { spec: { restartPolicy: Never, containers: [{ name: later, image: x/later:1 }] } } }
---
apiVersion: v1
kind: Service
metadata: { name: taken }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, nodePort: ${PORT} }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { storageClassName: '', accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`;

needs('kubernetes')('a namespace that is lost', () => {
  let scene: Scene;
  let folder: string;
  beforeAll(async () => {
    scene = await openScene('lost');
    folder = await mkdtemp(join(tmpdir(), 'sluice-backup-'));
  }, 300_000);
  afterAll(async () => {
    await scene?.cluster.admin.api.request('DELETE', `/api/v1/persistentvolumes/${scene.namespace}`);
    await scene?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('comes back but for what is refused, which is named, and for Jobs that have ended', async () => {
    const { api } = scene.cluster.admin;
    const place = { 'backup-location': folder, 'backup-key': 'a-passphrase-of-some-length' };
    const core = `/api/v1/namespaces/${scene.namespace}`;
    const jobs = `/apis/batch/v1/namespaces/${scene.namespace}/jobs`;
    const ingress = `/apis/networking.k8s.io/v1/namespaces/${scene.namespace}/ingresses/web`;
    const web = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`;
    const claim = `${core}/persistentvolumeclaims/data`;
    const phaseOf = async (): Promise<unknown> => {
      const { status } = ((await scene.live(claim)) ?? {}) as { readonly status?: { readonly phase?: string } };
      return status?.phase;
    };
    await api.create('/api/v1/persistentvolumes', {
      metadata: { name: scene.namespace },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/data' },
        claimRef: { namespace: scene.namespace, name: 'data' },
      },
    });
    const released = await scene.run({ 'release-id': 'v1' }, setOf({ more: MORE }));
    expect(released).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    await until('that the claim has its volume', async () => ((await phaseOf()) === 'Bound' ? 'bound' : undefined));
    const made = await scene.run({ mode: 'backup', ...place });
    expect(made.stdout).toContain('without 1 Jobs that have ended');

    const lost = [claim, `${jobs}/seed`, `${jobs}/later`, `${core}/services/taken`, ingress, web];
    for (const path of lost) await api.request('DELETE', `${path}?propagationPolicy=Background`);
    await api.create(`${core}/services`, {
      metadata: { name: 'takes' },
      spec: { type: 'NodePort', ports: [{ port: 80, nodePort: PORT }] },
    });
    const dry = await scene.run({ mode: 'restore', restore: 'latest', 'dry-run': 'true', ...place });
    expect(dry).toMatchObject({ exitCode: 1, outputs: { outcome: 'planned', changed: 'false' } });
    expect(dry.stdout).toMatch(
      /1 of \d+ objects of \S+ would not come back: Service \S+\/taken is refused: .*allocated/,
    );
    expect(dry.stdout).toMatch(/^create Deployment \S+\/web$/m);
    expect(await scene.live(web)).toBeUndefined();

    const back = await scene.run({ mode: 'restore', restore: 'latest', ...place });
    expect(back).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'true' } });
    expect(back.stdout).toMatch(
      /1 of \d+ objects of \S+ are not back: Service \S+\/taken is refused: .*the others are back/,
    );
    expect(await scene.live(ingress)).toBeDefined();
    expect(await scene.live(`${jobs}/later`)).toBeDefined();
    expect(await scene.live(`${jobs}/seed`)).toBeUndefined();
    expect(await scene.truth()).toMatchObject({ ready: 2 });

    // No volume is left for it: it waits for one, and is not taken for one that has lost its own.
    await until('what its controller says of the claim', phaseOf);
    expect(await phaseOf()).toBe('Pending');
    await api.request('DELETE', `${core}/services/takes`);
    const again = await scene.run({ mode: 'restore', restore: 'latest', ...place });
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.live(`${core}/services/taken`)).toBeDefined();
  }, 240_000);
});
