import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { processTaskRunner } from '../../../sandbox/plane/task-runner-processes.ts';
import type { Target, TaskExit } from '../../../sandbox/plane/types.ts';
import { startUsers } from '../../../sandbox/users/start-users.ts';
import { defaultRule, forward, listen, newWorld, targetAt } from './world.ts';

const world = newWorld();
const runner = processTaskRunner();
afterEach(async () => {
  await runner.stopAll();
  await world.end();
});

const exits: TaskExit[] = [];

/** Two tasks of one release, as targets. */
const color = (name: string, tag: string, environment: Record<string, string> = {}): Promise<Target[]> =>
  Promise.all(
    [1, 2].map(async (number) => {
      const spec = {
        id: `${name}-${number}`,
        image: `wesign/charts:${tag}`,
        tag,
        digest: 'sha256:00',
        environment,
        containerPort: 80,
      };
      return targetAt(await runner.start(spec, (exit) => exits.push(exit)));
    }),
  );

test('a good release from 10 to 100 %, its old tasks drained and stopped under load, fails no request', async () => {
  exits.length = 0;
  const lb = world.balancers();
  const blue = await color('blue', '1.4.0');
  lb.setTargets('blue', blue);
  lb.setTargets('green', await color('green', '1.4.1'));
  const url = await listen(lb, defaultRule(forward({ blue: 100, green: 0 })));
  const users = startUsers({ url, ratePerSecond: 100, paths: ['/', '/health'], websockets: 4, websocketEvery: 100 });
  for (const share of [10, 50, 100]) {
    await listen(lb, defaultRule(forward({ blue: 100 - share, green: share })));
    await sleep(500);
  }
  lb.setTargets(
    'blue',
    blue.map(({ address }) => targetAt(address, 'draining')),
  );
  await Promise.all(['blue-1', 'blue-2'].map((id) => runner.stop(id, 5_000)));
  lb.setTargets('blue', []);
  // Every WebSocket was opened on blue; its user comes back on green after half a second.
  await sleep(1_000);
  const counts = await users.stop();
  expect(counts).toMatchObject({ failed: 0, websocketDropsByReason: { 'closed 1001': 4 }, websocketDrops: 4 });
  expect(Object.keys(counts.byVersion).sort()).toEqual(['1.4.0', '1.4.1']);
  expect(exits).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  expect(lb.counts('blue').connectionErrors + lb.counts('green').connectionErrors).toBe(0);
});

test('a bad release hurts its share of the users, and only until the weights are back', async () => {
  const lb = world.balancers();
  lb.setTargets('blue', await color('blue', '1.4.0'));
  lb.setTargets(
    'green',
    await color('green', '1.4.1-error-rate', { BEHAVIOUR_AFTER_REQUESTS: '5', BEHAVIOUR_SHARE: '1' }),
  );
  const url = await listen(lb, defaultRule(forward({ blue: 50, green: 50 })));
  const users = startUsers({ url, ratePerSecond: 100, paths: ['/'] });
  await sleep(1_000);
  await listen(lb, defaultRule(forward({ blue: 100, green: 0 })));
  // Requests under way at the change still end on green.
  await sleep(300);
  const back = users.mark();
  await sleep(700);
  const after = users.since(back);
  const all = await users.stop();
  expect(all.failedByReason).toEqual({ 'status 500': all.failed });
  expect(all.failed).toBeGreaterThan(15);
  expect(after).toMatchObject({ failed: 0, byVersion: { '1.4.0': after.ok } });
  expect(lb.counts('green')).toMatchObject({ status5xx: all.failed, status2xx: 10 });
  expect(lb.window('blue', 60_000)).toMatchObject({ errors: 0, connectionErrors: 0 });
});
