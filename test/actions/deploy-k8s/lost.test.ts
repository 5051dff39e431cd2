import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

needs('kubernetes')('deploy-k8s that loses the API server', () => {
  let scene: Scene;
  let server: FaultServer;
  beforeAll(async () => {
    scene = await openScene('lost');
    server = await startFaultServer(scene.cluster);
    await scene.run({ 'release-id': 'old' });
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await scene?.close();
  });

  const OLD = { image: 'registry.example.com/team/web:1', config: 'one', ready: 2 };
  const next = setOf({ tag: '2', config: 'two' });

  /** From the first write of the Deployment on, nothing of this run reaches the API server, until it is given back. */
  const cutOff = (run: string) => {
    const { kubeconfig } = server.run(run);
    const cut = { operation: '*', kind: 'reset', times: 100_000, run } as const;
    server.killAt({
      operation: 'k8s:patch deployments/web',
      ordinal: 1,
      when: 'before',
      run,
      signal: 'SIGCONT',
      onHit: () => server.faults.add(cut),
    });
    return kubeconfig;
  };

  test('and is to leave what failed keeps its reason, and post writes that it stands', async () => {
    const step = scene.step({ kubeconfig: cutOff('leave'), 'release-id': 'half', 'on-failure': 'leave' }, next);
    const main = await runBundle({ ...step, clock: { lockStepFrom: Date.now() } });
    expect(main).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', release: 'half', changed: 'true' } });
    expect(main.annotations.at(-1)?.message).toMatch(
      /web failed after .*: Could not \S+ Deployment .*; what was applied of release half stands as it is, and its record does not say so yet/,
    );
    expect(main.summary).toContain('web-config');
    const away = await runBundle({ ...step, phase: 'post', state: main.state, clock: { lockStepFrom: Date.now() } });
    expect(away).toMatchObject({ exitCode: 1 });
    expect(away.annotations.at(-1)?.message).toMatch(/What was applied of release half stands as it is \(ConfigMap /);
    server.faults.clear();
    const post = await runBundle({ ...step, phase: 'post', state: main.state });
    expect(post).toMatchObject({ exitCode: 0, outputs: { outcome: 'failed' } });
    expect(await scene.truth()).toMatchObject({ image: OLD.image, config: 'two' });
    expect((await scene.run({ mode: 'status' })).stdout).toMatch(/release half \(revision \d+\) failed and stands/);
    const back = await scene.run({ mode: 'rollback' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'old' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('on a roll back that was asked for gives it up, and post names the release that serves again', async () => {
    await scene.run({ 'release-id': 'second' }, next);
    const before = await scene.truth();
    await plannedOnly();
    const step = scene.step({ kubeconfig: cutOff('back'), mode: 'rollback' });
    const main = await runBundle({ ...step, clock: { lockStepFrom: Date.now() } });
    expect(main).toMatchObject({ exitCode: 1, outputs: { outcome: 'rollback-failed' } });
    const named = `ConfigMap ${scene.namespace}/web-config, Deployment ${scene.namespace}/web`;
    expect(main.annotations.at(-1)?.message).toContain(`what may not be as it was: ${named}`);
    const away = await runBundle({ ...step, phase: 'post', state: main.state, clock: { lockStepFrom: Date.now() } });
    expect(away).toMatchObject({ exitCode: 1 });
    expect(away.annotations.at(-1)?.message).toContain(`is not taken back: what it applied stands (${named})`);
    server.faults.clear();
    const post = await runBundle({ ...step, phase: 'post', state: main.state });
    expect(post.summary).toMatch(
      /web could not be rolled back, and what was to be left serves again .*release second \(revision \d+\) is back/,
    );
    expect(await scene.truth()).toEqual(before);
    expect(before).toMatchObject({ config: 'two' });
  }, 240_000);

  /** The dry run of the same roll back, which reads and writes nothing. */
  async function plannedOnly(): Promise<void> {
    const { kubeconfig } = server.run('dry');
    const planned = await scene.run({ mode: 'rollback', 'dry-run': 'true', kubeconfig });
    expect(planned).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
    expect(planned.stdout).toContain('would go back to release old');
    const calls = server.calls().filter(({ run }) => run === 'dry');
    expect(calls.map(({ operation }) => operation)).toContain('k8s:list secrets');
    expect(calls.filter(({ mutating }) => mutating)).toEqual([]);
  }
});
