import { describe, expect, jest, test } from '@jest/globals';
import { cancelAsRunner, freezeDuring, kill, mainOnly, mainThenPost, onceItSays } from '../../harness/interrupt.ts';
import { type BundleRun, type RunningBundle, runBundle, startBundle } from '../../harness/run-bundle.ts';
import { needs } from '../../harness/needs.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const NO_BREAKER = { circuitBreaker: { enable: false, rollback: false } };
const WAITING = /Waiting for staging-wesign-charts-task:2/;

/** Lets the process die at one of its calls. */
function dieAt(
  run: BundleRun,
  { world }: Scene,
  at: { readonly operation: string; readonly ordinal: number; readonly when: 'before' | 'after' },
): BundleRun {
  let running: RunningBundle | undefined;
  world.killAt({ ...at, run: 'action', pid: () => running?.pid });
  return { ...run, onSpawn: (started) => (running = started) };
}
const untilItDies = async (running: RunningBundle): Promise<void> => void (await running.result);

needs('sandbox')('deploy-ecs that does not come to its end', () => {
  const cloud = aCloud('lock-step');

  describe('cancelled by the runner', () => {
    test('tells ECS to go back by one call, and post waits for the end', async () => {
      const stage = await scene(cloud());
      const { main, post } = await mainThenPost(
        stage.step({ image: stage.images.sick }),
        onceItSays(WAITING, cancelAsRunner({ scale: 0.1 })),
      );
      expect(main).toMatchObject({ exitCode: 130, outputs: { outcome: 'cancelled', changed: 'true' } });
      expect(main.annotations.at(-1)?.message).toContain(
        'ECS was told to roll back the deployment of staging-wesign-charts-task:2',
      );
      expect(stage.writes().filter((operation) => operation === 'StopServiceDeployment')).toHaveLength(1);
      expect(post).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(await stage.truth()).toEqual({ image: stage.images.first, running: 2, desired: 2, phase: 'rolled-back' });
    });

    test('leaves the deployment to ECS when asked', async () => {
      const stage = await scene(cloud());
      const { main, post } = await mainThenPost(
        stage.step({ 'on-cancel': 'leave' }),
        onceItSays(WAITING, cancelAsRunner({ scale: 0.1 })),
      );
      expect(main.outputs['outcome']).toBe('cancelled');
      const left =
        'The deployment of staging-wesign-charts-task:2 to staging-wesign-charts-service goes on, watched by nobody (on-cancel: leave); the next run follows it.';
      expect(main.annotations.at(-1)?.message).toContain(left);
      expect(main.summary).toContain(left);
      expect(post).toMatchObject({ exitCode: 0, outputs: {} });
      expect(post.stdout).toContain('goes on without this run, as asked (on-cancel: leave)');
      await stage.world.advance(60_000);
      expect(await stage.truth()).toMatchObject({ image: stage.images.good, running: 2 });
    });
  });

  test('cancelled while it waits for a count says that the count stays', async () => {
    const stage = await scene(cloud());
    const { main } = await mainThenPost(
      stage.step({ mode: 'scale', image: '', 'desired-count': '6' }),
      onceItSays(/Waiting for/, cancelAsRunner({ scale: 0.1 })),
    );
    expect(main).toMatchObject({ exitCode: 130, outputs: { outcome: 'cancelled', changed: 'true' } });
    expect(main.annotations.at(-1)?.message).toContain(
      'The desired count of staging-wesign-charts-service was set to 6, or was about to be; it stays so',
    );
    expect(await stage.truth()).toMatchObject({ desired: 6 });
  });

  describe('killed, with a post step', () => {
    const points = [
      { operation: 'ecs:TagResource', ordinal: 1, when: 'after' },
      { operation: 'ecs:UpdateService', ordinal: 1, when: 'before' },
      { operation: 'ecs:UpdateService', ordinal: 1, when: 'after' },
      { operation: 'ecs:DescribeServices', ordinal: 2, when: 'before' },
      { operation: 'ecs:DescribeServices', ordinal: 3, when: 'after' },
    ] as const;
    test.each(points)('$when $operation#$ordinal: the service runs what it ran before', async (point) => {
      const stage = await scene(cloud(), NO_BREAKER);
      const { main, post } = await mainThenPost(
        dieAt(stage.step({ image: stage.images.crash }), stage, point),
        untilItDies,
      );
      expect(main.signal).toBe('SIGKILL');
      expect(post.timedOut).toBe(false);
      expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2, desired: 2 });
    });
  });

  describe('killed, without a post step', () => {
    const points = [
      { operation: 'ecs:RegisterTaskDefinition', ordinal: 1, when: 'after' },
      { operation: 'ecs:TagResource', ordinal: 1, when: 'after' },
      { operation: 'ecs:UpdateService', ordinal: 1, when: 'before' },
      { operation: 'ecs:UpdateService', ordinal: 1, when: 'after' },
      { operation: 'ecs:DescribeServices', ordinal: 3, when: 'before' },
      { operation: 'ecs:TagResource', ordinal: 2, when: 'before' },
    ] as const;
    test.each(points)(
      '$when $operation#$ordinal: the next attempt completes it, by one revision and one deployment',
      async (point) => {
        const stage = await scene(cloud());
        const first = await mainOnly(dieAt(stage.step(), stage, point), untilItDies);
        expect(first.signal).toBe('SIGKILL');
        const again = await runBundle(
          stage.step({}, { env: { ...(await stage.world.run('again')), GITHUB_RUN_ATTEMPT: '2' } }),
        );
        expect(again.exitCode).toBe(0);
        expect(['succeeded', 'unchanged']).toContain(again.outputs['outcome']);
        expect(await stage.truth()).toMatchObject({
          image: stage.images.good,
          running: 2,
          phase: expect.stringMatching(/done|deploying/),
        });
        const applied = stage.world
          .calls()
          .filter(
            ({ run, result }) =>
              run !== 'fixture' &&
              (result.kind === 'ok' || (result.kind === 'dropped' && result.applied === 'applied')),
          );
        const times = (operation: string): number =>
          new Set(applied.filter((call) => call.operation === operation).map(({ logicalId }) => logicalId)).size;
        expect([times('ecs:RegisterTaskDefinition'), times('ecs:UpdateService')]).toEqual([1, 1]);
      },
    );

    test('in the middle of a bad image: ECS ends it alone, and the next release gets through', async () => {
      const stage = await scene(cloud());
      await mainOnly(stage.step({ image: stage.images.crash }), onceItSays(WAITING, kill));
      await stage.world.advance(120_000);
      expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
      const next = await runBundle(stage.step({}, { env: await stage.world.run('next') }));
      expect(next).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    });
  });

  test('frozen while another run deploys writes nothing more', async () => {
    const stage = await scene(cloud());
    const { world, images, step, truth } = stage;
    const frozen = await startBundle(step({ image: images.sick, timeout: '1m' }));
    await frozen.saw(WAITING);
    await freezeDuring(async () => {
      const env = { ...(await world.run('second')), GITHUB_RUN_ID: '5000' };
      await world.advance(600_000);
      expect((await runBundle(step({ image: images.other }, { env }))).outputs['outcome']).toBe('succeeded');
    })(frozen);
    const before = stage.writes('action').length;
    const end = await frozen.result;
    expect(end.exitCode).toBe(1);
    expect(stage.writes('action')).toHaveLength(before);
    expect(await truth()).toMatchObject({ image: images.other, running: 2, phase: 'done' });
  });
});
