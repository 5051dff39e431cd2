import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { unlisted } from './rights.ts';
import { type Scene, NOT_HELD, POLICY, scene } from './scene.ts';

// Both colors stand behind one rule, deployed by somebody else (`deploy: none`): every mode, without a service of ECS.

let cloud: Cloud;
let stage: Scene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
  const ecs = new ECSClient(stage.world.client());
  const { cluster, services } = stage.stacked;
  await ecs.send(new UpdateServiceCommand({ cluster, service: services['green']?.name, desiredCount: 2 }));
  ecs.destroy();
  await stage.world.advance(60_000);
}, 300_000);
afterAll(() => cloud?.stop());
/** Whatever was called stands among the permissions of the README. */
afterEach(() => expect(unlisted(stage.world.calls())).toEqual([]));

const NOTHING = { deploy: 'none', cluster: '', services: '', image: '', checks: '' };
const files = { 'policy.yml': stringify({ ...POLICY, steps: ['50%', '100%'], bake: '30s', recheck: 'none' }) };
const step = (inputs: Readonly<Record<string, string>>, id: string, more: Parameters<Scene['step']>[1] = {}) =>
  stage.step({ ...NOTHING, ...inputs }, { files, env: { GITHUB_RUN_ID: id }, ...more });

/** What no step here may have touched. */
const AS_DEPLOYED = { desired: { blue: 2, green: 2 }, suspended: NOT_HELD };

describe('a release that somebody else has deployed, over an ALB', () => {
  let released: BundleResult;
  test('is shifted, judged and finished by run, which asks nothing of ECS', async () => {
    const before = stage.world.calls().length;
    const result = await runBundle(step({}, '20'));
    released = result;
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass', 'candidate-color': 'green' });
    expect(result.stdout).toContain('blue is left as it is, because no service of it is known');
    expect(await stage.truth()).toMatchObject({ ...AS_DEPLOYED, weights: { blue: 0, green: 100 }, phase: 'done' });
    const asked = stage.world.calls().slice(before).filter(({ run }) => run === 'action').map(({ operation }) => operation);
    expect(asked.filter((name) => /^(ecs|application-autoscaling):/.test(name))).toEqual([]);
  }, 300_000); // prettier-ignore

  test('has nothing left for its watch and its post to do: both are green and write nothing', async () => {
    const writes = stage.writes().length;
    const watched = await runBundle(step({ mode: 'watch' }, '20'));
    expect(watched.exitCode).toBe(0);
    expect(watched.outputs).toMatchObject({ outcome: 'nothing-to-do', changed: 'false' });
    expect(watched.stdout).toContain('Shift 20-1 is done');
    // As the runner hands it over: what the run above saved says that it ended by itself, and nobody asks AWS anything.
    expect(released.state).not.toEqual({});
    const calls = stage.world.calls().length;
    const post = await runBundle(step({}, '20', { phase: 'post', state: released.state }));
    expect(post.exitCode).toBe(0);
    expect(stage.world.calls().length).toBe(calls);
    // A main that died between the last record and its own end: post looks, and finds nothing to take back.
    const began = Object.fromEntries(Object.keys(released.state).map((key) => [key, 'began']));
    const afterDeath = await runBundle(step({}, '20', { phase: 'post', state: began }));
    expect(afterDeath.exitCode).toBe(0);
    expect(stage.world.calls().length).toBeGreaterThan(calls);
    expect(stage.writes().length).toBe(writes);
    expect(await stage.truth()).toMatchObject({ ...AS_DEPLOYED, weights: { blue: 0, green: 100 }, phase: 'done' });
  }, 300_000);

  test('goes back on demand while the color of before still stands', async () => {
    const result = await runBundle(step({ mode: 'rollback', policy: '' }, '21'));
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'blue' });
    expect(await stage.truth()).toMatchObject({ ...AS_DEPLOYED, weights: { blue: 100, green: 0 }, phase: 'rolled-back' });
  }, 300_000); // prettier-ignore

  test('is handed from prepare to shift to finish', async () => {
    const prepared = await runBundle(step({ mode: 'prepare' }, '22'));
    expect(prepared.outputs).toMatchObject({ outcome: 'prepared', 'candidate-color': 'green' });
    const id = { 'shift-id': prepared.outputs['shift-id'] ?? '' };
    const shifted = await runBundle(step({ mode: 'shift', ...id }, '22'));
    expect(shifted.outputs).toMatchObject({ outcome: 'switched', verdict: 'pass' });
    const finished = await runBundle(step({ mode: 'finish', ...id }, '22'));
    expect(finished.exitCode).toBe(0);
    expect(finished.outputs).toMatchObject({ outcome: 'promoted' });
    expect(await stage.truth()).toMatchObject({ ...AS_DEPLOYED, weights: { blue: 0, green: 100 }, phase: 'done' });
  }, 300_000);

  test('whose runner died is taken back by its watch', async () => {
    const killed = await runBundle(
      step({}, '23', { signalAt: { output: /blue serves 50 % since now/, signal: 'SIGKILL' } }),
    );
    expect(killed.signal).toBe('SIGKILL');
    expect(await stage.truth()).toMatchObject({ weights: { blue: 50, green: 50 } });
    const watched = await runBundle(step({ mode: 'watch' }, '23'));
    expect(watched.exitCode).toBe(0);
    expect(watched.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'green' });
    expect(await stage.truth()).toMatchObject({ ...AS_DEPLOYED, weights: { blue: 0, green: 100 } });
  }, 300_000);
});

test('tasks of an earlier release in the same target group do not count: a candidate that does not start gets nothing', async () => {
  // Two tasks of before are healthy behind blue all the time.
  const result = await runBundle(
    stage.step(
      { image: stage.images.crash, checks: '', timeout: '2m', 'min-healthy-targets': '2' },
      { files, env: { GITHUB_RUN_ID: '24' } },
    ),
  );
  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ outcome: 'candidate-failed', 'candidate-color': 'blue' });
  expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, suspended: NOT_HELD });
}, 300_000);
