import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, scene } from './scene.ts';

let cloud: Cloud;
let stage: Scene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
}, 60_000);
afterAll(() => cloud?.stop());

const run = (id: string) => ({ env: { GITHUB_RUN_ID: id } });

describe('a release whose runner died in the middle', () => {
  test('is taken back by the watch beside it, when the lease is over and not before', async () => {
    const died = await runBundle({ ...stage.step({}, run('810')), signalAt: { output: /serves 50 % since now/, signal: 'SIGKILL' } });
    expect(died.signal).toBe('SIGKILL');
    const at = stage.world.now();
    const watched = await runBundle(stage.step({ mode: 'watch', image: '' }, run('810')));
    expect(watched.exitCode).toBe(0);
    expect(watched.outputs).toMatchObject({ outcome: 'rolled-back', changed: 'true', 'shift-id': '810-1' });
    expect(watched.stdout).toContain('which is worked on');
    expect(watched.stdout).toContain("is nobody's any more since");
    // The lease was renewed 90 s before its end at the latest; looks are 10 s apart.
    expect(Date.parse(watched.outputs['detected-at'] ?? '') - at).toBeGreaterThan(30_000);
    expect(Date.parse(watched.outputs['restored-at'] ?? '') - at).toBeLessThan(150_000);
    expect(await stage.truth()).toMatchObject({ phase: 'rolled-back', run: '810.watch/1' });
  }, 60_000); // prettier-ignore

  test('is left and told in red when on-stale says so', async () => {
    await runBundle({ ...stage.step({}, run('812')), signalAt: { output: /serves 10 % since now/, signal: 'SIGKILL' } });
    const before = stage.writes().length;
    const watched = await runBundle(stage.step({ mode: 'watch', image: '', 'on-stale': 'fail' }, run('812')));
    expect(watched.exitCode).toBe(1);
    expect(watched.outputs).toMatchObject({ outcome: 'stale', changed: 'false' });
    expect(stage.writes().length).toBe(before);
    const back = await runBundle(stage.step({ mode: 'reconcile', image: '' }, run('813')));
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back' });
  }, 60_000); // prettier-ignore

  test('and whose traffic a person moved is left alone by watch and reconcile, in red; mode: rollback takes it back', async () => {
    await runBundle({ ...stage.step({}, run('815')), signalAt: { output: /serves 10 % since now/, signal: 'SIGKILL' } });
    await stage.setWeights({ blue: 0, green: 100 });
    const before = stage.writes().length;
    for (const [mode, id] of [['watch', '815'], ['reconcile', '816']] as const) {
      const looked = await runBundle(stage.step({ mode, image: '' }, run(id)));
      expect(looked.exitCode).toBe(1);
      expect(looked.outputs).toMatchObject({ outcome: 'drifted', changed: 'false' });
    }
    expect(stage.writes().length).toBe(before);
    const back = await runBundle(stage.step({ mode: 'rollback', image: '' }, run('817')));
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 } });
  }, 60_000); // prettier-ignore

  test('and that was cancelled just before its good end was recorded is rolled back by post: its traffic is back already', async () => {
    const cut = await runBundle({ ...stage.step({}, run('818')), signalAt: { output: /Draining blue/, signal: 'SIGKILL' } });
    // As a signal handler does whose last write overtakes the answer to the record.
    await stage.setWeights({ blue: 100, green: 0 });
    expect(await stage.truth()).toMatchObject({ phase: 'finishing', desired: { green: 2 } });
    const after = await runBundle({ ...stage.step({}, run('818')), phase: 'post', state: cut.state });
    expect(after.exitCode).toBe(0);
    expect(after.stdout).toContain('The traffic of shift 818-1 is back on blue already');
    expect(await stage.truth()).toMatchObject({ phase: 'rolled-back', weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 } });
  }, 60_000); // prettier-ignore

  test('and that never began gives its watch nothing to do', async () => {
    const before = stage.writes().length;
    const watched = await runBundle(stage.step({ mode: 'watch', image: '', 'begin-within': '2m' }, run('814')));
    expect(watched.exitCode).toBe(0);
    expect(watched.outputs).toMatchObject({ outcome: 'nothing-to-do', changed: 'false' });
    expect(watched.stdout).toContain('No shift began');
    expect(stage.writes().length).toBe(before);
  }, 60_000);

  test('is gone on with by the watch, up to the drain, when on-stale says so', async () => {
    await runBundle({ ...stage.step({}, run('811')), signalAt: { output: /serves 10 % since now/, signal: 'SIGKILL' } });
    const watched = await runBundle(stage.step({ mode: 'watch', image: '', 'on-stale': 'resume' }, run('811')));
    expect(watched.outputs).toMatchObject({ outcome: 'switched', verdict: 'pass', 'shift-id': '811-1' });
    expect(await stage.truth()).toMatchObject({ phase: 'switched', run: '811.watch/1', desired: { blue: 2, green: 2 } });
    const finished = await runBundle(stage.step({ mode: 'finish', image: '' }, run('811')));
    expect(finished.outputs).toMatchObject({ outcome: 'promoted' });
  }, 60_000); // prettier-ignore
});
