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
    'what its driver would drop without a word, or end in the middle for, is refused by name before anything is done',
    async () => {
      const before = bench.registry.requests().length;
      const run = await build('refused', {
        repository: 'team/refused',
        annotations: 'a=b',
        platforms: 'linux/amd64\nlinux/arm64',
        provenance: 'min',
        sbom: 'true',
        'cache-to': 'type=local,dest=/nowhere/cache',
        'cache-from': 'type=gha,scope=web',
      });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
      const lacking = ['annotations', 'platforms', 'provenance', 'sbom', 'cache-to', 'cache-from'];
      for (const input of lacking)
        expect(run.stdout).toMatch(new RegExp(`${input}: [^;]*is not possible with the docker driver of buildx`));
      const written = bench.registry
        .requests()
        .slice(before)
        .filter((request) => /^(PUT|PATCH) /.test(request));
      expect(written).toEqual([]);
    },
    MINUTE,
  );

  test(
    'a builder that is not there is said before anything is done',
    async () => {
      const run = await build('nowhere', { repository: 'team/nowhere', 'extra-args': '--builder=nope' });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
      expect(run.stdout).toMatch(/buildx has no builder: .*no builder "nope" found/);
    },
    MINUTE,
  );

  test(
    'its inline cache is in the image, and is read from it',
    async () => {
      const run = await build('cached', { repository: 'team/cached', 'cache-to': 'type=inline' });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed' } });
      expect(run.stdout).toMatch(/exporting cache/);
    },
    MINUTE,
  );
});
