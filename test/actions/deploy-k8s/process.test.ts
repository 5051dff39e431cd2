import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { PASSWORD, type Scene, openScene, setOf } from './scene.ts';

const extra = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { a: b }\n`;

needs('kubernetes')('deploy-k8s against a real API server', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('release');
  }, 300_000);
  afterAll(() => scene?.close());

  test('releases, releases again, and does nothing where nothing changed', async () => {
    const first = await scene.run({ 'release-id': 'v1' });
    expect(first).toMatchObject({
      exitCode: 0,
      outputs: {
        outcome: 'succeeded',
        changed: 'true',
        release: 'v1',
        revision: '1',
        created: '4',
        'previous-revision': '',
      },
    });
    expect(await scene.truth()).toEqual({ image: 'registry.example.com/team/web:1', config: 'one', ready: 2 });
    expect(JSON.parse(first.outputs['objects'] ?? '')).toContainEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: scene.namespace,
      name: 'web',
      done: 'created',
    });
    const same = await scene.run({ 'release-id': 'v1' });
    expect(same).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged', changed: 'false', unchanged: '4' } });
    const second = await scene.run(
      { 'release-id': 'v2', image: 'registry.example.com/team/web:2' },
      setOf({ config: 'two' }),
    );
    expect(second).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'succeeded', configured: '2', unchanged: '2', revision: '2' },
    });
    expect(await scene.truth()).toEqual({ image: 'registry.example.com/team/web:2', config: 'two', ready: 2 });
    expect(second.summary).toContain('| Deployment |');
    for (const { stdout, summary } of [first, second]) {
      expect(stdout.replaceAll(/::add-mask::.*/g, '')).not.toContain(PASSWORD);
      expect(summary).not.toContain(PASSWORD);
    }
  }, 240_000);

  test.each([
    ['crash-at-start', /container web .*exit code 1, \d+ restarts; last line of its log: /],
    ['missing-image', /container web (?:ErrImagePull|ImagePullBackOff): .*not found/],
    ['out-of-memory', /container web OOMKilled \(exit code 137\), \d+ restarts/],
  ])(
    'takes a release back that ends in %s, with the cause first and at its line',
    async (end, cause) => {
      const before = await scene.truth();
      const run = await scene.run({ 'release-id': `bad-${end}` }, setOf({ tag: `3-${end}`, config: 'three' }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
      const [atLine, verdict] = run.annotations.filter(({ level }) => level === 'error');
      expect(atLine).toMatchObject({ file: 'k8s/web.yml', line: 12, message: expect.stringMatching(cause) });
      expect(verdict?.message).toMatch(/^web was rolled back after .*: Deployment [\w-]+\/web: container web/);
      expect(await scene.truth()).toEqual(before);
      expect(run.summary).toContain('restored');
    },
    240_000,
  );

  test('takes back a release that does not become ready in time', async () => {
    const before = await scene.truth();
    const run = await scene.run(
      { 'release-id': 'slow' },
      setOf({ tag: '3-never-healthy', config: 'three', deadline: 3 }),
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(run.stdout).toContain('ProgressDeadlineExceeded');
    expect(await scene.truth()).toEqual(before);
  }, 240_000);

  test('leaves a bad release when it is told to, and takes it back by the next run', async () => {
    const left = await scene.run({ 'release-id': 'left', 'on-failure': 'leave' }, setOf({ tag: '4-missing-image' }));
    expect(left).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    const good = await scene.run({ 'release-id': 'v5' }, setOf({ tag: '5', config: 'five' }));
    expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:5', config: 'five' });
  }, 240_000);

  test('goes back to the release before, and to a named one', async () => {
    // More than prune-limit would let go, and most of the set: a way back takes away what the release made, all of it.
    const many = Array.from({ length: 12 }, (_, index) => extra(`extra-${index}`)).join('---\n');
    await scene.run({ 'release-id': 'v6' }, setOf({ tag: '6', config: 'six', more: many }));
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v5' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:5', config: 'five', ready: 2 });
    expect(await scene.live(`/api/v1/namespaces/${scene.namespace}/configmaps/extra-11`)).toBeUndefined();
    const named = await scene.run({ mode: 'rollback', to: 'v2' });
    expect(named).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v2' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:2', config: 'two', ready: 2 });
    const nowhere = await scene.run({ mode: 'rollback', to: 'v99' });
    expect(nowhere.annotations[0]?.message).toContain(
      'There is nothing to roll web back to: no recorded release is called v99',
    );
  }, 240_000);

  test('shows the status, and what a diff would do, with a hash that holds the plan', async () => {
    const status = await scene.run({ mode: 'status' });
    expect(status).toMatchObject({ exitCode: 0, outputs: { outcome: 'status', release: 'v2', changed: 'false' } });
    expect(status.stdout).toMatch(/web serves release v2 \(revision \d+\), all ready\.$/m);
    const next = setOf({ tag: '7', config: 'seven' });
    const diff = await scene.run({ mode: 'diff' }, next);
    expect(diff).toMatchObject({ exitCode: 0, outputs: { outcome: 'diff', changed: 'false' } });
    expect(diff.stdout).toContain(
      '.spec.template.spec.containers[name="web"].image: registry.example.com/team/web:2 -> registry.example.com/team/web:7',
    );
    const hash = diff.outputs['plan-sha256'] ?? '';
    const other = await scene.run({ 'expect-diff': hash }, setOf({ tag: '8' }));
    expect(other).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(other.stdout).toContain('the plan is not the one that was approved');
    const changed = await scene.run({ 'expect-diff': hash, 'secret-values': 'PASSWORD=another-one-entirely' }, next);
    expect(changed).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused' } });
    const same = await scene.run({ 'expect-diff': hash, 'release-id': 'v7' }, next);
    expect(same).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', 'plan-sha256': hash } });
  }, 240_000);

  test('says in the status that another image runs than was released', async () => {
    const hotfix = { spec: { template: { spec: { containers: [{ name: 'web', image: 'example.com/web:hotfix' }] } } } };
    const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web?fieldManager=somebody&force=true`;
    const theirs = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, ...hotfix };
    const body = JSON.stringify(theirs);
    const { status } = await scene.cluster.admin.api.request('PATCH', path, body, 'application/apply-patch+yaml');
    expect(status).toBe(200);
    const seen = await scene.run({ mode: 'status' });
    expect(seen.stdout).toContain('image of web is example.com/web:hotfix, not registry.example.com/team/web:7');
    const mended = await scene.run({ 'release-id': 'v7', 'field-conflicts': 'force' }, setOf({ tag: '7' }));
    expect(mended).toMatchObject({ exitCode: 0 });
    expect((await scene.run({ mode: 'status' })).stdout).toMatch(/web serves release v7 .*, all ready\.$/m);
  }, 240_000);

  test('scales by hand, and the next release leaves the count', async () => {
    const up = await scene.run({ mode: 'scale', workload: 'Deployment/web', replicas: '+1' });
    expect(up).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
    expect(up.stdout).toContain('from 2 to 3 replicas');
    const next = await scene.run({ 'release-id': 'v8' }, setOf({ tag: '8' }));
    expect(next).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(next.stdout).toContain('.spec.replicas is left to sluice-scale');
    expect((await scene.truth()).ready).toBe(3);
    const dry = await scene.run({ mode: 'scale', workload: 'Deployment/web', replicas: '9', 'dry-run': 'true' });
    expect(dry).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
  }, 240_000);

  test('says that a release is not proven where somebody has scaled it to none', async () => {
    const workload = 'Deployment/web';
    const slip = await scene.run({ mode: 'scale', workload, replicas: '-9' });
    expect(slip).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    const none = await scene.run({ mode: 'scale', workload, replicas: '0' });
    expect(none).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const release = await scene.run({ 'release-id': 'v8b' }, setOf({ tag: '8-crash-at-start' }));
    const warnings = release.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
    expect(warnings.join()).toContain(
      `no pod of it runs, so nothing is proven of Deployment ${scene.namespace}/web: 0 replicas`,
    );
    const good = await scene.run({ 'release-id': 'v8c' }, setOf({ tag: '8' }));
    expect(good).toMatchObject({ exitCode: 0 });
    expect(await scene.run({ mode: 'scale', workload, replicas: '2' })).toMatchObject({ exitCode: 0 });
  }, 240_000);

  test('prunes what is not in the set any more, and nothing else', async () => {
    await scene.run({ 'release-id': 'v9' }, setOf({ tag: '9', more: `${extra('extra')}---\n${extra('more')}` }));
    const barred = await scene.run({ mode: 'diff', prune: 'delete', 'prune-limit': '1' }, setOf({ tag: '10' }));
    expect(barred).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(barred.stdout).toContain('prune-limit: 1 bars that 2 of 6 objects go');
    const foreign = `/api/v1/namespaces/${scene.namespace}/configmaps/foreign`;
    await scene.cluster.admin.api.apply(foreign, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'foreign' },
    });
    const pruned = await scene.run({ 'release-id': 'v10', prune: 'delete' }, setOf({ tag: '10' }));
    expect(pruned).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(pruned.stdout).toContain('/extra deleted');
    expect(await scene.live(`/api/v1/namespaces/${scene.namespace}/configmaps/extra`)).toBeUndefined();
    expect(await scene.live(foreign)).toBeDefined();
  }, 240_000);
});
