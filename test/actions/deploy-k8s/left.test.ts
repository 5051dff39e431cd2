import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type Scene, openScene, setOf } from './scene.ts';

/** `on-failure: leave`: somebody wants to look at what went wrong, and goes on from there by hand. */
needs('kubernetes')('a bad release that was left as it is', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('left');
    await scene.run({ 'release-id': 'one' });
    await scene.run({ 'release-id': 'two' }, setOf({ tag: '2', config: 'two' }));
  }, 300_000);
  afterAll(() => scene?.close());

  const TWO = { image: 'registry.example.com/team/web:2', config: 'two', ready: 2 };
  const more = ['ConfigMap', 'Secret'].map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: { name: of-bad }\n`);
  const bad = setOf({ tag: '3-missing-image', config: 'bad', more: more.join('---\n') });

  test('is gone back from to the last good one, as the dry run says', async () => {
    const left = await scene.run({ 'release-id': 'bad', 'on-failure': 'leave' }, bad);
    expect(left).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:3-missing-image' });
    const planned = await scene.run({ mode: 'rollback', 'dry-run': 'true' });
    expect(planned.stdout).toContain(
      'would go back to release two (revision 2): release bad (revision 3) failed and stands',
    );
    expect(await scene.truth()).toMatchObject({ config: 'bad' });
    const status = await scene.run({ mode: 'status' });
    expect(status.stdout).toContain('release bad (revision 3) failed and stands; mode: rollback goes back to two');
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'two' } });
    expect(await scene.truth()).toEqual(TWO);
    const kinds = ['configmaps', 'secrets'];
    for (const kind of kinds)
      expect(await scene.live(`/api/v1/namespaces/${scene.namespace}/${kind}/of-bad`)).toBeUndefined();
    const further = await scene.run({ mode: 'rollback', 'dry-run': 'true' });
    expect(further.stdout).toContain('would go back to release one (revision 1)');
  }, 240_000);

  test('is followed by one that the same full quota refuses, and that says so at once', async () => {
    // Of a scope, so that nothing is counted before.
    await scene.cluster.admin.api.create(`/api/v1/namespaces/${scene.namespace}/resourcequotas`, {
      metadata: { name: 'full' },
      spec: { hard: { pods: '2' }, scopes: ['NotTerminating'] },
    });
    const leave = { 'on-failure': 'leave', timeout: '1m' };
    for (const tag of ['4', '5']) {
      const refused = await scene.run({ ...leave, 'release-id': `of-${tag}` }, setOf({ tag, replicas: 3 }));
      expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
      expect(refused.annotations.at(-1)?.message).toContain('FailedCreate');
    }
  }, 240_000);
});

needs('kubernetes')('a first release that failed and was left', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('first');
  }, 300_000);
  afterAll(() => scene?.close());

  test('is told by its objects, and taken away by a roll back', async () => {
    const left = await scene.run({ 'release-id': 'bad', 'on-failure': 'leave' }, setOf({ tag: '1-missing-image' }));
    expect(left).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    const status = await scene.run({ mode: 'status' });
    expect(status.stdout).toContain('web has no release here that came up: of bad 4 of 4 objects stand (');
    expect(status.outputs['objects']).toContain('"name":"web-config"');
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(back.stdout).toContain('release bad (revision 1) failed and stood; web is gone from');
    expect(await scene.truth()).toEqual({ image: 'none', config: 'none', ready: 0 });
    expect((await scene.run({ mode: 'status' })).stdout).toContain('web has no release here.');
  }, 240_000);

  test('and another one after it, is taken away with it by one roll back', async () => {
    const leave = { 'on-failure': 'leave' };
    const extra = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`;
    const bad = (tag: string, name: string) => setOf({ tag: `${tag}-missing-image`, more: extra(name) });
    for (const [tag, name] of [
      ['2', 'of-two'],
      ['3', 'of-three'],
    ] as const)
      expect(await scene.run({ ...leave, 'release-id': tag }, bad(tag, name))).toMatchObject({ exitCode: 1 });
    const planned = await scene.run({ mode: 'rollback', 'dry-run': 'true' });
    for (const name of ['of-two', 'of-three'])
      expect(planned.stdout).toContain(`- delete ConfigMap ${scene.namespace}/${name}`);
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(back.stdout).toContain('where nothing of it was before');
    expect(await scene.truth()).toEqual({ image: 'none', config: 'none', ready: 0 });
    for (const name of ['of-two', 'of-three'])
      expect(await scene.live(`/api/v1/namespaces/${scene.namespace}/configmaps/${name}`)).toBeUndefined();
    expect((await scene.run({ mode: 'status' })).stdout).toContain('web has no release here.');
  }, 240_000);
});
