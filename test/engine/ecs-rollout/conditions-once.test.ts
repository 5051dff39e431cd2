import { expect, test } from '@jest/globals';
import { conditionsOnce } from '../../../src/engine/ecs-rollout/conditions-once.ts';
import type { DeployConditions, Presence } from '../../../src/ports/deploy-conditions.ts';
import { goodConditions } from '../../fakes/deploy-conditions.ts';

const { signal } = new AbortController();

function asking(answer: (role: string, times: number) => Promise<Presence>) {
  const asked: string[] = [];
  const role: DeployConditions['role'] = (name) => {
    asked.push(name);
    return answer(name, asked.length);
  };
  return { conditions: conditionsOnce({ ...goodConditions(), role }), asked };
}

test('is asked once for each question, also by those that ask at the same time', async () => {
  const { conditions, asked } = asking(() => Promise.resolve({ kind: 'missing', why: 'does not exist' }));
  const both = await Promise.all([conditions.role('a', signal), conditions.role('a', signal)]);
  expect(both).toEqual([await conditions.role('a', signal), await conditions.role('b', signal)]);
  expect(asked).toEqual(['a', 'b']);
  expect(await conditions.freeAddresses(['a'], signal)).toEqual({ kind: 'known', free: 100 });
});

test('is asked again for what was not known, and after an error', async () => {
  const { conditions, asked } = asking((_, times) =>
    times === 1
      ? Promise.resolve({ kind: 'unknown', why: 'denied' })
      : times === 2
        ? Promise.reject(new Error('bug'))
        : Promise.resolve({ kind: 'there' }),
  );
  expect(await conditions.role('a', signal)).toMatchObject({ kind: 'unknown' });
  await expect(conditions.role('a', signal)).rejects.toThrow('bug');
  expect(await conditions.role('a', signal)).toEqual({ kind: 'there' });
  expect(asked).toHaveLength(3);
});
