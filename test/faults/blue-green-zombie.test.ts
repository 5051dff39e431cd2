import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as realSleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type CallEntry, type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { type Scene, CHECKS, scene } from '../actions/blue-green/scene.ts';
import { type BundleRun, type RunningBundle, runBundle, startBundle } from '../harness/run-bundle.ts';

/*
 * A process that is frozen (SIGSTOP) while a second attempt takes over and ends the shift, and then wakes up (SIGCONT):
 * it must write nothing more. In real time, because a frozen process finds out by the clock how old its knowledge is.
 */
let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'real' });
}, 60_000);
afterAll(() => cloud?.stop());

const POLICY = {
  interval: '200ms',
  bake: '400ms',
  recheck: 'none',
  'no-data-timeout': '10s',
  rules: ['health fails 5 in a row'],
};
const step = (stage: Scene, more: Partial<BundleRun> = {}): BundleRun =>
  stage.step(
    { drain: '0s' },
    { files: { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(CHECKS) }, clock: 'real', ...more },
  );

/** Writes of the first attempt that were sent after the moment. */
const writesAfter = (stage: Scene, sequence: number): readonly string[] =>
  stage.world
    .calls()
    .filter((call) => call.run === 'action' && call.mutating && call.sequence > sequence)
    .map(({ operation }) => operation);

type Freeze = (call: CallEntry, earlier: readonly CallEntry[]) => boolean;

const is = (call: CallEntry, name: string): boolean => call.operation.endsWith(`:${name}`);
const count = (calls: readonly CallEntry[], name: string): number => calls.filter((call) => is(call, name)).length;
const lastWriteIn = (earlier: readonly CallEntry[]): number => earlier.findLastIndex(({ mutating }) => mutating);
/** Reads since the last write: the first is the look, the second belongs to the next write itself (fence, actions of the rule). */
const readsSinceWrite = (earlier: readonly CallEntry[], name: string): number =>
  count(earlier.slice(lastWriteIn(earlier) + 1), name);

describe('a run that is frozen while another attempt ends the shift', () => {
  test.each([
    { name: 'behind the record of its intent', freeze: (call, earlier) => is(call, 'AddTags') && count(earlier, 'AddTags') === 2 },
    { name: 'between the look at the rule and the fence', freeze: (call, earlier) => is(call, 'DescribeRules') && count(earlier, 'AddTags') === 3 && readsSinceWrite(earlier, 'DescribeRules') === 1 },
    { name: 'between the fence and the change of weights', freeze: (call, earlier) => is(call, 'DescribeTags') && count(earlier, 'AddTags') === 3 && readsSinceWrite(earlier, 'DescribeTags') === 1 },
    { name: 'behind the change of weights', freeze: (call, earlier) => is(call, 'ModifyRule') && count(earlier, 'ModifyRule') === 1 },
    { name: 'in the middle of its deployment', freeze: (call) => is(call, 'RegisterTaskDefinition') },
    { name: 'while it drains the old color', freeze: (call) => is(call, 'UpdateService') && call.ordinal === 2 },
  ] as { name: string; freeze: Freeze }[])('$name writes nothing more when it wakes up', async ({ freeze }) => {
    const stage = await scene(cloud);
    const frozen = Promise.withResolvers<number>();
    const spawned = Promise.withResolvers<RunningBundle>();
    for (const operation of ['elasticloadbalancing:AddTags', 'elasticloadbalancing:DescribeTags', 'elasticloadbalancing:DescribeRules', 'elasticloadbalancing:ModifyRule', 'ecs:RegisterTaskDefinition', 'ecs:UpdateService']) {
      for (let ordinal = 1; ordinal <= 60; ordinal++) {
        stage.world.killAt({ operation, ordinal, run: 'action', when: 'after', signal: 'SIGSTOP', onHit: (entry) => {
          const earlier = stage.logical('action').filter(({ sequence }) => sequence < entry.sequence);
          if (!freeze(entry, earlier)) return;
          void spawned.promise.then((running) => running.signal('SIGSTOP'));
          frozen.resolve(entry.sequence);
        } });
      }
    }
    const zombie = await startBundle(step(stage, { onSpawn: spawned.resolve }));
    const ended = zombie.result.then(() => -1);
    const sequence = await Promise.race([frozen.promise, ended]);
    expect(sequence).toBeGreaterThan(0);

    const second = await runBundle(step(stage, { env: { ...(await stage.world.run('second')), GITHUB_RUN_ATTEMPT: '2' } }));
    expect(['promoted', 'rolled-back', 'unchanged']).toContain(second.outputs['outcome']);
    const truth = await stage.truth();
    expect(truth).toMatchObject({ run: '4711/2' });

    // The guarantee is about takeovers that no read of a second ago could have missed.
    await realSleep(1_100);
    zombie.signal('SIGCONT');
    const woken = await zombie.result;
    expect(writesAfter(stage, sequence)).toEqual([]);
    expect(woken.exitCode).toBe(1);
    expect(woken.outputs).toMatchObject({ outcome: 'superseded' });
    expect(await stage.truth()).toMatchObject({ weights: truth.weights, desired: truth.desired, run: '4711/2', phase: truth.phase });
    await stage.world.close();
  }, 60_000);
}); // prettier-ignore
