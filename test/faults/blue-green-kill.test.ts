import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { runBundle } from '../harness/run-bundle.ts';
import {
  type Killed,
  type Point,
  inParallel,
  killAt,
  nameOf,
  pointsOfGoodRun,
  shortStep,
  unfinished,
  unsafe,
} from './blue-green-points.ts';

/*
 * A good `run` is killed at its API calls. "After reply k" equals "before call k + 1", so one kill per call covers every
 * moment. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all of them.
 */
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const AT_ONCE = 2;
const MINUTES = 60_000;

let cloud: Cloud;
let points: readonly Point[];
let tried: readonly Point[];
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  points = await pointsOfGoodRun(cloud);
  tried = ALL ? points : sampleOf(points);
}, 2 * MINUTES);
afterAll(() => cloud?.stop());

/** The first write, one write of each kind at different places, and reads between. */
function sampleOf(all: readonly Point[]): readonly Point[] {
  const picked = [
    'AddTags#1',
    'UpdateService#1',
    'ModifyRule#1',
    'ModifyRule#2',
    'ModifyRule#3',
    'DescribeTags#20',
    'UpdateService#2',
  ];
  const last = all.findLast(({ mutating }) => mutating);
  return all.filter((point) => picked.includes(nameOf(point)) || point === last);
}

/** Tries every point; a problem is a line with the point's name. */
async function matrix(ending: (killed: Killed) => Promise<string | undefined>): Promise<readonly string[]> {
  const problems: string[] = [];
  let hit = 0;
  await inParallel(tried, AT_ONCE, async (point) => {
    const killed = await killAt(cloud, point);
    if (killed.main.signal === 'SIGKILL') hit += 1;
    const problem = unsafe(killed.atKill) ?? (await ending(killed));
    if (problem !== undefined) problems.push(`${nameOf(point)} (${killed.atKill.phase ?? 'no record'}): ${problem}`);
    await killed.stage.world.close();
  });
  process.stdout.write(
    `blue-green killed: ${points.length} points, ${tried.length} tried, ${hit} killed, ${tried.length - problems.length} survivors\n`,
  );
  expect(hit).toBe(tried.length);
  return problems;
}

describe('a run that is killed at an API call', () => {
  test(
    'makes the same calls each time, so that every point can be named',
    async () => {
      const again = await pointsOfGoodRun(cloud);
      expect(again.map(nameOf).toSorted()).toEqual(points.map(nameOf).toSorted());
      const writes = (all: readonly Point[]): readonly string[] => all.filter(({ mutating }) => mutating).map(nameOf);
      expect(writes(again)).toEqual(writes(points));
    },
    2 * MINUTES,
  );

  test(
    'is taken back by post, or kept when it was judged good',
    async () => {
      const problems = await matrix(async ({ stage, main, atKill }) => {
        const post = await runBundle(shortStep(stage, { phase: 'post', state: main.state }));
        const truth = await stage.truth();
        return (
          unsafe(truth) ??
          unfinished(truth, atKill.phase) ??
          (post.exitCode === 0 ? undefined : `post ended with ${post.exitCode}`)
        );
      });
      expect(problems).toEqual([]);
    },
    60 * MINUTES,
  );

  test(
    'and whose runner is dead too is brought to an end by the next attempt',
    async () => {
      const problems = await matrix(async ({ stage }) => {
        const again = await runBundle(shortStep(stage, { env: { GITHUB_RUN_ATTEMPT: '2' } }));
        const truth = await stage.truth();
        const outcome = again.outputs['outcome'];
        if (outcome !== 'promoted' && outcome !== 'rolled-back' && outcome !== 'unchanged')
          return `outcome ${outcome}: ${again.stdout}`;
        const end = outcome === 'rolled-back' ? 'rolled-back' : 'done';
        if (truth.phase !== end) return `phase ${truth.phase} after ${outcome}`;
        const left = outcome === 'rolled-back' ? truth.desired.green : truth.desired.blue;
        return unsafe(truth) ?? unfinished(truth, truth.phase) ?? (left === 0 ? undefined : `${left} tasks are left`);
      });
      expect(problems).toEqual([]);
    },
    60 * MINUTES,
  );
});
