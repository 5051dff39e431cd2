import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { REGISTRY_USER, startRegistry } from '../../../sandbox/engine/registry.ts';
import { readEvidence } from '../../../src/domain/approval/evidence.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { COMMIT, type Workbench, openWorkbench, sha256 } from './engine.ts';

const MINUTE = 60_000;
const IDENTITY = `sha-${COMMIT}`;

needs('engine')('build-image on a real engine and a real registry', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench();
  }, MINUTE);
  afterAll(() => bench.close());

  const head = async (repository: string, tag: string, host = bench.registry.host): Promise<string | null> => {
    const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { accept },
    });
    return answer.headers.get('docker-content-digest');
  };
  const at = (repository: string, more: Readonly<Record<string, string>> = {}) => ({
    repository,
    registry: bench.registry.host,
    tags: 'type=ref,event=branch\ntype=sha',
    ...more,
  });

  test(
    'builds, pushes, verifies and tags; the outputs are those of the registry',
    async () => {
      const run = await bench.build({
        context: await bench.context('first'),
        inputs: at('team/web', { labels: 'team=web' }),
      });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed', changed: 'true' } });
      const digest = await head('team/web', IDENTITY);
      expect(run.outputs).toMatchObject({
        digest,
        kind: 'image',
        version: 'main',
        commit: COMMIT,
        platforms: JSON.stringify({ 'linux/amd64': digest }),
        'pinned-tag': `${IDENTITY}@${digest}`,
        images: JSON.stringify({ web: { digest, repository: 'team/web', tag: IDENTITY } }),
      });
      expect(run.outputs['images-sha256']).toBe(sha256(run.outputs['images'] ?? ''));
      expect(await head('team/web', 'main')).toBe(digest);
      expect(await head('team/web', 'sha-0123456')).toBe(digest);
      expect(run.outputs['tags']?.split('\n')).toHaveLength(3);
      // What approval-gate is given is what it takes.
      expect(readEvidence(JSON.parse(run.outputs['evidence'] ?? ''))).toMatchObject({
        ok: true,
        value: [{ verdict: 'pass' }],
      });
    },
    MINUTE,
  );

  test(
    'finds its image the next time: no build, no engine, and nothing is written',
    async () => {
      const context = await bench.context('again');
      const first = await bench.build({ context, inputs: at('team/again') });
      const before = bench.registry.requests().length;
      const again = await bench.build({ context, inputs: at('team/again'), env: { DOCKER_HOST: 'unix:///nowhere' } });
      expect(again).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'reused', changed: 'false', digest: first.outputs['digest'] },
      });
      expect(again.outputs['images']).toBe(first.outputs['images']);
      expect(again.outputs['release-id']).toBe(first.outputs['release-id']);
      const calls = bench.registry.requests().slice(before);
      expect(calls.filter((call) => !/^(GET|HEAD) /.test(call))).toEqual([]);
    },
    MINUTE,
  );

  test(
    'never moves the identity tag of another source: this image gets a name of its own',
    async () => {
      const context = await bench.context('one');
      await bench.build({ context, inputs: at('team/taken') });
      const before = await head('team/taken', IDENTITY);
      const other = await bench.build({ context, inputs: at('team/taken', { 'build-args': 'GREETING=other' }) });
      expect(other).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'pushed' },
      });
      expect(other.outputs['pinned-tag']).toMatch(new RegExp(`^${IDENTITY}-[0-9a-f]{12}@${other.outputs['digest']}$`));
      expect(await head('team/taken', IDENTITY)).toBe(before);
      expect(await head('team/taken', 'main')).toBe(other.outputs['digest']);
    },
    MINUTE,
  );

  test(
    'pushes to several repositories, and to another registry with the login of the user',
    async () => {
      const guarded = await startRegistry('basic');
      const home = mkdtempSync(join(tmpdir(), 'sluice-home-'));
      const auth = Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64');
      writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [guarded.host]: { auth } } }));
      try {
        const run = await bench.build({
          context: await bench.context('several'),
          inputs: {
            ...at(`${guarded.host}/a/main`),
            repository: `${guarded.host}/a/main\n${bench.registry.host}/b/copy`,
          },
          env: { DOCKER_CONFIG: home },
        });
        expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed' } });
        expect(await head('b/copy', 'main')).toBe(run.outputs['digest']);
        expect(readFileSync(join(home, 'config.json'), 'utf8')).toBe(
          JSON.stringify({ auths: { [guarded.host]: { auth } } }),
        );
        expect([run.stdout, run.stderr, JSON.stringify(run.outputs)].join()).not.toContain(REGISTRY_USER.password);
      } finally {
        await guarded.stop();
        rmSync(home, { recursive: true });
      }
    },
    MINUTE,
  );

  test.each([
    ['a gateway that fails at the manifest', { status: 502 }],
    ['a registry that throttles it', { status: 429, body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow"}]}' }],
    [
      'a token that has run out there',
      { status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}' },
    ],
  ])(
    'pushes through %s, which the engine itself never tries again',
    async (name, kind) => {
      const proxy = await startFaultProxy(bench.registry.host);
      const repository = `team/${name.replaceAll(/\W+/g, '-')}`;
      proxy.break({ call: /^PUT .*\/manifests\/sha-/, kind, times: 1 });
      const run = await bench.build({
        context: await bench.context(name),
        inputs: { ...at(repository), registry: proxy.host },
      });
      await proxy.close();
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed' } });
      expect(run.stdout).toMatch(/try 1 of 5/);
      expect(await head(repository, 'main')).toBe(run.outputs['digest']);
    },
    MINUTE,
  );

  test(
    'is told that a tag is immutable at once, and sets nothing',
    async () => {
      const proxy = await startFaultProxy(bench.registry.host);
      const body =
        '{"errors":[{"code":"TAG_INVALID","message":"The image tag already exists and cannot be overwritten because the repository is immutable."}]}';
      proxy.break({ call: /^PUT .*\/manifests\/sha-/, kind: { status: 400, body }, times: 9 });
      const run = await bench.build({
        context: await bench.context('immutable'),
        inputs: { ...at('team/immutable'), registry: proxy.host },
      });
      const puts = proxy.calls().filter((call) => call.startsWith('PUT') && call.includes('/manifests/'));
      await proxy.close();
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
      expect(run.annotations[0]?.message).toContain('A tag that must not move is never overwritten');
      expect(puts).toHaveLength(1);
    },
    MINUTE,
  );

  test(
    'gives the build its secrets, and shows them nowhere; logins and secrets are gone afterwards',
    async () => {
      const dockerfile =
        'FROM scratch\nCOPY busybox /bin/busybox\nRUN --mount=type=secret,id=npm,required=true ["/bin/busybox", "sha256sum", "/run/secrets/npm"]\n';
      const context = await bench.context('secret', { Dockerfile: dockerfile });
      const temp = mkdtempSync(join(tmpdir(), 'sluice-temp-'));
      const run = await bench.build({
        context,
        inputs: at('team/secret', { secrets: 'npm=hunter2-hunter2', 'extra-args': '--network=none' }),
        env: { RUNNER_TEMP: temp },
      });
      const left = readFileSync(join(temp, 'evidence-secret.json'), 'utf8');
      const folders = readdirSync(temp);
      rmSync(temp, { recursive: true });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'pushed' } });
      expect(run.stdout).toContain(sha256('hunter2-hunter2'));
      const shown = run.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
      expect([...shown, run.stderr, run.summary, left, JSON.stringify(run.outputs)].join('\n')).not.toContain(
        'hunter2-hunter2',
      );
      expect(folders).toEqual(['evidence-secret.json']);
      expect(sha256(left)).toBe((JSON.parse(run.outputs['evidence'] ?? '[]') as { sha256: string }[])[0]?.sha256);
    },
    MINUTE,
  );

  test(
    'leaves nothing behind when it is killed: the post step removes what main could not',
    async () => {
      const dockerfile =
        'FROM scratch\nCOPY busybox /bin/busybox\nRUN --mount=type=secret,id=npm ["/bin/busybox", "sleep", "300"]\n';
      const context = await bench.context('killed', { Dockerfile: dockerfile });
      const temp = mkdtempSync(join(tmpdir(), 'sluice-temp-'));
      const inputs = at('team/killed', { secrets: 'npm=hunter2-hunter2', 'extra-args': '--network=none' });
      const killed = await bench.build({
        context,
        inputs,
        env: { RUNNER_TEMP: temp },
        signalAt: { output: /sleep/, signal: 'SIGKILL' },
      });
      expect(readdirSync(temp)).toHaveLength(1);
      const post = await bench.build({
        context,
        inputs,
        env: { RUNNER_TEMP: temp },
        phase: 'post',
        state: killed.state,
      });
      expect(post.exitCode).toBe(0);
      expect(readdirSync(temp)).toEqual([]);
      rmSync(temp, { recursive: true });
    },
    MINUTE,
  );

  test(
    'a build that fails says why in the words of the engine',
    async () => {
      const context = await bench.context('fails', { Dockerfile: 'FROM scratch\nCOPY nothing /nothing\n' });
      const run = await bench.build({ context, inputs: at('team/fails') });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
      expect(run.annotations[0]?.message).toMatch(/^Could not build .*nothing.*No tag was set/s);
    },
    MINUTE,
  );

  test(
    'a build that is not pushed asks no registry',
    async () => {
      const run = await bench.build({
        context: await bench.context('kept'),
        inputs: { ...at('team/kept', { push: 'false' }), registry: '127.0.0.1:9' },
      });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'built', changed: 'false', images: '' } });
    },
    MINUTE,
  );

  test(
    'names everything that is missing at once: the feature, the registry and the engine',
    async () => {
      const run = await bench.build({
        context: await bench.context('missing'),
        inputs: {
          ...at('team/missing', { annotations: 'a=b', provenance: 'max', engine: 'buildkit' }),
          registry: '127.0.0.1:9',
        },
      });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
      const [annotation] = run.annotations;
      expect(annotation?.message).toMatch(/3 problems/);
      expect(annotation?.message).toMatch(
        /repository: .*cannot be used.*annotations: .*not possible.*provenance: .*not possible/s,
      );
    },
    MINUTE,
  );

  test(
    'releases, and a backport leaves the floating tags where they are',
    async () => {
      const release = async (tag: string, page: string) =>
        bench.build({
          context: await bench.context(page),
          inputs: {
            ...at('team/released'),
            tags: 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}',
            'identity-tag': '{{version}}',
          },
          env: { GITHUB_REF: `refs/tags/${tag}`, GITHUB_SHA: sha256(tag).slice(0, 40) },
        });
      const first = await release('v1.9.0', 'one');
      const second = await release('v2.0.0', 'two');
      const backport = await release('v1.9.1', 'three');
      expect([first, second, backport].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
      expect(await head('team/released', 'latest')).toBe(second.outputs['digest']);
      expect(await head('team/released', '1.9')).toBe(backport.outputs['digest']);
      expect(await head('team/released', '1')).toBe(backport.outputs['digest']);
      expect(backport.stdout).toContain('latest is left where it is: 2.0.0 is newer than 1.9.1');
      expect(backport.outputs['images']).toContain('"tag":"1.9.1"');
    },
    3 * MINUTE,
  );

  test(
    'promotes a digest to another repository and tag, and does it once',
    async () => {
      const built = await bench.build({ context: await bench.context('promoted'), inputs: at('team/source') });
      const inputs = {
        mode: 'promote',
        source: `${bench.registry.host}/team/source@${built.outputs['digest']}`,
        repository: `${bench.registry.host}/team/live`,
        tags: 'type=raw,value=production',
      };
      const promoted = await bench.build({ inputs });
      expect(promoted).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'promoted', changed: 'true', digest: built.outputs['digest'] },
      });
      expect(await head('team/live', 'production')).toBe(built.outputs['digest']);
      expect(await bench.build({ inputs })).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'unchanged', changed: 'false' },
      });
    },
    MINUTE,
  );
});

test('a dry run needs neither engine nor registry', async () => {
  const run = await runBundle({
    action: 'build-image',
    inputs: {
      repository: 'ghcr.io/Acme/Shop',
      tags: 'type=semver,pattern={{version}}',
      'dry-run': 'true',
      secrets: 'npm=hunter2-hunter2',
    },
    env: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/tags/v1.4.0', PATH: '/nowhere' },
  });
  expect(run).toMatchObject({
    exitCode: 0,
    outputs: {
      outcome: 'planned',
      version: '1.4.0',
      tags: `ghcr.io/acme/shop:${IDENTITY}\nghcr.io/acme/shop:1.4.0\nghcr.io/acme/shop:latest`,
    },
  });
  expect(run.stdout).toContain(`--secret 'id=npm,src=<file of npm>'`);
  expect(run.stdout).toContain(`command by buildkit: docker tag '<image id>' ghcr.io/acme/shop:${IDENTITY}`);
  expect(run.stdout).toContain(`command by buildkit: docker push ghcr.io/acme/shop:${IDENTITY}`);
  expect(run.summary).not.toContain('hunter2');
});
