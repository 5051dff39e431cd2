import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { unlisted } from './rights.ts';
import { stringify } from 'yaml';
import { NOT_HELD, POLICY, type Scene, scene } from './scene.ts';
import { partsOf } from './summary-parts.ts';

let cloud: Cloud;
let stage: Scene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 60_000);
afterAll(() => cloud?.stop());
/** Whatever was called stands among the permissions of the README. */
afterEach(() => expect(unlisted(stage.world.calls())).toEqual([]));

const BLUE_AS_BEFORE = {
  suspended: NOT_HELD,
  weights: { blue: 100, green: 0 },
  desired: { blue: 2, green: 0 },
};
const GREEN_ALONE = {
  suspended: NOT_HELD,
  weights: { blue: 0, green: 100 },
  desired: { blue: 0, green: 2 },
};
const errorsOf = (result: BundleResult): string =>
  result.annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');

describe('the step', () => {
  beforeAll(async () => {
    stage = await scene(cloud);
  }, 60_000);

  test('changes nothing in a dry run, and prints every value with its origin, the state and the plan', async () => {
    const result = await runBundle(stage.step({ 'dry-run': 'true' }));
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ outcome: 'planned', changed: 'false' });
    expect(partsOf(result.summary)).toMatchObject({ heading: 'Blue-green: planned', timeline: [], charts: [] });
    expect(stage.writes()).toEqual([]);
    for (const line of [
      'cluster: production-shop-cluster  (input)',
      'on-stale: rollback  (default)',
      'Traffic: blue 100 / green 0',
      'blue: 2 of 2 targets healthy, 2 tasks asked for',
      'First: record preparing: blue is live; green becomes the candidate',
      'green at 10 %, judged for 1m',
      'Drain blue for 1m, then scale it to 0',
    ]) expect(result.stdout).toContain(line);
  }, 60_000); // prettier-ignore

  test('only looks when it is asked for the status', async () => {
    const result = await runBundle(stage.step({ mode: 'status' }));
    expect(result.outputs).toMatchObject({ outcome: 'status', changed: 'false', 'shift-id': '' });
    expect(stage.writes()).toEqual([]);
    expect(result.stdout).toContain('Shift: none was ever recorded');
  }, 60_000);

  test('begins no candidate that the account has no room for, and goes back to where it was', async () => {
    // Two tasks of a quarter of a vCPU run, and two more would.
    stage.world.fargate({ quota: 0.75 });
    const registered = () => stage.writes().filter((operation) => operation.includes('RegisterTaskDefinition')).length;
    const before = registered();
    const result = await runBundle(stage.step());
    stage.world.fargate({ quota: 4_000 });
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'candidate-failed' } });
    expect(errorsOf(result)).toContain('Fargate vCPU left of 0.75 on-demand: 0.25, room for 1 task, and 2 more have to start');
    expect(registered()).toBe(before);
    expect(await stage.truth()).toMatchObject(BLUE_AS_BEFORE);
  }, 60_000); // prettier-ignore

  test('takes a bad image back by itself, and says what was seen, when, and how long it took', async () => {
    const result = await runBundle(stage.step({ image: stage.images.bad }));
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', verdict: 'fail', changed: 'true', 'stable-color': 'blue', 'candidate-color': 'green' });
    expect(result.outputs['rollback-seconds']).toMatch(/^\d+\.\d$/);
    expect(Date.parse(result.outputs['restored-at'] ?? '')).toBeGreaterThanOrEqual(Date.parse(result.outputs['detected-at'] ?? ''));
    expect(errorsOf(result)).toMatch(/^Rolled back to blue: error-rate \d+(\.\d)? % > 5 % \(n=\d+\), (\d+ of the last \d+: )?at least .* with 99\.9 % confidence; traffic was back .* after that was seen$/);
    const told = partsOf(result.summary);
    expect(told).toMatchObject({ heading: 'Blue-green: rolled-back, verdict fail', says: errorsOf(result) });
    expect(told.timeline.map(([, share, , what]) => `${share} ${what}`)).toEqual([
      '0 % blue is live; green becomes the candidate',
      expect.stringMatching(/^0 % green is ready at weight 0/),
      '10 % green serves 10 % since now',
      expect.stringMatching(/^10 % Rolling back to blue: error-rate/),
      '0 % blue has all traffic again',
      '0 % Shift 4711-1 is rolled back',
    ]);
    const [shares = [], errors = []] = told.charts[0]?.series ?? [];
    expect([shares[0], shares.at(-1)]).toEqual([10, 0]);
    expect(Math.max(...errors)).toBeGreaterThan(5);
    expect(told.rules).toEqual([
      ['health fails 3 in a row', 'fail', 'good', 'holds'],
      ['error-rate > 5% for 1m', 'fail', expect.stringMatching(/^\d+(\.\d)? % \(n=\d+\)$/), expect.stringMatching(/^\*\*failed\*\*: error-rate .* > 5 % \(n=\d+\)/)],
    ]);
    expect(await stage.truth()).toMatchObject({ ...BLUE_AS_BEFORE, phase: 'rolled-back' });
  }, 60_000); // prettier-ignore

  test.each([
    { name: 'an image that does not start', denied: [] },
    {
      name: 'one that ECS takes back, where its record of that may not be read',
      denied: ['ecs:DescribeServiceDeployments'],
    },
  ])(
    'gives no traffic to $name, and says why',
    async ({ denied }) => {
      for (const operation of denied) stage.world.faults.add({ operation, kind: 'access-denied', times: 1_000 });
      const result = await runBundle(stage.step({ image: stage.images.crash, timeout: '3m' }));
      stage.world.faults.clear();
      expect(result.exitCode).toBe(1);
      expect(result.outputs).toMatchObject({
        outcome: 'candidate-failed',
        verdict: 'fail',
        'rollback-seconds': '',
      });
      expect(errorsOf(result)).toContain(
        'The candidate green got no traffic: production-shop-green-service was not deployed (rolled-back): ',
      );
      expect(errorsOf(result)).toMatch(/Likely cause: the application ended with an error.*exit code 1/);
      expect(partsOf(result.summary)).toMatchObject({
        heading: 'Blue-green: candidate-failed, verdict fail',
        says: expect.stringContaining(
          'The candidate green got no traffic: production-shop-green-service was not deployed',
        ),
        charts: [],
      });
      expect(await stage.truth()).toMatchObject({ weights: BLUE_AS_BEFORE.weights, desired: BLUE_AS_BEFORE.desired });
    },
    60_000,
  );

  test('releases a good image: three steps, judged, the old color drained', async () => {
    const result = await runBundle(stage.step());
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({
      outcome: 'promoted', verdict: 'pass', changed: 'true', 'shift-id': '4711-1', 'stable-color': 'blue', 'candidate-color': 'green',
      'candidate-url': stage.stacked.url, 'candidate-headers': '{"x-color":"green"}', 'detected-at': '', 'restored-at': '', 'rollback-seconds': '',
    });
    expect(result.stdout).toContain('Weight 10 -> 50, bake 1m');
    const told = partsOf(result.summary);
    expect(told).toMatchObject({ heading: 'Blue-green: promoted, verdict pass', says: expect.stringMatching(/: every rule held$/) });
    expect([...new Set(told.timeline.map(([, share]) => share))]).toEqual(['0 %', '10 %', '50 %', '100 %']);
    expect([...new Set(told.charts[0]?.series[0])]).toEqual([10, 50, 100]);
    expect(told.rules[1]).toEqual(['error-rate > 5% for 1m', 'fail', expect.stringMatching(/^0 % \(n=\d\d\)$/), 'holds']);
    expect(await stage.truth()).toMatchObject({ ...GREEN_ALONE, phase: 'done', run: '4711/1' });
  }, 60_000); // prettier-ignore

  test('has nothing to do when the same image is asked for again', async () => {
    const before = stage.writes().length;
    const result = await runBundle(stage.step());
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toMatchObject({ outcome: 'unchanged', changed: 'false' });
    expect(partsOf(result.summary)).toMatchObject({
      heading: 'Blue-green: unchanged',
      says: 'Nothing to do: shift 4711-1 is done already',
    });
    expect(stage.writes().length).toBe(before);
  }, 60_000);

  test('finds the live color by the weights, and releases the next image to blue; one that too few requests judged is inconclusive', async () => {
    const rules = [POLICY.rules[0], { fail: 'error-rate > 5% for 1m', 'min-samples': 5_000 }];
    const step = stage.step({ image: stage.images.other });
    const result = await runBundle({
      ...step,
      files: { ...step.files, 'policy.yml': stringify({ ...POLICY, rules }) },
    });
    const told = partsOf(result.summary);
    expect(told.heading).toBe('Blue-green: promoted, verdict inconclusive');
    expect(told.says).toMatch(/, but inconclusive: error-rate: \d+ requests, 5000 needed$/);
    expect(result.summary).toMatch(
      /^Next: look at "error-rate > 5% for 1m" of blue yourself\. If it is worse, release the earlier image by mode: run/m,
    );
    expect(told.rules[1]?.[3]).toMatch(/requests, 5000 needed/);
    expect(told.charts).toHaveLength(1);
    expect(result.outputs).toMatchObject({
      outcome: 'promoted',
      verdict: 'inconclusive',
      'stable-color': 'green',
      'candidate-color': 'blue',
      'candidate-headers': '{"x-color":"blue"}',
    });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 } });
  }, 60_000);
});

describe('the step in jobs of their own', () => {
  beforeAll(async () => {
    stage = await scene(cloud);
  }, 60_000);

  test('prepare, shift and finish hand the shift on; rollback takes a switched one back', async () => {
    const prepared = await runBundle(stage.step({ mode: 'prepare' }));
    expect(prepared.outputs).toMatchObject({
      outcome: 'prepared',
      'shift-id': '4711-1',
      'candidate-color': 'green',
      verdict: '',
    });
    expect(await stage.truth()).toMatchObject({
      weights: { blue: 100, green: 0 },
      desired: { blue: 2, green: 2 },
      phase: 'prepared',
    });

    const shift = { mode: 'shift', image: '', 'shift-id': prepared.outputs['shift-id'] ?? '' };
    const shifted = await runBundle(stage.step(shift));
    expect(shifted.outputs).toMatchObject({ outcome: 'switched', verdict: 'pass' });
    expect(partsOf(shifted.summary)).toMatchObject({ heading: 'Blue-green: switched, verdict pass', charts: [{}] });
    expect(await stage.truth()).toMatchObject({
      weights: { blue: 0, green: 100 },
      desired: { blue: 2, green: 2 },
      phase: 'switched',
    });

    const back = await runBundle(
      stage.step({ mode: 'rollback', image: '', policy: 'missing.yml', checks: 'missing.yml' }),
    );
    expect(back.exitCode).toBe(0);
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back', verdict: '' });
    expect(partsOf(back.summary)).toMatchObject({
      heading: 'Blue-green: rolled-back',
      says: expect.stringMatching(
        /^Rolled back to blue: asked for by run 4711\/1; traffic was back .* after that was seen$/,
      ),
    });
    expect(await stage.truth()).toMatchObject({ ...BLUE_AS_BEFORE, phase: 'rolled-back' });

    const late = await runBundle(stage.step({ mode: 'finish', image: '' }));
    expect(late.exitCode).toBe(1);
    expect(errorsOf(late)).toContain('no switched shift waits to be finished; the last shift 4711-1 is rolled-back');
    expect(partsOf(late.summary)).toMatchObject({ heading: 'Blue-green: refused', says: errorsOf(late) });
  }, 60_000);
});

describe('a step that is stopped', () => {
  beforeAll(async () => {
    stage = await scene(cloud);
  }, 60_000);
  const run = (id: string, attempt = '1') => ({ env: { GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: attempt } });

  test('by SIGINT takes the traffic back by one write; post scales the candidate down', async () => {
    const step = stage.step();
    const stopped = await runBundle({ ...step, signalAt: { output: /green serves 10 % since now/, signal: 'SIGINT' } });
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stdout + errorsOf(stopped) + JSON.stringify(stopped.annotations)).toContain(
      'All traffic is back on blue',
    );
    expect(partsOf(stopped.summary)).toMatchObject({
      heading: 'blue-green: cancelled',
      says: 'Cancelled by SIGINT. All traffic is back on blue. The post step verifies it.',
    });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 2 } });
    expect(stage.writes().at(-1)).toBe('ModifyRule');

    const post = await runBundle({
      ...step,
      phase: 'post',
      state: stopped.state,
      clock: { lockStepFrom: stage.world.now() },
    });
    expect(post.exitCode).toBe(0);
    expect(partsOf(post.summary)).toMatchObject({
      heading: 'Blue-green: rolled-back',
      says: expect.stringContaining('its run was cancelled or died'),
    });
    // What the signal took back is no way back of post's own: a time from then on would be made up.
    expect(post.stdout).toContain('blue has all traffic already');
    expect(post.outputs).toMatchObject({ outcome: 'rolled-back', 'rollback-seconds': '', reason: expect.stringMatching(/./) });
    expect(await stage.truth()).toMatchObject({ ...BLUE_AS_BEFORE, phase: 'rolled-back' });

    const again = await runBundle(stage.step({ mode: 'rollback', image: '', policy: '' }));
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', reason: '', 'detected-at': '', 'restored-at': '' });
  }, 60_000); // prettier-ignore

  test('by SIGKILL leaves a valid split; post takes it back', async () => {
    const step = stage.step();
    const killed = await runBundle({ ...step, signalAt: { output: /green serves 50 % since now/, signal: 'SIGKILL' } });
    expect(killed.signal).toBe('SIGKILL');
    expect(await stage.truth()).toMatchObject({ weights: { blue: 50, green: 50 } });
    const post = await runBundle({
      ...step,
      phase: 'post',
      state: killed.state,
      clock: { lockStepFrom: stage.world.now() },
    });
    expect(post.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(await stage.truth()).toMatchObject({ ...BLUE_AS_BEFORE, phase: 'rolled-back' });
  }, 60_000);

  test('by the death of its runner is rolled back by the next attempt, which then may be asked again', async () => {
    await runBundle({
      ...stage.step({}, run('801')),
      signalAt: { output: /green serves 50 % since now/, signal: 'SIGKILL' },
    });
    const again = await runBundle(stage.step({}, run('801', '2')));
    expect(again.exitCode).toBe(1);
    expect(again.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(errorsOf(again)).toContain('run 801/1 stopped at 50 % without an end');
    expect(await stage.truth()).toMatchObject({ ...BLUE_AS_BEFORE, run: '801/2' });
  }, 60_000);

  test('by the death of its runner is resumed where it stood when on-stale says so', async () => {
    await runBundle({
      ...stage.step({}, run('802')),
      signalAt: { output: /green serves 10 % since now/, signal: 'SIGKILL' },
    });
    const again = await runBundle(stage.step({ 'on-stale': 'resume' }, run('802', '2')));
    expect(again.outputs).toMatchObject({ outcome: 'promoted', 'shift-id': '802-1', verdict: 'pass' });
    expect(again.stdout).toContain('run 802/1 stopped at 10 % without an end; resuming there');
    expect(await stage.truth()).toMatchObject(GREEN_ALONE);
  }, 60_000);

  test('and whose traffic somebody else moved is left alone, with both values', async () => {
    await runBundle({
      ...stage.step({ image: stage.images.other }, run('803')),
      signalAt: { output: /blue serves 10 % since now/, signal: 'SIGKILL' },
    });
    await stage.setWeights({ blue: 30, green: 70 });
    const before = stage.writes().length;
    const again = await runBundle(stage.step({ image: stage.images.other }, run('803', '2')));
    expect(again.outputs).toMatchObject({ outcome: 'drifted', changed: 'false' });
    expect(partsOf(again.summary)).toMatchObject({ heading: 'Blue-green: drifted', says: errorsOf(again) });
    expect(errorsOf(again)).toContain('it is blue 30 / green 70, shift 803-1 left it at blue 10 / green 90');
    expect(stage.writes().length).toBe(before);
  }, 60_000);
});

describe('bad inputs', () => {
  test('are told all at once, before AWS is asked anything', async () => {
    stage = await scene(cloud);
    const before = stage.logical().length;
    const result = await runBundle(stage.step({ mode: 'wach', image: 'not an image', services: '{ blue: a, gren: b }', drain: '5', 'on-stale': 'resme' }));
    expect(result.exitCode).toBe(1);
    const said = errorsOf(result);
    for (const part of ['Did you mean watch?', 'services: ', 'green', 'drain: "5" is not a duration', 'on-stale: "resme"', 'Did you mean resume?']) expect(said).toContain(part);
    expect(stage.logical().length).toBe(before);
  }, 60_000); // prettier-ignore

  test('of the policy file are told with line and column', async () => {
    const policy = 'rules:\n  - fail: eror-rate > 5%\n  - fail: mean > stable + 5ms\nbake: 5\n';
    const result = await runBundle({
      ...stage.step(),
      files: { 'policy.yml': policy, 'checks.yml': 'version: 1\nchecks: [{ name: a, get: / }]\n' },
    });
    expect(errorsOf(result)).toContain('policy.yml:2:5 rules[0].fail: "eror-rate > 5%" names the metric eror-rate');
    expect(errorsOf(result)).toContain('policy.yml:3:5 rules[1].fail');
    expect(errorsOf(result)).toContain('policy.yml:4:1 bake: "5" is not a duration');
  }, 60_000);
});
