import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Engine, startEngine } from '../../../sandbox/engine/engine.ts';
import { type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { needs } from '../../harness/needs.ts';
import { type Repositories, makeRepositories, namingTheSuite } from './repositories.ts';
import { runWorkflow } from './runner.ts';

const MINUTES = 60_000;
const EXAMPLE = resolve(import.meta.dirname, '../../../examples/hft-platform/.github/workflows');
const DOCKERFILE = 'FROM scratch\nARG RUN_ID\nARG COMMIT\nLABEL run=$RUN_ID\nCOPY page.txt /page.txt\n';

interface Configuration {
  readonly config: { readonly Labels: Readonly<Record<string, string>> };
}

// The builds of HFT Platform as its repository has them, with a registry on loopback in the place of ghcr.io and without
// the cache of GitHub, which only a runner of GitHub has.
needs(
  'engine',
  'act',
  'jq',
)('the builds of HFT Platform under a workflow runner', () => {
  let engine: Engine;
  let registry: Registry;
  let repositories: Repositories;
  beforeAll(async () => {
    [engine, registry] = await Promise.all([startEngine(), startRegistry()]);
    const workflow = (name: string): Record<string, string> => ({
      [`.github/workflows/${name}`]: namingTheSuite(readFileSync(join(EXAMPLE, name), 'utf8'))
        .replaceAll('ghcr.io', registry.host)
        .replaceAll(/^ *cache-(?:from|to): .*\n/gm, '')
        .replace('npm audit --audit-level=critical', 'test -f page.txt')
        // What follows the rebuild is that of release.yml (test/examples/hft-lines.test.ts), and wants a cluster.
        .replace(/^ {2}staging:\n[^]*$/m, ''),
    });
    repositories = makeRepositories('hft-platform/shop', {
      'frontend/Dockerfile': DOCKERFILE,
      'frontend/page.txt': 'front end\n',
      'api/Dockerfile': DOCKERFILE,
      'api/page.txt': 'api\n',
      ...workflow('build.yml'),
      ...workflow('build-api.yml'),
      ...workflow('security-update.yml'),
    });
  }, MINUTES);
  afterAll(async () => {
    repositories.remove();
    await Promise.all([engine.stop(), registry.stop()]);
  });

  const run = (workflow: string, event: 'push' | 'workflow_dispatch', id: string) =>
    runWorkflow({
      repositories,
      workflow,
      event,
      secrets: { GITHUB_TOKEN: 'nobody' },
      env: { ...engine.env, GITHUB_REF: 'refs/heads/staging', GITHUB_REF_NAME: 'staging' },
      run: { id, attempt: 1, actor: 'alice' },
      limit: 120_000,
    });
  const read = async (path: string, accept = '*/*'): Promise<Response> =>
    fetch(`http://${registry.host}/v2/${path}`, { headers: { accept } });
  const imageOf = async (repository: string, tag: string) => {
    const answer = await read(`${repository}/manifests/${tag}`, 'application/vnd.docker.distribution.manifest.v2+json');
    const manifest = (await answer.json()) as { config: { digest: string } };
    const config = (await (await read(`${repository}/blobs/${manifest.config.digest}`)).json()) as Configuration;
    return { digest: answer.headers.get('docker-content-digest'), labels: config.config.Labels };
  };

  test.each([
    ['the front end', 'build.yml', 'frontend'],
    ['the API', 'build-api.yml', 'api'],
  ])(
    '%s is built of its folder: tags by branch and commit, labels, and build arguments',
    async (_name, workflow, service) => {
      const built = await run(workflow, 'push', '901');
      expect(built).toMatchObject({ jobs: { [`${service} / Images`]: 'success' }, errors: [] });
      const outputs = built.outputs[`${service} / Images`] ?? {};
      const short = repositories.commit.slice(0, 7);
      const image = await imageOf(`hft-platform/${service}`, 'staging');
      expect(outputs['build-image']).toMatchObject({ outcome: 'pushed', digest: image.digest });
      expect(await imageOf(`hft-platform/${service}`, `sha-${short}`)).toEqual(image);
      expect(image.labels).toMatchObject({ team: 'hft', run: '901' });
      expect(Object.keys(JSON.parse(outputs['join-images']?.['images'] ?? '{}') as object)).toEqual([service]);
    },
    3 * MINUTES,
  );

  test(
    'a security update builds the same commit anew, beside the image that was there',
    async () => {
      const identity = `sha-${repositories.commit}`;
      const before = await imageOf('hft-platform/frontend', identity);
      const update = await run('security-update.yml', 'workflow_dispatch', '902');
      expect(update).toMatchObject({ jobs: { Audit: 'success', 'rebuild / Images': 'success' }, errors: [] });
      const after = await imageOf('hft-platform/frontend', 'security-update');
      expect(after.labels).toMatchObject({ run: '902' });
      const { tags } = (await (await read('hft-platform/frontend/tags/list')).json()) as { tags: readonly string[] };
      const beside = tags.filter((tag) => tag.startsWith(`${identity}-`));
      expect(beside).toEqual([expect.stringMatching(/^sha-[0-9a-f]{40}-[0-9a-f]{12}$/)]);
      expect(await imageOf('hft-platform/frontend', beside[0] ?? '')).toEqual(after);
      expect(await imageOf('hft-platform/frontend', identity)).toEqual(before);
    },
    3 * MINUTES,
  );
});
