import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureGoTool } from '../../../tools/go-tools.mjs';
import { needs } from '../../harness/needs.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

/** A base and an overlay as teams write them: a count, an image, a name in front, config with its hash in the name. */
const filesWith = (greeting: string, more = '') => ({
  'deploy/base/web.yml': setOf().replace(/^apiVersion: v1\nkind: ConfigMap[\s\S]*?---\n/m, ''),
  'deploy/base/kustomization.yaml': `resources: [web.yml]
configMapGenerator:
  - { name: web-config, literals: [GREETING=${greeting}] }
`,
  'deploy/production/kustomization.yaml': `resources: [../base]
namePrefix: production-
replicas: [{ name: web, count: 3 }]
images: [{ name: registry.example.com/team/web, newTag: '2' }]
${more}`,
});

needs('kubernetes', 'kustomize')('a kustomization, rendered by the real program', () => {
  let scene: Scene;
  let tools: string;
  beforeAll(async () => {
    scene = await openScene('kustomize');
    tools = await mkdtemp(join(tmpdir(), 'sluice-kustomize-'));
    await symlink(ensureGoTool('kustomize'), join(tools, 'kustomize'));
  }, 300_000);
  afterAll(async () => {
    await scene?.close();
    await rm(tools, { recursive: true, force: true });
  });

  const release = (files: Readonly<Record<string, string>>, more = {}): Promise<BundleResult> =>
    scene.run({ manifests: '', kustomize: 'deploy/production', ...more }, '', { files, env: { PATH: tools } });
  const configs = async (): Promise<readonly string[]> => {
    const { body } = await scene.cluster.admin.api.request('GET', `/api/v1/namespaces/${scene.namespace}/configmaps`);
    const { items } = body as { readonly items: readonly { readonly metadata: { readonly name: string } }[] };
    return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('production-'));
  };

  test('is released, and the config of the release before goes with it', async () => {
    const first = await release(filesWith('one'), { 'release-id': 'v1' });
    expect(first).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', created: '4' } });
    expect(await scene.live(`/apis/apps/v1/namespaces/${scene.namespace}/deployments/production-web`)).toMatchObject({
      spec: { replicas: 3, template: { spec: { containers: [{ image: 'registry.example.com/team/web:2' }] } } },
      status: { readyReplicas: 3 },
    });
    const [before = ''] = await configs();
    const image = 'registry.example.com/team/web:3';
    const second = await release(filesWith('two'), { 'release-id': 'v2', image, prune: 'delete' });
    expect(second).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(second.stdout).toContain(`ConfigMap ${scene.namespace}/${before} deleted`);
    const [after = ''] = await configs();
    expect(after).toMatch(/^production-web-config-/);
    expect(after).not.toBe(before);
  }, 120_000);

  test('that does not render is refused with what the program says', async () => {
    const run = await release(filesWith('one', 'resources: [../nowhere]\n'));
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toContain('Could not render the kustomization deploy/production: Error: ');
  }, 60_000);
});
