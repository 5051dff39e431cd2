import {
  type Action,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, NOT_HELD, POLICY, scene } from './scene.ts';

// What a way back takes from users for a while, and what becomes of one that fails: over the wire, at the rule itself.

const STICKY_SECONDS = 300;
const files = { 'policy.yml': stringify({ ...POLICY, steps: ['50%', '100%'] }) };

let cloud: Cloud;
let stage: Scene;
let elb: ElasticLoadBalancingV2Client;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
  elb = new ElasticLoadBalancingV2Client(stage.world.client());
  const action = await actionOf();
  const TargetGroupStickinessConfig = { Enabled: true, DurationSeconds: STICKY_SECONDS };
  const ForwardConfig = { ...action?.ForwardConfig, TargetGroupStickinessConfig };
  await elb.send(new ModifyRuleCommand({ RuleArn: stage.stacked.ruleArn, Actions: [{ Type: 'forward', ForwardConfig }] }));
}, 60_000); // prettier-ignore
afterAll(async () => {
  elb?.destroy();
  await cloud?.stop();
});

async function actionOf(): Promise<Action | undefined> {
  const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [stage.stacked.ruleArn] }));
  return Rules[0]?.Actions?.[0];
}
/** Seconds for which the rule keeps clients on their color. */
async function stickyFor(): Promise<number> {
  const sticky = (await actionOf())?.ForwardConfig?.TargetGroupStickinessConfig;
  return sticky?.Enabled === true ? (sticky.DurationSeconds ?? -1) : 0;
}

const badRelease = (id: string, more: Parameters<Scene['step']>[1] = {}) =>
  stage.step({ image: stage.images.bad, checks: '' }, { files, env: { GITHUB_RUN_ID: id }, ...more });
const BLUE_ALONE = { weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 }, suspended: NOT_HELD };

describe('stickiness, which outranks the weights', () => {
  test('is dropped with the traffic that goes back, and is waited for at the end', async () => {
    const killed = await runBundle(
      badRelease('40', { signalAt: { output: /Waiting 5m to put back the stickiness of 5m/, signal: 'SIGKILL' } }),
    );
    expect(killed.signal).toBe('SIGKILL');
    expect(await stickyFor()).toBe(0);
    expect(await stage.truth()).toMatchObject({ ...BLUE_ALONE, phase: 'rolled-back' });
  }, 300_000);

  test('comes back by reconcile when cookies of before are over, though the run that dropped it is dead', async () => {
    await stage.world.advance(STICKY_SECONDS * 1_000);
    const result = await runBundle(stage.step({ mode: 'reconcile', image: '' }, { env: { GITHUB_RUN_ID: '41' } }));
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/The stickiness of 5m of ALB rule .* is back/);
    expect(await stickyFor()).toBe(STICKY_SECONDS);
    expect(await stage.truth()).toMatchObject(BLUE_ALONE);
  }, 300_000);
});

describe('a way back whose write is refused', () => {
  test('is told in red with what is true now and what to do, and reconcile goes on with it', async () => {
    const denied = stage.world.faults.add({
      kind: 'access-denied',
      operation: 'elasticloadbalancing:ModifyRule',
      run: 'action',
      // The first gives green its weight.
      ordinal: 2 + stage.logical('action').filter(({ operation }) => operation.endsWith(':ModifyRule')).length,
      times: 100,
    });
    const step = badRelease('42');
    const result = await runBundle(step);
    expect(denied.hits()).toBeGreaterThan(0);
    denied.remove();
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: 'rollback-failed', verdict: 'fail' });
    const said = result.annotations.filter(({ level }) => level === 'error').map(({ message }) => message).join();
    expect(said).toMatch(/^The rollback of shift 42-1 failed: .*access denied for elasticloadbalancing:ModifyRule/);
    expect(said).toMatch(/Traffic is blue 50 \/ green 50; give blue all the weight on ALB rule .*\. It began because of: error-rate/);
    // As soon as the right is there, whoever looks next goes on with it.
    await stage.world.advance(120_000);
    const mended = await runBundle(stage.step({ mode: 'reconcile', image: '' }, { env: { GITHUB_RUN_ID: '43' } }));
    expect(mended.exitCode).toBe(0);
    expect(mended.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'blue' });
    expect(await stage.truth()).toMatchObject({ ...BLUE_ALONE, phase: 'rolled-back' });
  }, 300_000); // prettier-ignore
});
