import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { needs } from '../../harness/needs.ts';
import { cancelAsRunner, mainThenPost, onceItSays } from '../../harness/interrupt.ts';
import { runBundle, startBundle } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

needs('kubernetes')('deploy-k8s that is killed at a call', () => {
  let scene: Scene;
  let server: FaultServer;
  beforeAll(async () => {
    scene = await openScene('killed');
    server = await startFaultServer(scene.cluster);
    await scene.run({ 'release-id': 'old' });
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await scene?.close();
  });

  const OLD = { image: 'registry.example.com/team/web:1', config: 'one', ready: 2 };
  const next = setOf({ tag: '2', config: 'two' });
  let runs = 0;
  /** Dry runs have names of their own. */
  const killed = async (operation: string, when: 'before' | 'after', set = next) => {
    // A name for each: calls are counted by it.
    const run = `${operation} ${when} ${(runs += 1)}`;
    const { kubeconfig } = server.run(run);
    const spawned: { pid?: number } = {};
    server.killAt({ operation, ordinal: 1, when, run, pid: () => spawned.pid });
    const step = scene.step({ kubeconfig, 'release-id': 'new' }, set);
    const running = await startBundle(step);
    spawned.pid = running.pid;
    const main = await running.result;
    expect(main.signal).toBe('SIGKILL');
    // A re-run of the job: an attempt takes the lease of the one before at once.
    const again = { env: { ...step.env, GITHUB_RUN_ATTEMPT: '2' } };
    return { step, state: main.state, again };
  };

  test.each([
    ['k8s:patch configmaps/web-config', 'before'],
    ['k8s:patch deployments/web', 'after'],
  ] as const)(
    'at %s (%s) is taken back by post',
    async (operation, when) => {
      const { step, state } = await killed(operation, when);
      const post = await runBundle({ ...step, phase: 'post', state });
      expect(post.outputs['outcome']).toBe('rolled-back');
      expect(await scene.truth()).toEqual(OLD);
    },
    240_000,
  );

  test('is left to its own post by another job of the same run', async () => {
    const { step, state } = await killed('k8s:patch services/web', 'after');
    const other = await scene.run({ 'release-id': 'other' }, setOf({ tag: '3' }), { env: { ...step.env } });
    expect(other).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(other.annotations.at(-1)?.message).toMatch(/another job or step of this run \(\d+\/1\) releases web/);
    const post = { ...step, phase: 'post' } as const;
    await runBundle({ ...post, state: { ...state, process: 'of another job' } });
    expect(await scene.truth()).toMatchObject({ config: 'two' });
    expect(await runBundle({ ...post, state })).toMatchObject({ outputs: { outcome: 'rolled-back' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('or whose job is cancelled while it waits is taken back by post', async () => {
    const slow = setOf({ tag: '2-never-healthy', config: 'two' });
    const waits = onceItSays(/Deployment \S+ waits for/, cancelAsRunner({ scale: 1 }));
    const { main, post } = await mainThenPost(scene.step({ 'release-id': 'new' }, slow), waits);
    expect(main).toMatchObject({ exitCode: 130, outputs: { outcome: 'cancelled' } });
    expect(post).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('and gone on with by a re-run that is cancelled in turn is taken back by the post of that one', async () => {
    const slow = setOf({ tag: '2-never-healthy', config: 'two' });
    const { again } = await killed('k8s:patch services/web', 'after', slow);
    const waits = onceItSays(/Deployment \S+ waits for/, cancelAsRunner({ scale: 1 }));
    const { main, post } = await mainThenPost(scene.step({ 'release-id': 'new' }, slow, again), waits);
    expect(main).toMatchObject({ exitCode: 130, outputs: { outcome: 'cancelled' } });
    expect(main.stdout).toContain('Going on with release new');
    expect(post).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

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

  test('or that loses the API server on the way there and back says so, and post takes it back', async () => {
    const step = scene.step({ kubeconfig: cutOff('lost'), 'release-id': 'new', 'on-cancel': 'leave' }, next);
    const main = await runBundle({ ...step, clock: { lockStepFrom: Date.now() } });
    expect(main).toMatchObject({ exitCode: 1, outputs: { outcome: 'rollback-failed', changed: 'true' } });
    expect(main.stdout).toContain('the post step of this run tries it again');
    expect(await scene.truth()).toMatchObject({ image: OLD.image, config: 'two' });
    server.faults.clear();
    const post = await runBundle({ ...step, phase: 'post', state: main.state });
    expect(post).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('without a post is taken back by a roll back', async () => {
    const { step, again } = await killed('k8s:patch services/web', 'after');
    const run = `${step.env?.['GITHUB_RUN_ID']}/1`;
    // Its lease is not a minute old yet, so nobody knows that it is dead.
    expect((await scene.run({ mode: 'status' })).stdout).toContain(`is applying by run ${run}`);
    await scene.cluster.admin.api.merge(
      `/apis/coordination.k8s.io/v1/namespaces/${scene.namespace}/leases/sluice-web`,
      { spec: { renewTime: new Date(Date.now() - 61_000).toISOString().replace('Z', '000Z') } },
    );
    expect((await scene.run({ mode: 'status' })).stdout).toContain(`its run ${run} does not answer`);
    const back = await scene.run({ mode: 'rollback' }, undefined, again);
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'old' } });
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  const setImage = async (tag: string): Promise<void> => {
    const containers = [{ name: 'web', image: `registry.example.com/team/web:${tag}` }];
    const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web?fieldManager=kubectl-set`;
    const change = JSON.stringify({ spec: { template: { spec: { containers } } } });
    await scene.cluster.admin.api.request('PATCH', path, change, 'application/strategic-merge-patch+json');
  };

  test('without a post is taken back by a roll back, with an image that somebody set since', async () => {
    const { again } = await killed('k8s:patch deployments/web', 'after');
    await setImage('hotfix');
    const back = await scene.run({ mode: 'rollback' }, undefined, again);
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', release: 'old' } });
    expect(back.stdout).toContain('.image is taken back from kubectl-set');
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('is taken back by its post but for an image that somebody set since, which it says', async () => {
    const { step, state } = await killed('k8s:patch deployments/web', 'after');
    await setImage('hotfix');
    const post = await runBundle({ ...step, phase: 'post', state });
    expect(post.outputs['outcome']).toBe('rolled-back');
    expect(`${post.stdout}${post.annotations.map(({ message }) => message).join('')}`).toMatch(
      /is back in \S+, but for images that others set since: Deployment \S+\/web \(\S+\.image is left to kubectl-set\)/,
    );
    expect(await scene.truth()).toEqual({ ...OLD, image: 'registry.example.com/team/web:hotfix' });
    await scene.run({ 'release-id': 'old', 'field-conflicts': 'force' });
  }, 240_000);

  test('without a post is taken back first by a run of another set', async () => {
    const { again } = await killed('k8s:patch secrets/web-secret', 'after');
    const other = await scene.run({ 'release-id': 'same' }, undefined, again);
    expect(other).toMatchObject({ exitCode: 0 });
    expect(other.stdout).toContain('it is taken back first');
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('without a post is taken back first, and what its objects bore is missed before the first write', async () => {
    const extra = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\n';
    const { again } = await killed('k8s:patch deployments/web', 'after', setOf({ tag: '2', more: extra }));
    const reader = setOf({ tag: '3', config: 'three' }).replace(
      'envFrom: [',
      'envFrom: [{ configMapRef: { name: extra } }, ',
    );
    const other = await scene.run({ 'release-id': 'reader' }, reader, again);
    expect(other).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'true' } });
    expect(other.annotations.at(-1)?.message).toContain(`names ConfigMap ${scene.namespace}/extra`);
    expect(await scene.truth()).toEqual(OLD);
  }, 240_000);

  test('without a post is gone on with by the next run of the same set', async () => {
    const { again } = await killed('k8s:patch deployments/web', 'before');
    const resumed = await scene.run({ 'release-id': 'new' }, next, again);
    expect(resumed).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', release: 'new' } });
    expect(resumed.stdout).toContain('Going on with release new');
    expect(await scene.truth()).toEqual({ image: 'registry.example.com/team/web:2', config: 'two', ready: 2 });
  }, 240_000);
});
