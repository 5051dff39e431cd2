import { describe, expect, test } from '@jest/globals';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import { watchService } from '../../../src/engine/ecs-rollout/watch-service.ts';
import type { Following } from '../../../src/engine/ecs-rollout/rollout.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import { IMAGES, REF, type Stage, stage } from './stage.ts';

const signal = new AbortController().signal;

/** A deployment of `image` that has just begun, and what is known of it. */
async function begun(image: string, scene: Stage): Promise<Following> {
  const { ecs, clock } = scene;
  const before = ecs.serviceOf(REF);
  ecs.elsewhere(REF, image);
  const service = ecs.serviceOf(REF);
  return {
    ref: REF,
    taskDefinition: service.taskDefinition,
    deploymentId: service.deployments[0]?.id ?? '',
    earlierDeployments: before.deployments.map(({ id }) => id),
    ...(before.currentServiceDeployment === undefined
      ? {}
      : { earlierServiceDeployment: before.currentServiceDeployment }),
    startedAt: clock.now(),
    ...(before.events[0] === undefined ? {} : { lastEvent: before.events[0].id }),
    writer: { release: 'r-1', run: '100/1' },
  };
}

describe('the record of a deployment', () => {
  test('is the one that the service names, once it is not the one of before', async () => {
    const scene = stage();
    const following = await begun(IMAGES.stuck, scene);
    const watcher = watchService(following, scene);
    expect(await watcher.look(signal)).toMatchObject({ kind: 'seen', serviceDeployment: { status: 'IN_PROGRESS' } });
    expect(watcher.following().serviceDeploymentArn).toBe(scene.ecs.serviceOf(REF).currentServiceDeployment);
  });

  test('of the same revision before is not taken for ours', async () => {
    const scene = stage();
    const { currentServiceDeployment: earlier = '', taskDefinition } = scene.ecs.serviceOf(REF);
    const following = { ...(await begun(IMAGES.stuck, scene)), taskDefinition, earlierServiceDeployment: earlier };
    const { ecs } = scene;
    const naming: Ecs = {
      ...ecs,
      describeServices: async (refs, inner) =>
        (await ecs.describeServices(refs, inner)).map((service) => ({ ...service, currentServiceDeployment: earlier })),
    };
    const watcher = watchService(following, { ...scene, ecs: naming });
    scene.clock.advance(minutes(1));
    expect(await watcher.look(signal)).not.toHaveProperty('serviceDeployment');
  });

  test('is looked for in the list when the service does not name it', async () => {
    const scene = stage();
    const following = await begun(IMAGES.stuck, scene);
    const { ecs } = scene;
    const silent: Ecs = {
      ...ecs,
      describeServices: async (refs, inner) =>
        (await ecs.describeServices(refs, inner)).map(({ currentServiceDeployment: _, ...service }) => service),
    };
    const watcher = watchService(following, { ...scene, ecs: silent });
    expect(await watcher.look(signal)).not.toHaveProperty('serviceDeployment');
    expect(scene.ecs.calls).not.toContain('listServiceDeployments');
    scene.clock.advance(seconds(10));
    expect(await watcher.look(signal)).toMatchObject({
      serviceDeployment: { status: 'IN_PROGRESS', taskDefinition: following.taskDefinition },
    });
  });
});

describe('what is printed', () => {
  test('is every event of ours once, and nothing from before', async () => {
    const scene = stage();
    const watcher = watchService(await begun(IMAGES.good, scene), scene);
    await watcher.look(signal);
    scene.clock.advance(seconds(20));
    await watcher.look(signal);
    await watcher.look(signal);
    const events = scene.log.entries.filter(({ line }) => line === 'Events of web:');
    expect(events.map(({ text }) => text)).toEqual(['12:01:10 (service web) has reached a steady state.']);
  });

  test('are the stops of our tasks alone, as they happen', async () => {
    const scene = stage({ breaker: { enable: false, rollback: false } });
    await begun(IMAGES.crash.replace('crash', 'crash-before'), scene);
    scene.clock.advance(seconds(11));
    const watcher = watchService(await begun(IMAGES.crash, scene), scene);
    scene.clock.advance(seconds(6));
    await watcher.look(signal);
    const [stops] = scene.log.entries.filter(({ line }) => line === 'Tasks of web that stopped:');
    expect(stops?.text).toMatch(
      /^Task \d+ stopped: Essential container in task exited \(EssentialContainerExited\); container web: exit code 1\nLikely cause: the application ended with an error\. See the container.s log\.$/,
    );
    expect((await watcher.diagnosis(signal)).filter((line) => line.startsWith('2 tasks'))).toEqual([]);
  });
});

describe('a service that a read does not find', () => {
  test('is looked for again for half a minute, and is an error after that', async () => {
    const scene = stage();
    const watcher = watchService(await begun(IMAGES.good, scene), scene);
    await watcher.look(signal);
    scene.ecs.fail('describeServices', 'not-found', 4);
    expect(await watcher.look(signal)).toMatchObject({ kind: 'unreadable', times: 1 });
    scene.clock.advance(seconds(29));
    expect(await watcher.look(signal)).toMatchObject({ kind: 'unreadable', times: 2 });
    scene.clock.advance(seconds(1));
    await expect(watcher.look(signal)).rejects.toMatchObject({ kind: 'not-found' });
  });

  test('is forgiven each time that it was seen in between', async () => {
    const scene = stage();
    const watcher = watchService(await begun(IMAGES.good, scene), scene);
    for (let index = 0; index < 3; index++) {
      scene.ecs.fail('describeServices', 'not-found', 1);
      expect(await watcher.look(signal)).toMatchObject({ kind: 'unreadable' });
      scene.clock.advance(seconds(20));
      expect(await watcher.look(signal)).toMatchObject({ kind: 'seen' });
    }
  });
});
