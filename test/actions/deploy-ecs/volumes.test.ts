import { expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const ROLE = 'arn:aws:iam::123456789012:role/ecs-volumes';
const OF_OTHERS = { name: 'data', managedEBSVolume: { roleArn: ROLE, sizeInGiB: 20 } };
const SETTINGS = `{ volumes: { data: { role-arn: "${ROLE}", size-gib: 40 } } }`;
const LARGER = { ...OF_OTHERS, managedEBSVolume: { ...OF_OTHERS.managedEBSVolume, sizeInGiB: 40 } };
const FILE = 'deploy/with-volume.json';
const BAD_TASK = '{ command: [migrate], environment: { MIGRATE_EXIT_CODE: 1 } }';

needs('sandbox')('deploy-ecs and volumes that come and go with a definition, against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const stepOf = async (stage: Scene, id: number, inputs: Readonly<Record<string, string>>): Promise<BundleRun> => {
    const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id) };
    return stage.step(inputs, { env, files: definitionOf(stage) });
  };
  const runIn = async (stage: Scene, id: number, inputs: Readonly<Record<string, string>>): Promise<BundleResult> =>
    runBundle(await stepOf(stage, id, inputs));
  const volumesOf = ({ world }: Scene) =>
    Object.values(world.state().services)[0]?.settings['volumeConfigurations'] ?? [];
  const definitionOf = ({ images }: Scene): Readonly<Record<string, string>> => {
    const definition = {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      volumes: [{ name: 'data', configuredAtLaunch: true }],
      containerDefinitions: [{ name: 'web', image: images.first, essential: true, portMappings: [{ containerPort: 80 }] }],
    }; // prettier-ignore
    return { [FILE]: JSON.stringify(definition) };
  };
  const WITH_VOLUME = { 'task-definition': FILE, 'service-settings': SETTINGS };

  test('a release that brought the first volume is rolled back, deployed over, and gone back to', async () => {
    const stage = await scene(cloud());
    const before = Object.values(stage.world.state().revisions)[0]?.template.taskDefinitionArn ?? '';
    expect(await runIn(stage, 1, WITH_VOLUME)).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(volumesOf(stage)).toEqual([LARGER]);

    const plan = await runIn(stage, 2, { mode: 'rollback', image: '', 'dry-run': 'true' });
    expect(plan.stdout).toContain('Set of the service volumes.data: is taken away');
    const back = await runIn(stage, 3, { mode: 'rollback', image: '' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', 'task-definition-arn': before } });
    expect(back.stdout).toContain('changes with the update: volumes.data: is taken away');
    expect(volumesOf(stage)).toEqual([]);

    // As the record of that deployment has it.
    const again = await runIn(stage, 4, { mode: 'rollback', to: '2', image: '' });
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(volumesOf(stage)).toEqual([LARGER]);

    const reverted = await runIn(stage, 5, { image: '', 'task-definition': before });
    expect(reverted).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', 'task-definition-arn': before } });
    expect(volumesOf(stage)).toEqual([]);
  });

  test('a run that took the release of a killed one over goes back without its volume', async () => {
    const stage = await scene(cloud());
    const inputs = { ...WITH_VOLUME, 'post-deploy-task': BAD_TASK };
    let pid: number | undefined;
    const first = await stepOf(stage, 7, inputs);
    stage.world.killAt({ operation: 'ecs:UpdateService', ordinal: 1, when: 'after', run: 'run-7', pid: () => pid });
    const killed = await runBundle({ ...first, onSpawn: (running) => void (pid = running.pid) });
    expect(killed.signal).toBe('SIGKILL');
    expect(volumesOf(stage)).toEqual([LARGER]);
    const env = { ...(await stage.world.run('run-7-2')), GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '2' };
    const next = await runBundle(stage.step(inputs, { env, files: definitionOf(stage) }));
    expect(next).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(volumesOf(stage)).toEqual([]);
  });

  test('settings alone are taken back by the same revision, deployed again', async () => {
    const stage = await scene(cloud(), { volume: OF_OTHERS });
    const inputs = { image: '', 'service-settings': SETTINGS, 'post-deploy-task': BAD_TASK };
    const run = await runIn(stage, 1, inputs);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(run.stdout).toContain('again, with the settings of before');
    expect(volumesOf(stage)).toEqual([OF_OTHERS]);
    expect(stage.writes('run-1').filter((each) => each === 'UpdateService')).toHaveLength(2);
  });

  test("ECS's own roll back brings the volumes of before with its revision", async () => {
    const stage = await scene(cloud(), { volume: OF_OTHERS });
    const settings = SETTINGS.replace(/ }$/, ', propagate-tags: service, enable-ecs-managed-tags: true }');
    const run = await runIn(stage, 1, { image: stage.images.crash, 'service-settings': settings });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(volumesOf(stage)).toEqual([OF_OTHERS]);
    // Those are of no service revision: they are put back by an update that starts no deployment.
    expect(run.stdout).toContain('Setting the tag settings of');
    expect(Object.values(stage.world.state().services)[0]).toMatchObject({
      settings: { propagateTags: 'NONE', enableECSManagedTags: false },
      deployments: [{ rolloutState: 'COMPLETED' }],
    });
  });

  test('a volume that nobody configures, or that no definition waits for, is refused before anything is written', async () => {
    const stage = await scene(cloud());
    const refusals: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [
        { 'task-definition': FILE },
        'the task definition has the volume data with configuredAtLaunch: true, and neither service-settings nor the service configures it. Nothing was changed.',
      ],
      [
        { 'pre-deploy-task': `{ command: [migrate], volumes: { dta: { role-arn: "${ROLE}", size-gib: 1 } } }` },
        'pre-deploy-task configures the volume dta, and the task definition has no volume with configuredAtLaunch: true. Nothing was changed.',
      ],
    ];
    for (const [index, [inputs, says]] of refusals.entries()) {
      const run = await runIn(stage, index + 1, inputs);
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(run.annotations.at(-1)?.message).toContain(says);
    }
    const [, task] = refusals;
    const plan = await runIn(stage, 11, { ...task?.[0], 'dry-run': 'true' });
    expect(plan.stdout).toContain('Refuse: pre-deploy-task configures the volume dta');
    expect(stage.writes()).toEqual([]);
  });
});
