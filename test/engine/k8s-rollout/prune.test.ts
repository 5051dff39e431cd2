import { expect, test } from '@jest/globals';
import { overPruneLimit } from '../../../src/engine/k8s-rollout/prune.ts';

const objects = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: `c${index}` }));

test.each([
  ['three of four', 3, { before: 4, limit: 10 }, 'prunes'],
  ['four of four', 4, { before: 4, limit: 10 }, 'bars'],
  ['four of four, with a limit that says so', 4, { before: 4, limit: 11 }, 'prunes'],
  ['four of twenty', 4, { before: 20, limit: 10 }, 'prunes'],
  ['eleven of a hundred', 11, { before: 100, limit: 10 }, 'bars'],
  ['more than a smaller limit', 2, { before: 100, limit: 1 }, 'bars'],
  ['all, on a way back', 50, { before: 50, limit: 'none' }, 'prunes'],
] as const)('of %s', (_name, count, wish, expected) => {
  expect(overPruneLimit(objects(count), wish)).toHaveLength(expected === 'bars' ? 1 : 0);
});

test.each([
  [4, 4, 10],
  [12, 12, 10],
  [30, 500, 20],
])('the limit that the message gives helps (%i of %i, limit %i)', (count, before, limit) => {
  const [problem] = overPruneLimit(objects(count), { before, limit });
  expect(problem?.problem).toContain(`${count} of ${before} objects`);
  const given = Number(/^prune-limit: (\d+)/.exec(problem?.accepted ?? '')?.[1]);
  expect(overPruneLimit(objects(count), { before, limit: given })).toEqual([]);
});
