import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { cleanUp } from '../../../src/engine/ecs-rollout/clean-up.ts';
import { type GoBackRequest, goBackOnDemand } from '../../../src/engine/ecs-rollout/go-back.ts';
import { scaleService } from '../../../src/engine/ecs-rollout/scale-service.ts';
import type { AutoscalingLimits } from '../../../src/ports/autoscaling.ts';
import { IMAGES, REF, type Stage, revision, stage } from './stage.ts';

const signal = new AbortController().signal;
const back = ({ ecs, clock, log }: Stage, given: Partial<GoBackRequest> = {}) =>
  goBackOnDemand(
    { ref: REF, run: '200/1', deadline: after(clock.now(), minutes(20)), ...given },
    { ecs, clock, log },
    signal,
  );

describe('a roll back on demand', () => {
  const released = async (...images: readonly string[]): Promise<Stage> => {
    const scene = stage();
    for (const image of images)
      await scene.deploy({ images: { web: image }, writer: { release: image, run: '100/1' } });
    return scene;
  };

  test('deploys the release before, waits, and says so in the tags', async () => {
    const scene = await released(IMAGES.good);
    const result = await back(scene);
    expect(result).toMatchObject({ outcome: 'rolled-back', changed: true, reason: '3 of 3 tasks run web:1' });
    expect([revision(result.taskDefinition), revision(result.previousTaskDefinition)]).toEqual(['web:1', 'web:2']);
    expect(scene.ecs.writes().slice(-3)).toEqual([
      'tagService rolling-back',
      'updateService web:1',
      'tagService rolled-back',
    ]);
  });

  test('twice by one run is one step, by two runs two', async () => {
    const scene = await released(IMAGES.good, IMAGES.other);
    expect(revision((await back(scene)).taskDefinition)).toBe('web:2');
    expect(await back(scene, { run: '200/2' })).toMatchObject({ outcome: 'unchanged', changed: false });
    expect(revision((await back(scene, { run: '201/1' })).taskDefinition)).toBe('web:1');
  });

  test('goes to a named revision, by its number too', async () => {
    const scene = await released(IMAGES.good, IMAGES.other);
    expect(await back(scene, { to: '1' })).toMatchObject({ outcome: 'rolled-back', reason: '3 of 3 tasks run web:1' });
  });

  test('to a revision that was deregistered is refused before anything is changed', async () => {
    const scene = await released(IMAGES.good);
    await scene.ecs.deregisterTaskDefinition(scene.ecs.revisions('web')[0]?.arn ?? '', signal);
    const before = scene.ecs.writes().length;
    await expect(back(scene)).rejects.toThrow('Could not roll web back to web:1: that revision was deregistered');
    expect(scene.ecs.writes()).toHaveLength(before);
  });

  test('stops a release in flight, whose run writes no more', async () => {
    const scene = stage();
    const { clock, ecs, start } = scene;
    const result = { of: undefined as Awaited<ReturnType<typeof back>> | undefined };
    const deploying = scene.deploy({ images: { web: IMAGES.stuck } });
    clock.at(after(start, seconds(5)), () => void back(scene).then((ended) => (result.of = ended)));
    expect(await deploying).toMatchObject({ outcome: expect.stringMatching(/rolled-back|superseded/) });
    await new Promise((turn) => setImmediate(turn));
    expect(result.of).toMatchObject({
      outcome: 'rolled-back',
      reason: 'web:2 was being deployed; ECS went back to web:1',
    });
    expect(revision(result.of?.taskDefinition)).toBe('web:1');
    expect(ecs.serviceOf(REF)).toMatchObject({
      running: 3,
      tags: { 'sluice:phase': 'rolled-back', 'sluice:run': '200/1' },
    });
  });

  test('of a release in flight gives back the count that it changed', async () => {
    const scene = stage();
    const { clock, start } = scene;
    const result = { of: undefined as Awaited<ReturnType<typeof back>> | undefined };
    const deploying = scene.deploy({ images: { web: IMAGES.stuck }, desired: 6 });
    clock.at(after(start, seconds(5)), () => void back(scene).then((ended) => (result.of = ended)));
    await deploying;
    await new Promise((turn) => setImmediate(turn));
    expect(result.of).toMatchObject({ outcome: 'rolled-back' });
    expect(scene.ecs.serviceOf(REF)).toMatchObject({ desired: 3, running: 3 });
  });

  test('that fails itself is failed, and says that it was taken back', async () => {
    const scene = await released();
    await scene.deploy({ images: { web: IMAGES.crash }, onFailure: 'leave' });
    const crashing = scene.ecs.revisions('web')[1]?.arn ?? '';
    expect(await back(scene, { to: crashing })).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('circuit breaker'),
    });
  });

  /** The first reads show the service as it was before the last release. */
  const behind = async (reads: number): Promise<Stage> => {
    const scene = await released(IMAGES.good);
    const { ecs } = scene;
    const taskDefinition = ecs.revisions('web')[0]?.arn ?? '';
    const now = ecs.serviceOf(REF);
    const stale = { ...now, taskDefinition, deployments: now.deployments.map((each) => ({ ...each, taskDefinition })) };
    const { describeServices } = ecs;
    let left = reads;
    ecs.describeServices = (refs, inner) => (left-- > 0 ? Promise.resolve([stale]) : describeServices(refs, inner));
    return scene;
  };

  test('waits until a read that is older than the record is gone', async () => {
    const result = await back(await behind(2));
    expect([result.outcome, revision(result.previousTaskDefinition)]).toEqual(['rolled-back', 'web:2']);
  });

  test('decides nothing while the service and the record contradict each other', async () => {
    const scene = await behind(100);
    const before = scene.ecs.writes().length;
    await expect(back(scene)).rejects.toThrow('Could not tell what web would be rolled back from');
    expect(scene.ecs.writes()).toHaveLength(before);
  });

  test('without any release before is refused', async () => {
    await expect(back(stage())).rejects.toThrow('There is nothing to roll web back to');
  });

  test('whose verification is bad is failed, and is not taken back once more', async () => {
    const scene = await released(IMAGES.good);
    const verify = () => Promise.resolve({ kind: 'bad', reason: '1 of 2 checks failed', lines: ['a'] } as const);
    expect(await back(scene, { verify })).toMatchObject({ outcome: 'failed', reason: '1 of 2 checks failed' });
    expect(revision(scene.ecs.serviceOf(REF).taskDefinition)).toBe('web:1');
  });
});

describe('a verification after the deployment', () => {
  const bad = { kind: 'bad', reason: '1 of 2 checks failed: health', lines: ['Check health: 503'] } as const;
  const good = { kind: 'good' } as const;
  const answering = (...answers: readonly (typeof bad | typeof good)[]) => {
    let asked = 0;
    return { verify: () => Promise.resolve(answers[asked++] ?? good), asked: () => asked };
  };

  test('is made once, when the revision is steady', async () => {
    const { verify, asked } = answering(good);
    const { deploy, ecs } = stage();
    expect(await deploy({ verify })).toMatchObject({ outcome: 'succeeded' });
    expect([asked(), ecs.serviceOf(REF).tags['sluice:phase']]).toEqual([1, 'done']);
  });

  test('that is bad takes the revision back and deregisters it', async () => {
    const { deploy, ecs } = stage();
    const result = await deploy({ verify: answering(bad).verify, failedRevision: 'deregister' });
    expect(result).toMatchObject({
      outcome: 'rolled-back',
      reason: '1 of 2 checks failed: health; 3 of 3 tasks run web:1 again',
      diagnosis: ['Check health: 503'],
    });
    expect(ecs.writes().slice(-4)).toEqual([
      'tagService rolling-back',
      'updateService web:1',
      'tagService rolled-back',
      'deregisterTaskDefinition web:2',
    ]);
  });

  test('that is bad leaves it when asked', async () => {
    const { deploy, ecs } = stage();
    expect(await deploy({ verify: answering(bad).verify, onFailure: 'leave' })).toMatchObject({ outcome: 'failed' });
    expect(ecs.serviceOf(REF)).toMatchObject({ tags: { 'sluice:phase': 'failed' } });
    expect(revision(ecs.serviceOf(REF).taskDefinition)).toBe('web:2');
  });

  test('of an image that runs already takes nothing back', async () => {
    const { deploy, ecs } = stage();
    expect(await deploy({ images: { web: IMAGES.first }, verify: answering(bad).verify })).toMatchObject({
      outcome: 'failed',
      changed: false,
    });
    expect(ecs.writes()).toEqual([]);
  });

  test('of a release whose run died before its verdict takes it back', async () => {
    const { deploy, ecs } = stage();
    const died = () => Promise.reject(new Error('killed'));
    await expect(deploy({ verify: died })).rejects.toThrow('killed');
    const result = await deploy({ verify: answering(bad).verify, writer: { release: 'r-1', run: '100/2' } });
    expect(result).toMatchObject({ outcome: 'rolled-back' });
    expect(revision(ecs.serviceOf(REF).taskDefinition)).toBe('web:1');
  });
});

describe('a revision that was taken back', () => {
  test('is deregistered when this release made it', async () => {
    const { deploy, ecs } = stage();
    await deploy({ images: { web: IMAGES.crash }, failedRevision: 'deregister' });
    expect(ecs.revisions('web').map(({ status }) => status)).toEqual(['ACTIVE', 'INACTIVE']);
  });

  test('stays when it was there before, or when nobody asked for its end', async () => {
    const { deploy, ecs, clock } = stage();
    await deploy({ images: { web: IMAGES.crash } });
    clock.advance(minutes(1));
    await deploy({ images: { web: IMAGES.crash }, failedRevision: 'deregister' });
    expect(ecs.revisions('web').map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE']);
  });

  test('may stay where the role is not allowed, with a warning', async () => {
    const { deploy, ecs, log } = stage();
    ecs.fail('deregisterTaskDefinition', 'access-denied');
    expect(await deploy({ images: { web: IMAGES.crash }, failedRevision: 'deregister' })).toMatchObject({
      outcome: 'rolled-back',
    });
    expect(log.warnings.at(-1)).toContain('The revision that was taken back stays registered');
  });
});

/** Nothing scales the service; its limits are played against the sandbox. */
const UNLIMITED: AutoscalingLimits = { limits: () => Promise.resolve(undefined), setLimits: () => Promise.resolve() };

describe('scaling', () => {
  const scale = ({ ecs, clock, log }: Stage, desired: number, onConflict: 'fail' | 'wait' = 'fail') =>
    scaleService(
      { ref: REF, desired, deadline: after(clock.now(), minutes(5)), onConflict, onLimits: 'fail' },
      { ecs, clock, log, autoscaling: UNLIMITED },
      signal,
    );

  test.each([5, 1, 0])('to %i sets the count and waits', async (desired) => {
    const scene = stage();
    expect(await scale(scene, desired)).toMatchObject({
      outcome: 'succeeded',
      changed: true,
      reason: `${desired} of ${desired} tasks run web:1`,
    });
    expect(scene.ecs.writes()).toEqual([`updateService desired=${desired}`]);
  });

  test('to the count that runs writes nothing', async () => {
    const scene = stage();
    expect(await scale(scene, 3)).toMatchObject({ outcome: 'unchanged', changed: false });
    expect(scene.ecs.writes()).toEqual([]);
  });

  test('says when somebody else changes the count meanwhile', async () => {
    const scene = stage();
    const { ecs } = scene;
    const update = ecs.updateService;
    ecs.updateService = (ref, change, inner) => update(ref, { ...change, desired: 4 }, inner);
    expect(await scale(scene, 6)).toMatchObject({
      outcome: 'superseded',
      reason: expect.stringContaining('was set to 6 and is 4 now: somebody else changed it'),
    });
  });

  test('waits through reads that are older than the update', async () => {
    const scene = stage();
    scene.ecs.staleReads = 3;
    expect(await scale(scene, 5)).toMatchObject({ outcome: 'succeeded' });
  });

  test('beside a deployment in flight is refused or waits, as asked', async () => {
    const scene = stage();
    scene.ecs.elsewhere(REF, IMAGES.other);
    await expect(scale(scene, 5)).rejects.toThrow('the deployment of web:2 is in flight');
    expect(await scale(scene, 5, 'wait')).toMatchObject({ outcome: 'succeeded', reason: '5 of 5 tasks run web:2' });
  });

  test('a DAEMON service is refused', async () => {
    await expect(scale(stage({ extra: { schedulingStrategy: 'DAEMON' } }), 5)).rejects.toThrow('a DAEMON service');
  });
});

describe('the clean-up of revisions', () => {
  const aged = async (): Promise<Stage> => {
    const scene = stage();
    for (const letter of ['1', '2', '3', '4', '5'])
      await scene.deploy({
        images: { web: `r.example.com/web@sha256:${letter.repeat(64)}` },
        writer: { release: letter, run: '1/1' },
      });
    return scene;
  };
  const clean = ({ ecs, clock, log }: Stage, keep: number) =>
    cleanUp({ ref: REF, keep, deadline: after(clock.now(), minutes(5)) }, { ecs, clock, log }, signal);
  const active = ({ ecs }: Stage) =>
    ecs
      .revisions('web')
      .filter(({ status }) => status === 'ACTIVE')
      .map(({ arn }) => revision(arn));

  test('keeps the newest and those that a roll back leads to', async () => {
    const scene = await aged();
    const result = await clean(scene, 1);
    expect(result.deregistered.map(revision)).toEqual(['web:1', 'web:2', 'web:3']);
    expect(result.spared.map(({ arn }) => revision(arn))).toEqual(['web:4', 'web:5']);
    expect(active(scene)).toEqual(['web:4', 'web:5', 'web:6']);
    expect((await clean(scene, 1)).deregistered).toEqual([]);
  });

  test('deregisters nothing where ECS shows no record', async () => {
    const scene = await aged();
    scene.ecs.listServiceDeployments = () => Promise.resolve([]);
    expect(await clean(scene, 1)).toMatchObject({ deregistered: [], spared: { length: 5 } });
    expect(active(scene)).toHaveLength(6);
  });

  test('waits out what passes, and says how far it came when it is refused', async () => {
    const scene = await aged();
    scene.ecs.fail('deregisterTaskDefinition', 'throttled', 2);
    expect((await clean(scene, 5)).deregistered.map(revision)).toEqual(['web:1']);
    const denied = await aged();
    const { deregisterTaskDefinition } = denied.ecs;
    let done = 0;
    denied.ecs.deregisterTaskDefinition = (arn, inner) => {
      denied.ecs.fail('deregisterTaskDefinition', 'access-denied', done++);
      return deregisterTaskDefinition(arn, inner);
    };
    await expect(clean(denied, 1)).rejects.toThrow('1 of 3 revisions were deregistered');
  });
});
