import { describe, expect, test } from '@jest/globals';
import { after, minutes } from '../../../src/domain/duration.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import type { RolloutResult } from '../../../src/domain/ecs/result.ts';
import { deployImage } from '../../../src/engine/ecs-rollout/deploy-image.ts';
import { rollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import { IMAGES, Killed, REF, type Stage, dyingEcs, revision, stage } from './stage.ts';

const signal = new AbortController().signal;
const MOMENTS = ['before', 'after'] as const;

/** Runs until call `at`, where the process dies; how it ended, and how many calls it made. */
async function runAndDie(scene: Stage, image: string, at: number, moment: 'before' | 'after') {
  const dying = dyingEcs(scene.ecs, at, moment);
  const end: RolloutResult | unknown = await deployImage(
    scene.request({ images: { web: image } }),
    { clock: scene.clock, ecs: dying.ecs, log: scene.log },
    signal,
  ).catch((thrown: unknown) => thrown);
  return { end, calls: dying.calls() };
}

const callsOf = async (image: string): Promise<number> =>
  (await runAndDie(stage(), image, Number.MAX_SAFE_INTEGER, 'before')).calls;
const points = async (image: string) => {
  const calls = await callsOf(image);
  return Array.from({ length: calls }, (_, index) => MOMENTS.map((moment) => ({ at: index + 1, moment }))).flat();
};
const updates = (scene: Stage, to: string): number =>
  scene.ecs.calls.filter((call) => call.startsWith(`updateService ${to}`)).length;

describe('a process that dies at any of its calls', () => {
  test('with a good image is completed by the next run, by one revision and one deployment', async () => {
    const kills = await points(IMAGES.good);
    expect(kills.length).toBeGreaterThan(20);
    for (const { at, moment } of kills) {
      const scene = stage();
      expect((await runAndDie(scene, IMAGES.good, at, moment)).end).toBeInstanceOf(Killed);
      const result = await scene.deploy({ writer: { release: 'r-1', run: '100/2' } });
      const seen = {
        at,
        moment,
        good: ['succeeded', 'unchanged'].includes(result.outcome),
        revisions: scene.ecs.revisions('web').length,
        updates: updates(scene, 'web:2'),
      };
      expect(seen).toEqual({ at, moment, good: true, revisions: 2, updates: 1 });
      expect(scene.ecs.serviceOf(REF)).toMatchObject({ taskDefinition: result.taskDefinition, running: 3 });
    }
  });

  test('with a bad image is taken back by the post step, which waits for the end', async () => {
    for (const { at, moment } of await points(IMAGES.crash)) {
      const scene = stage({ breaker: { enable: false, rollback: false } });
      await runAndDie(scene, IMAGES.crash, at, moment);
      const following = scene.followings.at(-1);
      const outcome =
        following === undefined
          ? 'nothing to undo'
          : (
              await rollBack(
                { following, deadline: after(scene.clock.now(), minutes(4)), reason: 'the run died' },
                scene,
                signal,
              )
            ).outcome;
      expect({ at, moment, outcome, runs: revision(scene.ecs.serviceOf(REF).taskDefinition) }).toEqual({
        at,
        moment,
        outcome: following === undefined ? 'nothing to undo' : 'rolled-back',
        runs: 'web:1',
      });
    }
  });

  test('with a bad image and no post step leaves the old tasks serving, and the next release gets through', async () => {
    for (const { at, moment } of await points(IMAGES.crash)) {
      const scene = stage();
      await runAndDie(scene, IMAGES.crash, at, moment);
      scene.clock.advance(minutes(5));
      expect({ at, moment, ...pick(scene) }).toEqual({ at, moment, runs: 'web:1', running: 3 });
      const result = await scene.deploy({ writer: { release: 'r-2', run: '101/1' } });
      expect({ at, moment, outcome: result.outcome }).toEqual({ at, moment, outcome: 'succeeded' });
    }
  });

  const pick = ({ ecs }: Stage) => {
    const { taskDefinition, running } = ecs.serviceOf(REF);
    return { runs: revision(taskDefinition), running };
  };
});

test('a run that follows what another left takes the way back from its tags, where the history may not be read', async () => {
  const scene = stage({ breaker: { enable: false, rollback: false } });
  const killedAfterUpdate = 10;
  await runAndDie(scene, IMAGES.stuck, killedAfterUpdate, 'after');
  expect(updates(scene, 'web:2')).toBe(1);
  const { ecs } = scene;
  const blind: Ecs = {
    ...ecs,
    listServiceDeployments: () => Promise.resolve([]),
    // The old deployment has drained: the list names ours alone.
    describeServices: async (refs, inner) =>
      (await ecs.describeServices(refs, inner)).map((service) => ({
        ...service,
        deployments: service.deployments.slice(0, 1),
      })),
  };
  const request = scene.request({ images: { web: IMAGES.stuck }, writer: { release: 'r-1', run: '100/2' } });
  const result = await deployImage(request, { clock: scene.clock, ecs: blind, log: scene.log }, signal);
  expect(result.outcome).toBe('rolled-back');
  expect(revision(result.previousTaskDefinition)).toBe('web:1');
});
