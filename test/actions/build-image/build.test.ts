import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { COMMIT, type Workbench, openWorkbench, sha256 } from './engine.ts';

const MINUTES = 60_000;

needs('engine')('build-image on a real engine and a real registry', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench();
  }, MINUTES);
  afterAll(() => bench.close());

  const head = async (repository: string, tag: string): Promise<string | null> => {
    const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`http://${bench.registry.host}/v2/${repository}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { accept },
    });
    return answer.headers.get('docker-content-digest');
  };

  test(
    'builds, pushes, verifies and tags; the outputs are those of the registry',
    async () => {
      const context = await bench.context('first');
      const run = await bench.build({
        context,
        inputs: {
          repository: 'team/web',
          registry: bench.registry.host,
          tags: 'type=ref,event=branch\ntype=sha',
          labels: 'team=web',
        },
      });
      expect({
        exitCode: run.exitCode,
        outcome: run.outputs['outcome'],
        out: run.exitCode === 0 ? '' : run.stdout,
      }).toEqual({ exitCode: 0, outcome: 'pushed', out: '' });
      const digest = await head('team/web', `sha-${COMMIT}`);
      expect(run.outputs).toMatchObject({
        changed: 'true',
        digest,
        kind: 'image',
        version: 'main',
        commit: COMMIT,
        platforms: JSON.stringify({ 'linux/amd64': digest }),
        'pinned-tag': `sha-${COMMIT}@${digest}`,
        images: JSON.stringify({ web: { digest, repository: 'team/web', tag: `sha-${COMMIT}` } }),
      });
      expect(run.outputs['images-sha256']).toBe(sha256(run.outputs['images'] ?? ''));
      expect(await head('team/web', 'main')).toBe(digest);
      expect(await head('team/web', 'sha-0123456')).toBe(digest);
    },
    MINUTES,
  );
});
