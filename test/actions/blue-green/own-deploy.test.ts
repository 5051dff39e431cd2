import { UpdateServiceCommand, ECSClient } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type NamesScene, namesScene } from './names-scene.ts';
import { POLICY } from './scene.ts';

// Releases whose candidate a step before has deployed (`deploy: none`), and recovery to another region's record: no service
// of ECS is named, and the role needs no right of ECS.

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 60_000);
afterAll(() => cloud?.stop());

const NOTHING = { deploy: 'none', cluster: '', services: '', image: '', 'expect-version': '', checks: '' };
const SHORT = { ...POLICY, steps: ['50%', '100%'] };
const files = { 'policy.yml': stringify(SHORT) };
const operationsOf = ({ world }: NamesScene, from: number): readonly string[] =>
  world
    .calls()
    .slice(from)
    .filter(({ run }) => run !== 'fixture')
    .map(({ operation }) => operation);

/** As the team's own job leaves it: so many tasks run behind the load balancer of a color. */
async function deployed({ world, stacks }: NamesScene, color: 'blue' | 'green', desiredCount: number): Promise<void> {
  const ecs = new ECSClient(world.client());
  await ecs.send(new UpdateServiceCommand({ cluster: stacks[color].cluster, service: `reader-${color}-service`, desiredCount }));
  ecs.destroy();
  await world.advance(60_000);
} // prettier-ignore

describe('a release that somebody else has deployed, over Route 53', () => {
  let stage: NamesScene;
  beforeAll(async () => {
    stage = await namesScene(cloud, { greenDesired: 2 });
  }, 60_000);

  test('is checked by its health, shifted, judged and finished, and nothing of ECS is asked or scaled', async () => {
    const before = stage.world.calls().length;
    const script = "console.log(`removing the stack of ${process.env.SLUICE_OLD_COLOR}`)";
    const step = await stage.step({
      ...NOTHING,
      'after-promote': JSON.stringify([[process.execPath, '-e', script]]),
    }, { files });
    const result = await runBundle(step);
    expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass', 'candidate-color': 'green', hooks: 'good' });
    expect(result.stdout).toContain('blue is left as it is, because no service of it is known');
    expect(result.stdout).toContain('removing the stack of blue');
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, desired: { blue: 2, green: 2 }, phase: 'done' });
    const called = operationsOf(stage, before);
    expect(called.filter((name) => /^(ecs|application-autoscaling):/.test(name))).toEqual([]);
    const again = await runBundle(await stage.step(NOTHING));
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', changed: 'false' });
  }, 300_000); // prettier-ignore

  test('that does not serve gets no traffic', async () => {
    await deployed(stage, 'blue', 0);
    const result = await runBundle(await stage.step({ ...NOTHING, timeout: '1m' }, { env: { GITHUB_RUN_ID: '8' } }));
    expect(result.outputs).toMatchObject({ outcome: 'candidate-failed', 'candidate-color': 'blue' });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 } });
  }, 60_000);

  test('goes through the modes one by one: prepare, shift killed, reconcile, status', async () => {
    await deployed(stage, 'blue', 2);
    const env = { GITHUB_RUN_ID: '9' };
    const prepared = await runBundle(await stage.step({ ...NOTHING, mode: 'prepare' }, { env }));
    expect(prepared.outputs).toMatchObject({ outcome: 'prepared' });
    const shift = await stage.step({ ...NOTHING, mode: 'shift', 'shift-id': prepared.outputs['shift-id'] ?? '' }, { env, files });
    const killed = await runBundle({ ...shift, signalAt: { output: /blue serves 50 % since now/, signal: 'SIGKILL' } });
    expect(killed.signal).toBe('SIGKILL');
    await stage.world.advance(120_000);
    const mended = await runBundle(await stage.step({ ...NOTHING, mode: 'reconcile' }, { env: { GITHUB_RUN_ID: '10' } }));
    expect(mended.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(mended.exitCode).toBe(0);
    const status = await runBundle(await stage.step({ ...NOTHING, mode: 'status' }));
    expect(status.stdout).toContain('blue: 2 of 2 targets healthy, tasks unknown');
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, desired: { blue: 2, green: 2 } });
  }, 300_000); // prettier-ignore

  test('is judged by what CloudWatch has of each load balancer, whose requests are all that it knows', async () => {
    const policy = {
      ...POLICY,
      steps: ['100%'],
      bake: '4m',
      rules: [{ fail: 'error-rate > 5% for 2m', 'min-samples': 10 }, 'p95 > 5s for 2m'],
      metrics: {
        'error-rate': { from: 'cloudwatch' },
        requests: { from: 'cloudwatch' },
        p95: { from: 'probe', path: '/', every: '1s' },
      },
    };
    const step = await stage.step({ ...NOTHING, policy: 'own.yml' }, { env: { GITHUB_RUN_ID: '11' } });
    const result = await runBundle({ ...step, files: { ...step.files, 'own.yml': stringify(policy) } });
    expect(result.summary).toMatch(/error-rate > 5% for 2m.*0 % \(n=\d+\).*holds/);
    // Of each end point by itself; nobody but the probes asks for anything here.
    expect(result.stdout).toMatch(/Requests at weight 100: blue [\d.]+\/s \(\d+ %\), green [\d.]+\/s/);
    expect(result.outputs).toMatchObject({ outcome: 'promoted', 'candidate-color': 'blue' });
  }, 300_000);
});

describe('recovery to the record of another region', () => {
  let stage: NamesScene;
  beforeAll(async () => {
    stage = await namesScene(cloud, { recoveryRegion: 'eu-west-1', greenDesired: 2, as: { ttl: 30 } });
  }, 60_000);
  const recover = { ...NOTHING, mode: 'rollback', policy: '' };

  test('moves everything there, and is over when the change is in sync and answers of before have expired', async () => {
    await deployed(stage, 'blue', 0);
    const begun = stage.world.now();
    // The region that is lost does not say what stands there; the first that is asked for is blue.
    const lost = stage.world.faults.add({
      kind: 'access-denied',
      operation: 'elasticloadbalancing:DescribeLoadBalancers',
      run: 'action',
      times: 1,
    });
    const result = await runBundle(await stage.step({ ...recover, 'to-color': 'green' }));
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'green' });
    expect(result.exitCode).toBe(0);
    expect((await stage.truth()).weights).toEqual({ blue: 0, green: 100 });
    const restored = Date.parse(result.outputs['restored-at'] ?? '');
    expect(restored - begun).toBeGreaterThanOrEqual(30_000);
    expect(lost.hits()).toBe(1);
    expect(result.stdout).toContain('Nothing is known of blue, which is left');
    const again = await runBundle(await stage.step({ ...recover, 'to-color': 'green' }));
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', changed: 'false' });
  }, 60_000);

  test('is refused while nothing serves there, and the way back is the same command with the other color', async () => {
    const dead = await runBundle(await stage.step({ ...recover, 'to-color': 'blue' }));
    expect(dead.outputs).toMatchObject({ outcome: 'refused', changed: 'false' });
    expect(JSON.stringify(dead.annotations)).toContain('blue has no healthy target');
    await deployed(stage, 'blue', 2);
    const back = await runBundle(await stage.step({ ...recover, 'to-color': 'blue' }));
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'blue' });
    expect((await stage.truth()).weights).toEqual({ blue: 100, green: 0 });
  }, 60_000);
});
