import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { startUsers } from '../../../sandbox/users/start-users.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { NAME, namesScene } from './names-scene.ts';
import { CHECKS } from './scene.ts';

// Users who resolve the name themselves and keep the answers, in real time: the change of weights reaches them one by one.

const TTL = 2;
const POLICY = {
  interval: '1s',
  bake: '2s',
  recheck: 'none',
  'no-data-timeout': '20s',
  rules: ['health fails 5 in a row'],
};
const FILES = { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(CHECKS) };

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'real' });
}, 60_000);
afterAll(() => cloud?.stop());

test('a release by weights of Route 53 fails nobody, also while answers of before are kept, and the old color outlives them', async () => {
  const stage = await namesScene(cloud, { as: { ttl: TTL }, dns: { syncWithin: 500 } });
  const users = startUsers({ url: { resolve: () => stage.world.names.resolve(NAME) }, host: NAME, ratePerSecond: 20, paths: ['/'] });
  const result = await runBundle(await stage.step({ drain: '1s' }, { files: FILES, clock: 'real' }));
  const last = users.mark();
  while (users.since(last).sent < 20) await new Promise((resolve) => setTimeout(resolve, 50));
  const { sent, failed, failedByReason, byVersion } = await users.stop();
  expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass' });
  expect({ failed, failedByReason }).toEqual({ failed: 0, failedByReason: {} });
  expect(Object.keys(byVersion).toSorted()).toEqual(['1', '2']);
  expect(sent).toBeGreaterThan(100);
  expect(Object.keys(users.since(last).byVersion)).toEqual(['2']);

  // The old color was scaled down when every answer of before had died and the drain was over.
  const calls = stage.world.calls().filter(({ run }) => run === 'action');
  const weights = calls.filter(({ operation }) => operation === 'route53:ChangeResourceRecordSets');
  const scaled = calls.findLast(({ operation }) => operation === 'ecs:UpdateService');
  expect(weights.length).toBeGreaterThan(3);
  const switched = weights.findLast(({ at }) => at < (scaled?.at ?? 0) - TTL * 1_000);
  expect(switched).toBeDefined();
  expect((await stage.truth()).desired).toEqual({ blue: 0, green: 2 });
  await stage.world.close();
}, 120_000); // prettier-ignore
