import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { mainOnly } from '../../harness/interrupt.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const definition = (name: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.${name}.example.com }
spec:
  group: ${name}.example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---
apiVersion: ${name}.example.com/v1
kind: Widget
metadata: { name: one }
spec: { size: 3 }
`;
const job = (tag: string): string => `apiVersion: batch/v1
kind: Job
metadata: { name: migrate, annotations: { sluice.dev/phase: before } }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: m, image: 'team/migrate:${tag}' }] } } }
`;
const config = (name: string, more = 'data: { a: b }'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n${more}\n`;
const record = 'apiVersion: v1\nkind: Secret\nmetadata: { name: sluice.web.v1 }\ntype: sluice.dev/release\n';

/** Sets that nobody writes on purpose, or somebody with a bad one. */
needs('kubernetes')('a set', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('odd');
    expect(await scene.run({ 'release-id': 'v1' }, setOf({ more: job('1') }))).toMatchObject({ exitCode: 0 });
  }, 300_000);
  afterAll(() => scene?.close());

  const OLD = { image: 'registry.example.com/team/web:1', config: 'one', ready: 2 };
  const said = ({ stdout, annotations }: BundleResult): string =>
    `${stdout}${annotations.map(({ message }) => message).join('\n')}`;

  test('with all kinds of mistakes is refused as a whole, and each is named', async () => {
    const here = (text: string): string => text.replaceAll('NAMESPACE', scene.namespace);
    const changed = setOf({ more: job('2') })
      .replaceAll('{ app: web } }', '{ app: web, tier: x } }')
      .replace('spec: { selector: { app: web, tier: x } }', 'spec: { selector: { app: web } }');
    const mistakes = {
      'ConfigMap NAMESPACE/twin stands a second time in the set; the first is at k8s/web.yml:': `${config('twin')}---\n${config('twin').replace('twin', 'twin, namespace: NAMESPACE')}`,
      'Secret NAMESPACE/sluice.web.v1 is kept by Sluice itself': record,
      'ConfigMap nowhere/far is refused by the server: namespaces "nowhere" not found': config('far').replace(
        'far',
        'far, namespace: nowhere',
      ),
      'ConfigMap NAMESPACE/größe is refused by the server: ': config('größe'),
      '(NAMESPACE/typed; /v1, Kind=ConfigMap): .data.a: expected string, got 1': config('typed', 'data: { a: 1 }'),
      'ConfigMap NAMESPACE/huge is refused by the server: ConfigMap "huge" is invalid: []: Too long': config(
        'huge',
        `data: { a: ${'x'.repeat(1_100_000)} }`,
      ),
      'Deployment NAMESPACE/web changes what cannot be changed: ': changed,
      'Job NAMESPACE/migrate changes what cannot be changed: ': '# in the one before\n',
    };
    const run = await scene.run({}, here(Object.values(mistakes).join('---\n')));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    for (const message of Object.keys(mistakes)) expect(said(run)).toContain(here(message));
    expect(await scene.truth()).toEqual(OLD);
  }, 60_000);

  test('that would be larger than its record can be is refused before anything is applied', async () => {
    const noise = (seed: number): string =>
      Array.from({ length: 60_000 }, (_, index) => ((index * 2_654_435_761 + seed) % 4_294_967_296).toString(36)).join(
        '',
      );
    const many = [1, 22_222, 333_333, 4_444_444].map((seed) => config(`big-${seed}`, `data: { a: "${noise(seed)}" }`));
    const run = await scene.run({}, many.join('---\n'));
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(said(run)).toMatch(/its objects have \d+ bytes packed, and a Secret holds 1000000/);
    expect(await scene.live(`/api/v1/namespaces/${scene.namespace}/configmaps/big-1`)).toBeUndefined();
  }, 60_000);

  test('with a claim that asks for another class is refused, and nobody is told to replace it', async () => {
    const claim = (of: string): string =>
      `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: disk }\nspec: { storageClassName: ${of}, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n`;
    const path = `/api/v1/namespaces/${scene.namespace}/persistentvolumeclaims`;
    await scene.cluster.admin.api.create(path, {
      metadata: { name: 'disk' },
      spec: { storageClassName: 'old', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const run = await scene.run({ 'field-conflicts': 'force' }, claim('new'));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(said(run)).toContain(`PersistentVolumeClaim ${scene.namespace}/disk changes what cannot be changed: `);
    expect(said(run)).toContain('it is never deleted, because what is in it would be lost');
    expect(said(run)).not.toContain('replace: PersistentVolumeClaim');
  }, 60_000);

  test('of another app that has the same objects is refused, and named', async () => {
    const run = await scene.run({ app: 'other' }, setOf({ config: 'theirs' }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(said(run)).toContain(`ConfigMap ${scene.namespace}/web-config belongs to the app web, which applies it too`);
    expect(await scene.truth()).toEqual(OLD);
  }, 60_000);

  test('of another app that has the same namespace too is released beside it', async () => {
    const own = `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${scene.namespace}, labels: { team: x } }\n`;
    for (const app of ['beside', 'other'])
      expect(await scene.run({ app }, `${own}---\n${config(app)}`)).toMatchObject({ exitCode: 0 });
  }, 60_000);

  test('that makes its namespace makes none where another plan was approved', async () => {
    const namespace = `${scene.namespace}-new`;
    const set = `${setOf()}---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${namespace} }\n`;
    const wish = { namespace, 'expect-diff': 'ab'.repeat(32) };
    const run = await scene.run(wish, set);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(said(run)).toContain('the plan is not the one that was approved');
    expect(await scene.live(`/api/v1/namespaces/${namespace}`)).toBeUndefined();
  }, 60_000);

  test('with a definition and an object of it is released in order, and again without a change', async () => {
    const name = scene.namespace;
    const set = `${setOf({ more: job('1') })}---\n${definition(name)}`;
    // Its controller looks at it a moment after it is there, and is not content at first.
    const status = (value: string, reason: string) =>
      scene.cluster.admin.api.merge(`/apis/${name}.example.com/v1/namespaces/${name}/widgets/one/status`, {
        status: { conditions: [{ type: 'Ready', status: value, reason }] },
      });
    const made = await mainOnly(scene.step({ 'release-id': 'v2' }, set), async (running) => {
      await running.saw(/Widget \S+ waits for its controller to set a status/);
      await status('False', 'Making');
      await running.saw(/Widget \S+ waits for Making/);
      await status('True', 'Made');
    });
    expect(made).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', created: '2' } });
    expect((await scene.run({ 'release-id': 'v2' }, set)).outputs).toMatchObject({ outcome: 'unchanged' });
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${name}.example.com`;
    await scene.cluster.admin.api.delete(path);
  }, 120_000);

  test('with a new field of a definition and an object that has it is released as one, and taken back as one', async () => {
    const name = `${scene.namespace}.more`;
    const SCHEMA = 'type: object, x-kubernetes-preserve-unknown-fields: true';
    const sized = (fields: string, most: number): string =>
      definition(name)
        .replace('subresources: { status: {} }', '')
        .replace(
          SCHEMA,
          `type: object, properties: { spec: { type: object, properties: { size: { type: integer, maximum: ${most} }${fields} } } }`,
        );
    const app = { app: 'more' };
    const first = sized('', 5);
    expect(await scene.run({ ...app, 'release-id': 'v1' }, first)).toMatchObject({ exitCode: 0 });
    const set = sized(', color: { type: string }', 9).replace('size: 3', 'size: 7, color: red');
    const misspelt = set.replace('kind: Widget\nmetadata', 'kind: Widget\nspecc: {}\nmetadata');
    const widget = `/apis/${name}.example.com/v1/namespaces/${scene.namespace}/widgets/one`;
    const plan = await scene.run({ ...app, mode: 'diff' }, set);
    expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'diff' } });
    expect(said(plan)).toMatch(/change Widget \S+ \(by the manifest alone: the server could not try it\)/);
    const wrong = await scene.run({ ...app, 'release-id': 'v2' }, misspelt);
    expect(wrong).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(said(wrong)).toContain('.specc: field not declared in schema');
    expect(await scene.live(widget)).toMatchObject({ spec: { size: 3 } });
    const run = await scene.run({ ...app, 'release-id': 'v3' }, set);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.live(widget)).toMatchObject({ spec: { size: 7, color: 'red' } });
    // Nothing of the definition changes here: it is the manifest that is wrong.
    const refused = await scene.run({ ...app, 'release-id': 'v4' }, misspelt);
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    const back = await scene.run({ ...app, mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v1' } });
    expect(await scene.live(widget)).toMatchObject({ spec: { size: 3 } });
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${name}.example.com`;
    await scene.cluster.admin.api.delete(path);
  }, 120_000);

  test('with a strategy that does not roll follows one that rolls, and goes back to it', async () => {
    const app = { app: 'strategy' };
    const set = (tag: string, strategy: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: strategy }
spec:
  replicas: 1${strategy}
  selector: { matchLabels: { app: strategy } }
  template:
    metadata: { labels: { app: strategy } }
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: c, image: 'x/y:${tag}' }] }
`;
    const recreate = '\n  strategy: { type: Recreate }';
    for (const [tag, strategy] of [
      ['1', ''],
      ['2', recreate],
      ['3', ''],
    ] as const)
      expect(await scene.run({ ...app, 'release-id': `v${tag}` }, set(tag, strategy))).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'succeeded' },
      });
    const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/strategy`;
    const strategyOf = async () =>
      ((await scene.live(path)) as unknown as { spec: { strategy: object } }).spec.strategy;
    expect(await strategyOf()).toMatchObject({ type: 'RollingUpdate' });
    expect(await scene.run({ ...app, mode: 'rollback' })).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'rolled-back', release: 'v2' },
    });
    expect(await strategyOf()).toEqual({ type: 'Recreate' });
  }, 120_000);

  test('with another Job of the same name runs it, where it may be replaced', async () => {
    const run = await scene.run({ 'release-id': 'v3', replace: 'Job' }, setOf({ more: job('2') }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain(`Job ${scene.namespace}/migrate replaced`);
    expect(await scene.live(`/apis/batch/v1/namespaces/${scene.namespace}/jobs/migrate`)).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'team/migrate:2' }] } } },
      status: { succeeded: 1 },
    });
  }, 120_000);

  test('with a bare pod that crashes is taken back, and the pod goes', async () => {
    const pod =
      "apiVersion: v1\nkind: Pod\nmetadata: { name: bare }\nspec: { containers: [{ name: c, image: 'x/y:1-crash-at-start' }] }\n";
    const run = await scene.run({ 'release-id': 'v4' }, setOf({ more: `${job('2')}---\n${pod}` }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(said(run)).toMatch(/Pod \S+\/bare: container c .*exit code 1/);
    expect(said(run)).toContain(`Pod ${scene.namespace}/bare deleted`);
    expect(await scene.truth()).toEqual(OLD);
  }, 120_000);

  test('with a Job whose ttl takes it away while the workloads still roll out is released', async () => {
    const once = job('3')
      .replace('{ name: migrate', '{ name: once')
      .replace('spec: {', 'spec: { ttlSecondsAfterFinished: 0,');
    const run = await scene.run(
      { 'release-id': 'v5', replace: 'Job' },
      setOf({ tag: '5-slow-start', more: `${job('2')}---\n${once}` }),
    );
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.live(`/apis/batch/v1/namespaces/${scene.namespace}/jobs/once`)).toBeUndefined();
  }, 120_000);
});
