import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { startUsers } from '../../../sandbox/users/start-users.ts';
import { defaultRule, forward, listen, newWorld, targetAt } from './world.ts';

const world = newWorld();
afterEach(() => world.end());

/** A target that names its release as the demo application does. */
const release = (version: string) =>
  world.target((_request, response) => response.setHeader('x-app-version', version).end(version));

test('ten thousand requests at weights 10 and 90 split so, within four standard deviations', async () => {
  const lb = world.balancers({ seed: 'ten-ninety' });
  lb.setTargets('blue', [targetAt(await world.named('blue')), targetAt(await world.named('blue'))]);
  lb.setTargets('green', [targetAt(await world.named('green'))]);
  const pool = new Pool(await listen(lb, defaultRule(forward({ blue: 90, green: 10 }))), { connections: 20 });
  const bodies: string[] = [];
  const worker = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1)
      bodies.push(await (await pool.request({ path: '/', method: 'GET' })).body.text());
  };
  await Promise.all(Array.from({ length: 20 }, () => worker(500)));
  await pool.destroy();
  const green = bodies.filter((body) => body === 'green').length;
  expect(bodies.filter((body) => body === 'blue').length + green).toBe(10_000);
  expect(Math.abs(green - 1_000)).toBeLessThan(4 * Math.sqrt(10_000 * 0.1 * 0.9));
  expect(lb.counts('green')).toMatchObject({ requests: green, status2xx: green });
  expect(lb.counts('blue')).toMatchObject({ requests: 10_000 - green, status2xx: 10_000 - green });
});

test('no request fails while weights and targets change under load, and the last weights hold', async () => {
  const lb = world.balancers();
  const [blue, green, spare] = [await release('blue'), await release('green'), await release('green')];
  lb.setTargets('blue', [targetAt(blue)]);
  lb.setTargets('green', [targetAt(green)]);
  const url = await listen(lb, defaultRule(forward({ blue: 100, green: 0 })));
  const users = startUsers({ url, ratePerSecond: 200, paths: ['/'] });
  const changes = [
    { share: 10, spareState: 'healthy' },
    { share: 50, spareState: 'draining' },
    { share: 0, spareState: 'healthy' },
    { share: 90, spareState: 'unhealthy' },
    { share: 100, spareState: 'healthy' },
  ] as const;
  for (const { share, spareState } of changes) {
    await sleep(250);
    await listen(lb, defaultRule(forward({ blue: 100 - share, green: share })));
    lb.setTargets('green', [targetAt(green), targetAt(spare, spareState)]);
  }
  // Requests that were under way at the change end in the time of one answer.
  await sleep(100);
  const atTheEnd = users.mark();
  await sleep(400);
  const last = users.since(atTheEnd);
  const all = await users.stop();
  expect(all).toMatchObject({ failed: 0, failedByReason: {} });
  expect(all.sent).toBeGreaterThan(150);
  expect(Object.keys(all.byVersion).sort()).toEqual(['blue', 'green']);
  expect(Object.keys(last.byVersion)).toEqual(['green']);
});
