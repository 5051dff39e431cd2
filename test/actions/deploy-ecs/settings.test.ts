import { expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const ROLE = 'arn:aws:iam::123456789012:role/ecs-volumes';
const OF_OTHERS = { name: 'data', managedEBSVolume: { roleArn: ROLE, sizeInGiB: 20 } };
const SETTINGS = `{ volumes: { data: { role-arn: "${ROLE}", size-gib: 40 } }, propagate-tags: service, enable-ecs-managed-tags: true }`;

needs('sandbox')('deploy-ecs and what a release says of the service, against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const runIn = async (stage: Scene, id: number, inputs: Readonly<Record<string, string>>): Promise<BundleResult> => {
    const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id) };
    return runBundle(stage.step(inputs, { env }));
  };
  const settingsOf = ({ world }: Scene) => Object.values(world.state().services)[0]?.settings;
  const tasksOf = ({ world }: Scene) =>
    Object.values(world.state().tasks).filter(({ startedBy }) => startedBy?.startsWith('sluice-'));

  test('volumes that others configured stay, and the task of the release is launched with them', async () => {
    const stage = await scene(cloud(), { volume: OF_OTHERS });
    const run = await runIn(stage, 1, { 'pre-deploy-task': '{ command: [migrate] }' });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(settingsOf(stage)).toMatchObject({ volumeConfigurations: [OF_OTHERS] });
    expect(settingsOf(stage)).not.toHaveProperty('propagateTags');
    expect(tasksOf(stage)[0]?.settings).toMatchObject({ volumeConfigurations: [OF_OTHERS] });
    expect(tasksOf(stage)[0]?.settings).not.toHaveProperty('enableECSManagedTags');
  });

  test('settings come with the same update, once, and are taken back with the release', async () => {
    const stage = await scene(cloud(), { volume: OF_OTHERS });
    const inputs = { 'service-settings': SETTINGS };
    const plan = await runIn(stage, 1, { ...inputs, 'dry-run': 'true' });
    expect(plan.stdout).toContain('Set of the service propagate-tags: NONE -> SERVICE');
    const bad = '{ command: [migrate], environment: { MIGRATE_EXIT_CODE: 1 } }';
    const failed = await runIn(stage, 2, { ...inputs, 'post-deploy-task': bad });
    expect(failed).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(settingsOf(stage)).toMatchObject({
      volumeConfigurations: [OF_OTHERS],
      propagateTags: 'NONE',
      enableECSManagedTags: false,
    });
    const good = await runIn(stage, 3, inputs);
    expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(stage.writes('run-3').filter((each) => each === 'UpdateService')).toHaveLength(1);
    const larger = { ...OF_OTHERS.managedEBSVolume, sizeInGiB: 40 };
    expect(settingsOf(stage)).toMatchObject({
      volumeConfigurations: [{ name: 'data', managedEBSVolume: larger }],
      propagateTags: 'SERVICE',
      enableECSManagedTags: true,
    });
    const again = await runIn(stage, 4, inputs);
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } });
    const tags = '{ propagate-tags: none }';
    const alone = await runIn(stage, 5, { image: '', 'service-settings': tags });
    expect(alone).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(alone.stdout).toContain('the service changes (propagate-tags: SERVICE -> NONE)');
  });

  test('a volume that the definition does not wait for is refused before anything is written', async () => {
    const stage = await scene(cloud());
    const run = await runIn(stage, 1, { 'service-settings': SETTINGS });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(run.annotations.at(-1)?.message).toContain(
      'service-settings configures the volume data, and the task definition has no volume with configuredAtLaunch: true. Nothing was changed.',
    );
    expect(stage.writes()).toEqual([]);
  });

  test('a task of the release has its own place, tags and volumes where they are given', async () => {
    const stage = await scene(cloud(), { volume: OF_OTHERS });
    const task = `
command: [migrate]
capacity-providers: [{ provider: FARGATE_SPOT, weight: 1 }]
platform-version: 1.4.0
propagate-tags: task-definition
enable-ecs-managed-tags: true
tags: { team: shop, cost: 7 }
volumes: { data: { role-arn: "${ROLE}", size-gib: 100, delete-on-termination: false } }`;
    const plan = await runIn(stage, 1, { 'pre-deploy-task': task, 'dry-run': 'true' });
    expect(plan.stdout).toContain(
      '15m at most; capacity providers FARGATE_SPOT; platform version 1.4.0; volumes data; tags cost=7, team=shop; tags propagated from TASK_DEFINITION; tags managed by ECS true',
    );
    const run = await runIn(stage, 2, { 'pre-deploy-task': task });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const [ran] = tasksOf(stage);
    expect(ran).toMatchObject({
      tags: { team: 'shop', cost: '7' },
      settings: {
        capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
        platformVersion: '1.4.0',
        propagateTags: 'TASK_DEFINITION',
        enableECSManagedTags: true,
        volumeConfigurations: [
          {
            name: 'data',
            managedEBSVolume: { roleArn: ROLE, sizeInGiB: 100, terminationPolicy: { deleteOnTermination: false } },
          },
        ],
      },
    });
    expect(ran?.settings).not.toHaveProperty('launchType');
  });

  test('roles are put into the new revision, looked for before, and changed alone', async () => {
    const stage = await scene(cloud());
    const role = (name: string) => `arn:aws:iam::999999999999:role/${name}`;
    const roles = { 'task-role-arn': role('web'), 'execution-role-arn': role('starts-web') };
    const run = await runIn(stage, 1, { image: '', ...roles });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain(`+ taskRoleArn: ${role('web')}`);
    // Of another account, where nobody here may look.
    expect(run.annotations.map(({ message }) => message).join()).toContain(role('starts-web'));
    const again = await runIn(stage, 2, { image: '', ...roles });
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } });
  });

  test('what is wrong with any of them is told with all the rest, before any call', async () => {
    const stage = await scene(cloud());
    const run = await runIn(stage, 1, {
      'task-role-arn': 'web',
      'service-settings': '{ volumes: {}, propagate-tags: services }',
      'pre-deploy-task': '{ command: [migrate], started-by: me }',
    });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    const told = run.annotations.at(-1)?.message ?? '';
    for (const words of ['task-role-arn', 'volumes: has no volume', 'propagate-tags', 'started-by: is not a key'])
      expect(told).toContain(words);
    expect(stage.operations()).toEqual([]);
  });
});
