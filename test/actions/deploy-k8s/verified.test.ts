import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const CHECKS = 'version: 1\nchecks:\n  - { name: alive, get: /health, expect: { status: 200 } }\n';
const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
`;

/** The cluster calls it ready; whether users are well is asked of an address that answers as the test wants it. */
needs('kubernetes')('a release that is ready', () => {
  let scene: Scene;
  let users: Server;
  let status = 200;
  let url = '';
  beforeAll(async () => {
    scene = await openScene('verified');
    users = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((listening) => users.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(users.address() as AddressInfo).port}`;
    const first = await scene.run({ 'release-id': 'v1', checks: 'checks.yml', url }, setOf({ more: BUDGET }), {
      files: { 'checks.yml': CHECKS },
    });
    expect(first).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
  }, 300_000);
  afterAll(async () => {
    users?.close();
    await scene?.close();
  });

  const OLD = { image: 'registry.example.com/team/web:1', config: 'one', ready: 2 };
  const next = setOf({ tag: '2', config: 'two', more: BUDGET });

  test('and that nothing is to be changed of is red by red checks all the same, and stays', async () => {
    status = 500;
    const run = await scene.run({ 'release-id': 'v1', checks: 'checks.yml', url }, setOf({ more: BUDGET }), {
      files: { 'checks.yml': CHECKS },
    });
    status = 200;
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false', revision: '1' } });
    expect(run.annotations.at(-1)?.message).toContain('nothing was changed, so nothing is taken back');
    expect(await scene.truth()).toEqual(OLD);
  }, 120_000);

  test('is taken back by red checks, and only what differs is written and said', async () => {
    status = 500;
    const run = await scene.run({ 'release-id': 'v2', checks: 'checks.yml', url }, next, {
      files: { 'checks.yml': CHECKS },
    });
    status = 200;
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(run.annotations.at(-1)?.message).toContain('1 of 1 checks failed after the deployment: alive');
    expect(await scene.truth()).toEqual(OLD);
    const restored = [...run.stdout.matchAll(/^(\w+) \S+ restored$/gm)].map(([, kind]) => kind);
    expect(restored.sort()).toEqual(['ConfigMap', 'Deployment']);
    const objects = JSON.parse(run.outputs['objects'] ?? '') as { kind: string; done: string }[];
    expect(
      objects
        .filter(({ done }) => done !== 'restored')
        .map(({ kind, done }) => `${kind} ${done}`)
        .sort(),
    ).toEqual(['PodDisruptionBudget unchanged', 'Secret unchanged', 'Service unchanged']);
  }, 120_000);

  test('is taken back by a red rule and stays by a green one, after it was judged', async () => {
    const namespace = await scene.cluster.namespace('verified-green');
    const judged = { recheck: '1m', url };
    const [red, green] = await Promise.all([
      scene.run({ 'release-id': 'v3', rules: 'error-rate >= 0%', ...judged }, next),
      scene.run({ 'release-id': 'v3', rules: 'error-rate > 5%\nwarn: p95 > 30s for 1m', namespace, ...judged }, next, {
        timeout: 150_000,
      }),
    ]);
    expect(red).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(red.stdout).toContain('Judging by 1 rule for 1m');
    expect(red.annotations.at(-1)?.message).toContain('a rule failed after the deployment: ');
    expect(await scene.truth()).toEqual(OLD);
    expect(green).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', release: 'v3' } });
    expect(green.stdout).toContain('Judging by 2 rules for 1m');
    expect(await scene.live(`/apis/apps/v1/namespaces/${namespace}/deployments/web`)).toMatchObject({
      status: { readyReplicas: 2 },
    });
    await scene.cluster.admin.api.delete(`/api/v1/namespaces/${namespace}`);
  }, 180_000);

  test('is not begun with rules that nobody can measure', async () => {
    const run = await scene.run({ rules: 'error-rate > 5%\np95 > stable + 10%' }, next);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
    const [{ message = '' } = {}] = run.annotations;
    expect(message).toContain('rules: need an address to measure. Accepted: url.');
    expect(message).toContain('compares with stable, which a rolling update has not');
  });

  test('shows no line of the kubeconfig as a secret that is none', async () => {
    const run = await scene.run({ mode: 'status' });
    const masked = run.commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
    expect(masked.length).toBeGreaterThan(0);
    for (const line of ['kind: Config', 'apiVersion: v1', `server: ${scene.cluster.url}`])
      expect(masked).not.toContain(line);
    expect(scene.cluster.admin.kubeconfig).toContain(masked[0]);
  }, 60_000);
});
