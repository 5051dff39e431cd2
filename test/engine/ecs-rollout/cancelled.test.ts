import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled } from '../../../src/domain/failure.ts';
import { rollBack, startRollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import type { Following } from '../../../src/engine/ecs-rollout/rollout.ts';
import { IMAGES, REF, stage } from './stage.ts';

describe('a run that was cancelled', () => {
  const cancelAt = (at: number) => {
    const scene = stage();
    const controller = new AbortController();
    scene.clock.at(after(scene.start, seconds(at)), () => controller.abort(new Cancelled('SIGINT')));
    return { ...scene, controller };
  };

  test('throws, and leaves what is needed to go back', async () => {
    const { deploy, controller, followings } = cancelAt(5);
    await expect(deploy({ images: { web: IMAGES.stuck } }, controller.signal)).rejects.toBeInstanceOf(Cancelled);
    expect(followings.at(-1)).toMatchObject({
      ref: REF,
      deploymentId: expect.stringContaining('ecs-svc/'),
      serviceDeploymentArn: expect.stringContaining('service-deployment/'),
    });
    expect(JSON.parse(JSON.stringify(followings.at(-1)))).toEqual(followings.at(-1));
  });

  test('goes back by one call, and the next process waits for the end', async () => {
    const { ecs, clock, log, deploy, controller, followings } = cancelAt(5);
    await expect(deploy({ images: { web: IMAGES.stuck } }, controller.signal)).rejects.toBeInstanceOf(Cancelled);
    const following = followings.at(-1) as Following;
    const before = ecs.calls.length;
    const fresh = new AbortController().signal;
    expect(await startRollBack(following, { ecs }, fresh)).toBe(
      'ECS was told to roll back the deployment of web:2 of web; web:1 served before',
    );
    expect(ecs.calls.length - before).toBe(1);
    const result = await rollBack(
      { following, deadline: after(clock.now(), minutes(4)), reason: 'cancelled' },
      { ecs, clock, log },
      fresh,
    );
    expect(result).toMatchObject({ outcome: 'rolled-back', reason: 'cancelled; ECS went back to web:1' });
    expect(ecs.serviceOf(REF)).toMatchObject({ running: 3, tags: { 'sluice:phase': 'rolled-back' } });
  });

  test('while ECS goes back already is not an error of the one call', async () => {
    const { ecs, deploy, controller, followings } = cancelAt(5);
    await expect(deploy({ images: { web: IMAGES.stuck } }, controller.signal)).rejects.toBeInstanceOf(Cancelled);
    const following = followings.at(-1) as Following;
    const fresh = new AbortController().signal;
    await startRollBack(following, { ecs }, fresh);
    expect(await startRollBack(following, { ecs }, fresh)).toContain(
      'The deployment of web:2 to web is not in progress any more',
    );
  });

  test('of the same revision again has nothing to set back, and does not say that it did', async () => {
    const { ecs, deploy, controller, followings } = cancelAt(5);
    await expect(deploy({ images: { web: IMAGES.stuck } }, controller.signal)).rejects.toBeInstanceOf(Cancelled);
    const { serviceDeploymentArn: _, ...following } = followings.at(-1) as Following;
    const again = { ...following, previousTaskDefinition: following.taskDefinition };
    const before = ecs.calls.length;
    expect(await startRollBack(again, { ecs }, new AbortController().signal)).toContain(
      'web is deployed with web:2 again, as before, and ECS names no service deployment',
    );
    expect(ecs.calls.length).toBe(before);
  });

  test('of settings alone sets them back by its one call, also where ECS names no service deployment', async () => {
    const { ecs, deploy, controller, followings } = cancelAt(5);
    await expect(deploy({ images: { web: IMAGES.stuck } }, controller.signal)).rejects.toBeInstanceOf(Cancelled);
    const { serviceDeploymentArn: _, ...following } = followings.at(-1) as Following;
    const again: Following = {
      ...following,
      previousTaskDefinition: following.taskDefinition,
      previousSettings: { managedTags: false },
      settingsAlone: true,
    };
    expect(await startRollBack(again, { ecs }, new AbortController().signal)).toBe('web was set back to web:2');
    expect(ecs.calls.at(-1)).toMatch(/^updateService/);
  });

  test('before the update was sent finds nothing to undo', async () => {
    const { ecs, clock, log, request } = stage();
    const following: Following = {
      ...followingOf(request().writer),
      taskDefinition: 'arn:task-definition/web:2',
      earlierDeployments: [],
      startedAt: clock.now(),
      previousTaskDefinition: ecs.serviceOf(REF).taskDefinition,
    };
    const result = await rollBack(
      { following, deadline: after(clock.now(), minutes(4)), reason: 'cancelled' },
      { ecs, clock, log },
      new AbortController().signal,
    );
    expect(result).toMatchObject({ outcome: 'rolled-back', reason: 'cancelled; 3 of 3 tasks run web:1 again' });
    expect(ecs.writes()).toEqual(['tagService rolled-back']);
  });

  const followingOf = (writer: Following['writer']) => ({ ref: REF, writer });
});
