import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { unlisted } from './rights.ts';
import { type NamesScene, namesScene } from './names-scene.ts';

let cloud: Cloud;
let stage: NamesScene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await namesScene(cloud);
}, 120_000);
afterAll(() => cloud?.stop());
/** Whatever was called stands among the permissions of the README. */
afterEach(() => expect(unlisted(stage.world.calls())).toEqual([]));

const seconds = (from: string | undefined, to: string | undefined): number =>
  (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1_000;

describe('a release by weights of Route 53', () => {
  test('that errs is taken back, and is over only when everybody follows', async () => {
    const result = await runBundle(await stage.step({ image: stage.images.bad }));
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', verdict: 'fail', 'stable-color': 'blue' });
    expect(await stage.truth()).toMatchObject({
      weights: { blue: 100, green: 0 },
      desired: { blue: 2, green: 0 },
      phase: 'rolled-back',
    });
    // In sync after 30 s here, and answers of before live for 60 s.
    expect(seconds(result.outputs['detected-at'], result.outputs['restored-at'])).toBeGreaterThanOrEqual(90);
    expect(result.stdout).toContain("blue to be everybody's again");
  }, 120_000);

  test('that is good gets its steps, each judged when it has reached everybody, and the old color is drained', async () => {
    const before = stage.world.calls().length;
    const result = await runBundle(await stage.step());
    expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass', 'candidate-color': 'green' });
    expect(await stage.truth()).toMatchObject({
      weights: { blue: 0, green: 100 },
      desired: { blue: 0, green: 2 },
      phase: 'done',
    });
    for (const percent of [10, 50, 100]) expect(result.stdout).toContain(`${percent} % to reach everybody`);
    const names = stage.world
      .calls()
      .slice(before)
      .map(({ operation }) => operation);
    expect(names).not.toContain('elasticloadbalancing:ModifyRule');
    expect(names).toContain('route53:GetChange');
  }, 120_000);

  test('has nothing to do when it is asked for again, and goes back to the color of before while that one stands', async () => {
    const again = await runBundle(await stage.step());
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', changed: 'false' });
    await stage.world.advance(60_000);
    const back = await runBundle(await stage.step({ mode: 'rollback', image: '' }));
    expect(back.exitCode).toBe(1);
    expect(JSON.stringify(back.annotations)).toContain('blue has no healthy target to go back to');
  }, 120_000);

  test('killed in the middle leaves both records with weight, and post takes it back', async () => {
    const step = await stage.step({ image: stage.images.first });
    const killed = await runBundle({ ...step, signalAt: { output: /blue serves 50 % since now/, signal: 'SIGKILL' } });
    expect(killed.signal).toBe('SIGKILL');
    expect((await stage.truth()).weights).toEqual({ blue: 50, green: 50 });
    const clock = { lockStepFrom: stage.world.now() };
    const post = await runBundle({ ...step, phase: 'post', state: killed.state, clock });
    expect(post.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, phase: 'rolled-back' });
  }, 120_000);

  test('a dry run says the weights, the targets and the plan, and changes nothing', async () => {
    const before = stage.world.calls().filter(({ mutating, run }) => mutating && run === 'action').length;
    const result = await runBundle(await stage.step({ image: stage.images.first, 'dry-run': 'true' }));
    expect(result.outputs).toMatchObject({ outcome: 'planned', changed: 'false' });
    expect(result.stdout).toContain('Traffic: blue 0 / green 100');
    expect(stage.world.calls().filter(({ mutating, run }) => mutating && run === 'action').length).toBe(before);
  }, 60_000);
});
