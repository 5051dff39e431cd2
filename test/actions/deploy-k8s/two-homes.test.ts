import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type Scene, openScene } from './scene.ts';

const role = (name: string): string => `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${name} }
rules: [{ apiGroups: [''], resources: [nodes], verbs: [list] }]
`;
const setOf = (value: string, roles: readonly string[]): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\ndata: { value: ${value} }\n${roles.map(role).join('')}`;

/** Staging and production of one cluster release an app of the same name. */
needs('kubernetes')('an app of one name in two namespaces', () => {
  let scene: Scene;
  let production = '';
  beforeAll(async () => {
    scene = await openScene('staging');
    production = await scene.cluster.namespace('production');
  }, 300_000);
  afterAll(async () => {
    const { api } = scene.cluster.admin;
    for (const name of [`${scene.namespace}-own`, `${scene.namespace}-shared`, `${production}-own`])
      await api.request('DELETE', path(name));
    await api.delete(`/api/v1/namespaces/${production}`);
    await scene.close();
  });
  const path = (name: string): string => `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;

  test('goes back in the one without a loss to the other', async () => {
    const [own, shared, theirs] = [`${scene.namespace}-own`, `${scene.namespace}-shared`, `${production}-own`];
    const there = { namespace: production };
    expect(await scene.run(there, setOf('one', [theirs, shared]))).toMatchObject({ exitCode: 0 });
    expect(await scene.run({ 'release-id': 'v1' }, setOf('one', []))).toMatchObject({ exitCode: 0 });
    const both = await scene.run({ 'release-id': 'v2' }, setOf('two', [own, shared]));
    expect(both).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(both.stdout).toContain(`ClusterRole ${shared}: is of the releases of web in namespace ${production} too`);
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'v1' } });
    expect(await scene.live(path(own))).toBeUndefined();
    expect(await scene.live(path(theirs))).toBeDefined();
    expect(await scene.live(path(shared))).toMatchObject({
      metadata: { annotations: { 'sluice.dev/home': production } },
    });
  }, 120_000);
});
