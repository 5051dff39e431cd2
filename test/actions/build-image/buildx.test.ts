import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { COMMIT, type Workbench, openWorkbench } from './engine.ts';

const MINUTE = 60_000;

needs('engine', 'buildx')('build-image with the buildx plugin of the user', () => {
  let bench: Workbench;
  let config = '';
  beforeAll(async () => {
    bench = await openWorkbench();
    config = await bench.engine.withBuildx();
  }, MINUTE);
  afterAll(() => bench.close());

  const build = async (page: string, inputs: Readonly<Record<string, string>>) =>
    bench.build({
      context: await bench.context(page),
      inputs: { repository: 'team/x', registry: bench.registry.host, tags: 'type=raw,value=tested', ...inputs },
      env: { DOCKER_CONFIG: config, PATH: `${bench.engine.clientFolder}:${process.env['PATH']}` },
    });

  test(
    'prefers it, and takes the digest that it names',
    async () => {
      const run = await build('by buildx', {});
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed', kind: 'image' } });
      expect(run.stdout).toMatch(/^Engine .*, buildx v?0\.\d+/m);
      const answer = await fetch(`http://${bench.registry.host}/v2/team/x/manifests/sha-${COMMIT}`, {
        method: 'HEAD',
        headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
      });
      expect(run.outputs['digest']).toBe(answer.headers.get('docker-content-digest'));
    },
    MINUTE,
  );

  test(
    'a cache that this builder cannot write does not fail the build',
    async () => {
      const run = await build('cached', { repository: 'team/cached', 'cache-to': 'type=local,dest=/nowhere/cache' });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed' } });
    },
    MINUTE,
  );
});
