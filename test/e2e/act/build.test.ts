import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { type Engine, startEngine } from '../../../sandbox/engine/engine.ts';
import { type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { needs } from '../../harness/needs.ts';
import { type Repositories, makeRepositories, namingTheSuite } from './repositories.ts';
import { runWorkflow } from './runner.ts';

const MINUTES = 60_000;
const JOB = 'build / Images';

const CALLER = `name: Build
on: { workflow_dispatch: { inputs: { images: { type: string }, page: { type: string } } } }
permissions: {}
jobs:
  build:
    permissions: { contents: read, packages: write, id-token: write }
    uses: OWNER/sluice/.github/workflows/build.yml@COMMIT
    with:
      repository: REGISTRY/team/web
      images: \${{ inputs.images }}
      tags: type=raw,value=tested
`;

needs(
  'engine',
  'act',
  'jq',
)('build.yml under a workflow runner', () => {
  let engine: Engine;
  let registry: Registry;
  let repositories: Repositories;
  beforeAll(async () => {
    [engine, registry] = await Promise.all([startEngine(), startRegistry()]);
    repositories = makeRepositories('acme/web', {
      Dockerfile: 'FROM scratch\nCOPY page.txt /page.txt\n',
      'page.txt': 'hello\n',
      '.github/workflows/build.yml': namingTheSuite(CALLER).replace('REGISTRY', registry.host),
    });
  }, MINUTES);
  afterAll(async () => {
    repositories.remove();
    await Promise.all([engine.stop(), registry.stop()]);
  });

  test(
    'builds for real, and joins its image with those of other builds',
    async () => {
      const api = { repository: 'team/api', digest: `sha256:${'a'.repeat(64)}`, tag: '1.0.0' };
      const run = await runWorkflow({
        repositories,
        workflow: 'build.yml',
        inputs: { images: JSON.stringify({ api }) },
        secrets: { GITHUB_TOKEN: 'nobody' },
        env: { ...engine.env },
        run: { id: '811', attempt: 1, actor: 'alice' },
        limit: 120_000,
      });
      expect(run).toMatchObject({ jobs: { [JOB]: 'success' }, errors: [] });
      const built = run.outputs[JOB]?.['build-image'] ?? {};
      const joined = run.outputs[JOB]?.['join-images'] ?? {};
      const answer = await fetch(`http://${registry.host}/v2/team/web/manifests/tested`, {
        method: 'HEAD',
        headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
      });
      expect(built).toMatchObject({ outcome: 'pushed', digest: answer.headers.get('docker-content-digest') });
      const images = JSON.parse(joined['images'] ?? '{}') as Record<string, unknown>;
      expect(images).toEqual({
        api,
        web: { repository: 'team/web', digest: built['digest'], tag: expect.stringMatching(/^sha-/) },
      });
      expect(joined['images-sha256']).toBe(
        createHash('sha256')
          .update(joined['images'] ?? '')
          .digest('hex'),
      );
    },
    2 * MINUTES,
  );
});
