import { type ResourceRecordSet, ChangeResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { type NamesScene, NAME, namesScene } from './names-scene.ts';
import { unlisted } from './rights.ts';
import { POLICY } from './scene.ts';

// A release by weights of Route 53 in jobs of their own: each on another runner, which knows what the record says and no more.

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 120_000);
afterAll(() => cloud?.stop());

const files = { 'policy.yml': stringify({ ...POLICY, steps: ['100%'], bake: '30s', recheck: 'none' }) };

describe('the jobs of a release by weights of Route 53', () => {
  let stage: NamesScene;
  beforeAll(async () => {
    stage = await namesScene(cloud);
  }, 120_000);
  /** Whatever was called stands among the permissions of the README. */
  afterEach(() => expect(unlisted(stage.world.calls())).toEqual([]));

  const job = async (run: string, inputs: Readonly<Record<string, string>>): Promise<BundleResult> =>
    runBundle(await stage.step({ checks: '', ...inputs }, { env: { GITHUB_RUN_ID: run }, files }));
  async function switched(run: string): Promise<BundleResult> {
    await job(run, { mode: 'prepare' });
    return job(run, { mode: 'shift', image: '' });
  }

  test('a switched shift is taken back by another run: the traffic, and then the size of the candidate', async () => {
    expect((await switched('20')).outputs).toMatchObject({ outcome: 'switched', verdict: 'pass' });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, desired: { blue: 2, green: 2 }, phase: 'switched' });
    const asked = stage.world.now();
    const back = await job('21', { mode: 'rollback', image: '', policy: '' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', 'stable-color': 'blue' } });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 }, phase: 'rolled-back', run: '21/1' });
    // In sync after 30 s here, and answers of before live for 60 s: not over before everybody follows. Two clocks, a second apart at most.
    expect(Date.parse(back.outputs['restored-at'] ?? '') - asked).toBeGreaterThanOrEqual(89_000);
  }, 120_000); // prettier-ignore

  test('a switched shift is finished by another run: the old color is drained and scaled down, and no weight is touched', async () => {
    const shift = await switched('22');
    const before = stage.world.calls().length;
    const finished = await job('23', { mode: 'finish', image: '', policy: '', 'shift-id': shift.outputs['shift-id'] ?? '' });
    expect(finished.outputs).toMatchObject({ outcome: 'promoted', 'shift-id': '22-1', 'candidate-color': 'green' });
    expect(await stage.truth()).toMatchObject({ weights: { blue: 0, green: 100 }, desired: { blue: 0, green: 2 }, phase: 'done', run: '23/1' });
    const scaled = stage.world.calls().slice(before).find(({ operation }) => operation === 'ecs:UpdateService');
    // Twice the TTL, which is longer than the drain that was asked for.
    expect((scaled?.at ?? 0) - Date.parse(shift.outputs['finished-at'] ?? '')).toBeGreaterThanOrEqual(120_000);
  }, 120_000); // prettier-ignore
});

describe('a name that leads to no load balancer of the account', () => {
  /** As it is with a CDN in front of each color: what the records name, nobody here can look into. */
  async function behindACdn({ world, named }: NamesScene): Promise<void> {
    const route53 = new Route53Client(world.client());
    const Changes = (['blue', 'green'] as const).flatMap((SetIdentifier) => {
      const Weight = SetIdentifier === 'blue' ? 100 : 0;
      const record = { Name: NAME, Type: 'CNAME', SetIdentifier, Weight, TTL: 30 } satisfies ResourceRecordSet;
      const to = (Value: string): ResourceRecordSet => ({ ...record, ResourceRecords: [{ Value }] });
      return [
        { Action: 'DELETE' as const, ResourceRecordSet: to(named.addresses[SetIdentifier]) },
        { Action: 'CREATE' as const, ResourceRecordSet: to(`${SetIdentifier}.cdn.example.net`) },
      ];
    });
    await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: named.zoneId, ChangeBatch: { Changes } }));
    route53.destroy();
    await world.advance(60_000);
  }

  test('is shifted by what route53.health answers, and goes back when it does not answer well any more', async () => {
    const stage = await namesScene(cloud, { as: { ttl: 30 }, greenDesired: 2, greenTag: '2-unhealthy-later' });
    await behindACdn(stage);
    const health = `${await stage.world.names.gateway('{color}.reader.example')}/health`;
    const router = { route53: { zone: 'reader.example', record: NAME, health }, colors: { blue: 'blue', green: 'green' } };
    const policy = { ...POLICY, bake: '5m', rules: ['error-rate > 90% for 5m'] };
    const inputs = { deploy: 'none', cluster: '', services: '', image: '', checks: '', router: JSON.stringify(router) };
    const result = await runBundle(await stage.step(inputs, { files: { 'policy.yml': stringify(policy) } }));
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', verdict: 'fail' });
    expect(result.outputs['reason']).toMatch(/^green has no healthy target \(http:.*\/health: answers 503\)$/);
    expect(result.stdout).toContain('green is given 10 %');
    expect((await stage.truth()).weights).toEqual({ blue: 100, green: 0 });
    expect(unlisted(stage.world.calls())).toEqual([]);
  }, 120_000); // prettier-ignore
});
