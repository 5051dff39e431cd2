import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideCleanUp } from '../../../src/domain/ecs/revision-cleanup.ts';

const newestFirst = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `web:${count - index}`);

describe('what a clean-up deregisters', () => {
  test('is all but the newest, oldest first', () => {
    expect(decideCleanUp({ active: newestFirst(5), inUse: new Set(), record: 'read', releases: [], keep: 2 })).toEqual({
      deregister: ['web:1', 'web:2', 'web:3'],
      spared: [],
    });
  });

  test('is never what is used or what a roll back leads to, and says so', () => {
    const wish = {
      active: newestFirst(6),
      inUse: new Set(['web:1']),
      record: 'read' as const,
      releases: ['web:3'],
      keep: 2,
    };
    expect(decideCleanUp(wish)).toEqual({
      deregister: ['web:2', 'web:4'],
      spared: [
        { arn: 'web:1', why: 'a service or a task uses it' },
        { arn: 'web:3', why: 'a roll back would lead to it' },
      ],
    });
  });

  test('is nothing while nobody knows where a roll back leads', () => {
    const wish = { active: newestFirst(3), inUse: new Set<string>(), record: 'empty' as const, releases: [], keep: 1 };
    expect(decideCleanUp(wish)).toMatchObject({
      deregister: [],
      spared: [{ arn: 'web:1', why: 'without a record of deployments a roll back may lead to it' }, { arn: 'web:2' }],
    });
  });

  test('leaves at least the newest and all that is needed, whatever there is', () => {
    const revision = fc.integer({ min: 1, max: 40 }).map((number) => `web:${number}`);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.array(revision),
        fc.array(revision),
        fc.integer({ min: 1, max: 50 }),
        (count, used, releases, keep) => {
          const active = newestFirst(count);
          const { deregister } = decideCleanUp({ active, inUse: new Set(used), record: 'read', releases, keep });
          const left = active.filter((arn) => !deregister.includes(arn));
          expect(left.length).toBeGreaterThanOrEqual(Math.min(keep, count));
          expect(left.slice(0, Math.min(keep, count))).toEqual(active.slice(0, keep));
          expect([...used, ...releases].filter((arn) => deregister.includes(arn))).toEqual([]);
        },
      ),
    );
  });
});
