import { expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type BundleRun, type RunningBundle, runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const RED = { 'checks.yml': 'version: 1\nchecks:\n  - name: health\n    get: /health\n    expect: { status: 418 }\n' };

async function tagsOf({ world, stacked, service }: Scene): Promise<Readonly<Record<string, string | undefined>>> {
  const { DescribeServicesCommand, ECSClient } = await import('@aws-sdk/client-ecs');
  const client = new ECSClient(world.client());
  const { services } = await client.send(
    new DescribeServicesCommand({ cluster: stacked.cluster, services: [service], include: ['TAGS'] }),
  );
  client.destroy();
  return Object.fromEntries((services?.[0]?.tags ?? []).map(({ key = '', value }) => [key, value]));
}

needs('sandbox')('deploy-ecs after a run that wrote down what it did not do', () => {
  const cloud = aCloud('lock-step');
  const killedAt = async (
    { world }: Scene,
    at: { readonly operation: string; readonly ordinal: number; readonly when: 'before' | 'after' },
    run: BundleRun,
  ) => {
    let running: RunningBundle | undefined;
    world.killAt({ ...at, run: 'action', pid: () => running?.pid });
    const killed = await runBundle({ ...run, onSpawn: (started) => (running = started) });
    expect(killed.signal).toBe('SIGKILL');
  };
  const attempt = async ({ world }: Scene, name: string, env: Readonly<Record<string, string>>) => ({
    ...(await world.run(name)),
    ...env,
  });

  test('a way back that was written down and never sent is sent by the next attempt', async () => {
    const stage = await scene(cloud());
    const inputs = { checks: 'checks.yml', url: stage.stacked.url };
    const unsent = { operation: 'ecs:UpdateService', ordinal: 2, when: 'before' } as const;
    await killedAt(stage, unsent, stage.step(inputs, { files: RED }));
    expect(await stage.truth()).toMatchObject({ image: stage.images.good, phase: 'rolling-back' });
    const env = await attempt(stage, 'again', { GITHUB_RUN_ATTEMPT: '2' });
    const again = await runBundle(stage.step(inputs, { files: RED, env }));
    expect(again).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
    expect(stage.writes('again').filter((name) => name === 'UpdateService')).toHaveLength(1);
    expect(await stage.truth()).toEqual({ image: stage.images.first, running: 2, desired: 2, phase: 'rolled-back' });
  });

  test('an image by tag that an earlier run deployed and did not judge keeps the way back that stands in the tags', async () => {
    const stage = await scene(cloud());
    const [repository = ''] = stage.images.good.split('@');
    const tagged = { image: `${repository}:2` };
    await killedAt(stage, { operation: 'ecs:UpdateService', ordinal: 1, when: 'after' }, stage.step(tagged));
    // ECS completes it by itself: from now on its own record names this very revision as the last good one.
    await stage.world.advance(300_000);
    const first = `:task-definition/${stage.stacked.family}:1`;
    expect((await tagsOf(stage))['sluice:previous-task-definition']).toMatch(first);

    const other = await attempt(stage, 'other', { GITHUB_RUN_ID: '5000' });
    const restarted = await runBundle(stage.step(tagged, { env: other }));
    expect(restarted.outputs).toMatchObject({ outcome: 'succeeded', changed: 'true' });
    expect(restarted.outputs['previous-task-definition-arn']).toMatch(first);
    expect(stage.writes('other')).toEqual(['TagResource', 'UpdateService', 'TagResource']);
    expect(await tagsOf(stage)).toMatchObject({
      'sluice:phase': 'done',
      'sluice:previous-task-definition': expect.stringMatching(first),
    });
  });

  test('a release that is found good gets the verdict that the killed run did not live to write', async () => {
    const stage = await scene(cloud());
    await killedAt(stage, { operation: 'ecs:UpdateService', ordinal: 1, when: 'after' }, stage.step());
    await stage.world.advance(300_000);
    expect(await tagsOf(stage)).toMatchObject({ 'sluice:phase': 'deploying' });
    const env = await attempt(stage, 'again', { GITHUB_RUN_ATTEMPT: '2' });
    expect(await runBundle(stage.step({}, { env }))).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } });
    expect(stage.writes('again')).toEqual(['TagResource']);
    expect(await tagsOf(stage)).toMatchObject({ 'sluice:phase': 'done' });
  });
});
