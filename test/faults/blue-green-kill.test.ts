import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { SIGINT, SIGTERM, again, post, watch } from './blue-green-endings.ts';
import { type Point, nameOf, pointsOf, problemsOf } from './blue-green-points.ts';
import { byRule } from './blue-green-victims.ts';

/*
 * A good `run` is ended at its API calls. "After reply k" equals "before call k + 1", so one kill per call covers every
 * moment. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all of them.
 */
const MINUTES = 60_000;
const victim = byRule({ mode: 'run' });

let cloud: Cloud;
let points: readonly Point[];
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  points = await pointsOf(cloud, victim);
}, 2 * MINUTES);
afterAll(() => cloud?.stop());

/** The first write, one write of each kind at different places, and reads between. */
const SAMPLE = [
  'AddTags#1',
  'UpdateService#1',
  'ModifyRule#1',
  'ModifyRule#2',
  'ModifyRule#3',
  'DescribeTags#20',
  'UpdateService#2',
];
const last = (): readonly string[] =>
  points
    .filter(({ mutating }) => mutating)
    .slice(-1)
    .map(nameOf);

describe('a run that is killed at an API call', () => {
  test(
    'makes the same calls each time, so that every point can be named',
    async () => {
      const again = await pointsOf(cloud, victim);
      expect(again.map(nameOf).toSorted()).toEqual(points.map(nameOf).toSorted());
      const writes = (all: readonly Point[]): readonly string[] => all.filter(({ mutating }) => mutating).map(nameOf);
      expect(writes(again)).toEqual(writes(points));
    },
    2 * MINUTES,
  );

  test.each([
    { is: 'is taken back by post, or kept when it was judged good', ending: post, sample: SAMPLE },
    { is: 'and whose runner is dead too is brought to an end by the next attempt', ending: again, sample: SAMPLE },
    { is: 'and whose runner is dead too is looked after by its watch, in time', ending: watch(), sample: ['ModifyRule#2'] },
  ])('$is', async ({ ending, sample }) => {
    const matrix = { cloud, victim, points, sample: [...sample, ...(sample === SAMPLE ? last() : [])], endings: [ending] };
    expect(await problemsOf(matrix)).toEqual([]);
  }, 60 * MINUTES); // prettier-ignore
});

test('a run that gets a signal at an API call has its users back before it is gone, and post does the rest', async () => {
  const sample = ['ModifyRule#1', 'DescribeRules#20'];
  expect(await problemsOf({ cloud, victim, points, sample, endings: [SIGINT, SIGTERM] })).toEqual([]);
}, 60 * MINUTES); // prettier-ignore
