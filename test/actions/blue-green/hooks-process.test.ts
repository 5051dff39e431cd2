import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, scene } from './scene.ts';

// Commands of the team's after the end of a shift: real programs, started by the process of a step.

let cloud: Cloud;
let stage: Scene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
}, 60_000);
afterAll(() => cloud?.stop());

const PURGE =
  "import { appendFileSync } from 'node:fs'; appendFileSync('ran.txt', `${process.argv[2]} ${process.env.SLUICE_OUTCOME} live ${process.env.SLUICE_LIVE_COLOR} old ${process.env.SLUICE_OLD_COLOR}\\n`);";
const HANG = 'setInterval(() => undefined, 1_000);';
const files = { 'purge.mjs': PURGE, 'hang.mjs': HANG };

const step = (
  hooks: Readonly<Record<string, unknown>>,
  { image = 'good', ...more }: Parameters<Scene['step']>[1] & { readonly image?: 'good' | 'bad' } = {},
) => {
  const inputs = Object.fromEntries(Object.entries(hooks).map(([name, list]) => [name, JSON.stringify(list)]));
  const run = stage.step({ ...inputs, checks: '', image: stage.images[image] }, more);
  return { ...run, files: { ...run.files, ...files } };
};
const NODE = process.execPath;

test('killed in a command: the traffic stays with the good release, and a later run goes on with that command', async () => {
  const hooks = {
    'after-promote': [
      [NODE, 'purge.mjs', 'cdn; touch shell'],
      { run: [NODE, 'hang.mjs'], timeout: '10m' },
      { run: [NODE, 'purge.mjs', 'schema'], database: true },
    ],
  };
  const killed = await runBundle(step(hooks, { signalAt: { output: /Running .*hang\.mjs, 10m at most/, signal: 'SIGKILL' } }));
  expect(killed.signal).toBe('SIGKILL');
  // One word stays one word, whatever a shell would make of it.
  expect(killed.written['ran.txt']).toBe('cdn; touch shell promoted live green old blue\n');
  expect(Object.keys(killed.written)).not.toContain('shell');
  expect(await stage.truth()).toMatchObject({ phase: 'finishing', weights: { blue: 0, green: 100 }, desired: { blue: 0, green: 2 } });
  const again = step({ 'after-promote': [[NODE, 'purge.mjs', 'never'], [NODE, 'purge.mjs', 'second'], ...hooks['after-promote'].slice(2)] });
  const result = await runBundle({ ...again, inputs: { ...again.inputs, mode: 'finish', image: '' }, env: { ...again.env, GITHUB_RUN_ATTEMPT: '2' } });
  expect(result.written['ran.txt']).toBe('second promoted live green old blue\n');
  expect(result.stdout).toContain('again, because it was interrupted');
  expect(result.outputs).toMatchObject({ outcome: 'promoted', hooks: 'skipped' });
  expect(JSON.stringify(result.annotations)).toContain('changes a database, and allow-database-hooks is not set');
  expect(await stage.truth()).toMatchObject({ phase: 'done' });
}, 60_000); // prettier-ignore

test('one that fails after a rollback is told in red, and the traffic stays where it went', async () => {
  const result = await runBundle(
    step(
      { 'after-rollback': [[NODE, 'missing.mjs'], [NODE, 'purge.mjs', 'caches']] },
      { image: 'bad', env: { GITHUB_RUN_ATTEMPT: '3' } },
    ),
  );
  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ outcome: 'rolled-back', hooks: 'failed' });
  expect(result.written['ran.txt']).toBe('caches rolled-back live green old blue\n');
  expect(result.annotations.filter(({ level }) => level === 'error').map(({ message }) => message).join()).toContain('missing.mjs failed: it ended with 1');
  expect(await stage.truth()).toMatchObject({ phase: 'rolled-back', weights: { blue: 0, green: 100 } });
}, 60_000); // prettier-ignore
