import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { mainOnly } from '../../harness/interrupt.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const workload = (kind: string, tag: string, more: string): string => `apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${kind.toLowerCase()} }
spec:
  ${more}
  selector: { matchLabels: { app: ${kind} } }
  template:
    metadata: { labels: { app: ${kind} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: c, image: 'x/y:${tag}', readinessProbe: { httpGet: { path: /, port: 80 } } }]
`;
const HEADLESS = `apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: StatefulSet }, ports: [{ port: 80 }] }
`;

/**
 * What a controller says of a workload is about the release that failed, until it has seen the way back. A way back that
 * believes it is called failed, and the old release is well a moment later.
 */
needs('kubernetes')('a way back is judged by what it leads to', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('way-back');
  }, 300_000);
  afterAll(() => scene?.close());

  const kinds = (tag: string): string =>
    [
      setOf(),
      workload('StatefulSet', tag, 'serviceName: db\n  replicas: 2'),
      workload('DaemonSet', tag, 'updateStrategy: { type: RollingUpdate }'),
      HEADLESS,
    ].join('---\n');

  test.each([
    ['of pods that crash', 'crash-at-start'],
    ['of pods whose image is nowhere', 'missing-image'],
  ])(
    'with a StatefulSet and a DaemonSet %s',
    async (_name, fault) => {
      const good = await scene.run({ 'release-id': 'v1' }, kinds('1'));
      expect(good).toMatchObject({ exitCode: 0 });
      const bad = await scene.run({ 'release-id': 'v2' }, kinds(`2-${fault}`));
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    },
    120_000,
  );

  test('with a Deployment of one pod whose progress deadline has passed', async () => {
    const single = (tag: string) => setOf({ tag, replicas: 1, deadline: 3 });
    const good = await scene.run({ 'release-id': 'v3' }, single('1'));
    expect(good).toMatchObject({ exitCode: 0 });
    const bad = await scene.run({ 'release-id': 'v4' }, single('4-never-healthy'));
    expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(bad.stdout).toContain('ProgressDeadlineExceeded');
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:1', ready: 1 });
  }, 120_000);

  test('takes nothing away that stood there before a release took it over, and gives its values back', async () => {
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`;
    await scene.cluster.admin.api.create(path, { metadata: { name: 'theirs' }, data: { A: 'by-hand' } });
    await scene.run({ 'release-id': 'v5' }, setOf());
    const theirs = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: theirs }\ndata: { A: ours }\n';
    const ours = theirs.replace('name: theirs', 'name: ours');
    const set = setOf({ tag: '6', more: `${theirs}---\n${ours}` });
    const taken = await scene.run({ 'release-id': 'v6', 'field-conflicts': 'force' }, set);
    expect(taken).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v5' } });
    expect(await scene.live(`${path}/theirs`)).toMatchObject({ data: { A: 'by-hand' } });
    expect(await scene.live(`${path}/ours`)).toBeUndefined();
  }, 120_000);

  test('takes away what later releases made, and neither what an older one left nor a Job that has run', async () => {
    const extra = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`;
    const seed =
      "apiVersion: batch/v1\nkind: Job\nmetadata: { name: seed }\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: s, image: 'team/seed:1' }] } } }\n";
    const two = setOf({ tag: '2', more: seed });
    await scene.run({ 'release-id': 'w1' }, setOf({ tag: '1', more: `${seed}---\n${extra('left-by-one')}` }));
    await scene.run({ 'release-id': 'w2' }, two);
    const third = setOf({ tag: '3', more: `${seed}---\n${extra('of-three')}` });
    expect(await scene.run({ 'release-id': 'w3' }, third)).toMatchObject({ exitCode: 0 });
    const configs = `/api/v1/namespaces/${scene.namespace}/configmaps`;
    const job = async () => (await scene.live(`/apis/batch/v1/namespaces/${scene.namespace}/jobs/seed`))?.metadata.uid;
    const ran = await job();
    const planned = await scene.run({ mode: 'rollback', 'dry-run': 'true' });
    expect(planned).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
    expect(planned.stdout).toMatch(/web: would go back to release w2 \(revision \d+\); 2 of \d+ objects would change/);
    expect(planned.stdout).toContain(`- delete ConfigMap ${scene.namespace}/of-three`);
    expect(planned.stdout).not.toContain('left-by-one');
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'w2' } });
    expect(await scene.live(`${configs}/of-three`)).toBeUndefined();
    expect(await scene.live(`${configs}/left-by-one`)).toBeDefined();
    expect(ran).toBeDefined();
    expect(await job()).toBe(ran);
    expect(await scene.run({ 'release-id': 'w2' }, two)).toMatchObject({ exitCode: 0 });
    expect(await job()).toBe(ran);
  }, 120_000);
});

/** A load balancer takes minutes to go; until then its Service is there, and is not. */
needs('kubernetes')('what a way back deleted and something holds', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('held');
  }, 300_000);
  afterAll(() => scene?.close());

  const FINALIZER = 'example.com/cloud';
  const held = (finalizers = '') =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: held${finalizers} }\ndata: { a: b }\n`;
  const path = () => `/api/v1/namespaces/${scene.namespace}/configmaps/held`;

  test('is named, and the next release waits for its end, or is refused with what holds it', async () => {
    const bad = setOf({ tag: '1-missing-image', more: held(`, finalizers: [${FINALIZER}]`) });
    const name = `ConfigMap ${scene.namespace}/held`;
    const first = await scene.run({ 'release-id': 'bad' }, bad);
    expect(first).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(first.annotations.at(-1)?.message).toContain(
      `but for what is still being deleted: ${name} (its finalizers hold it: ${FINALIZER})`,
    );
    const good = setOf({ more: held() });
    const planned = await scene.run({ mode: 'diff' }, good);
    expect(planned.stdout).toContain(`${name} is being deleted, and a release waits until it is gone`);
    const refused = await scene.run({ timeout: '1m' }, good, { clock: { lockStepFrom: Date.now() } });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(refused.stdout).toContain(`${name} is being deleted and does not go: its finalizers hold it: ${FINALIZER}`);
    const released = await mainOnly(scene.step({ 'release-id': 'good' }, good), async (running) => {
      await running.saw(/Waiting until what is being deleted is gone: ConfigMap \S+\/held/);
      await scene.cluster.admin.api.merge(path(), { metadata: { finalizers: null } });
    });
    expect(released).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', created: '5' } });
    expect((await scene.live(path()))?.metadata['deletionTimestamp']).toBeUndefined();
  }, 120_000);

  test('is waited for where it is the Namespace of the set, with all that is to lie in it', async () => {
    const { api } = scene.cluster.admin;
    const name = `${scene.namespace}-preview`;
    const own = `/api/v1/namespaces/${name}`;
    await api.create('/api/v1/namespaces', { metadata: { name } });
    await api.create(`${own}/configmaps`, { metadata: { name: 'held', finalizers: [FINALIZER] } });
    await api.request('DELETE', own);
    const inside = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: inside, namespace: ${name} }\n`;
    const set = `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n---\n${inside}`;
    const released = await mainOnly(scene.step({ app: 'preview' }, set), async (running) => {
      await running.saw(/Waiting until what is being deleted is gone: Namespace \S+-preview/);
      await api.merge(`${own}/configmaps/held`, { metadata: { finalizers: null } });
    });
    expect(released).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', created: '2' } });
    await api.request('DELETE', own);
  }, 120_000);
});
