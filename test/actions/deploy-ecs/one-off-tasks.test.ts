import { describe, expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

const MIGRATE = '{ command: [npm, run, migrate], timeout: 5m }';
const LOGS =
  '{ web: { log-driver: awslogs, log-options: { awslogs-group: /ecs/web, awslogs-stream-prefix: app, awslogs-region: us-west-2 } } }';
const failing = (code: number): string =>
  `{ command: [npm, run, migrate], environment: { MIGRATE_EXIT_CODE: ${code} } }`;

const errorsOf = ({ annotations }: Awaited<ReturnType<typeof runBundle>>): string =>
  annotations.flatMap(({ level, message }) => (level === 'error' ? [message] : [])).join('\n');

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

needs('sandbox')('deploy-ecs and the tasks of a release, as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const runIn = async (stage: Scene, id: number, inputs: Readonly<Record<string, string>>) => {
    const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id) };
    return runBundle(stage.step(inputs, { env }));
  };
  const migrations = ({ world }: Scene) =>
    Object.values(world.state().tasks).filter(({ startedBy }) => startedBy?.startsWith('sluice-'));

  test('a migration runs once before the service changes, in its network, and never again for that image', async () => {
    // Without tasks of its own, so that two days pass without their health checks.
    const stage = await scene(cloud(), { desired: 0 });
    const run = await runIn(stage, 1, { 'pre-deploy-task': MIGRATE });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const writes = stage.writes('run-1');
    expect(writes.indexOf('RunTask')).toBeLessThan(writes.indexOf('UpdateService'));
    const [task] = migrations(stage);
    expect(task).toMatchObject({ exitCode: 0, template: { taskDefinitionArn: run.outputs['task-definition-arn'] } });
    expect(task?.settings['networkConfiguration']).toMatchObject({
      awsvpcConfiguration: { subnets: [expect.stringMatching(/^subnet-/), expect.stringMatching(/^subnet-/)] },
    });
    await runIn(stage, 2, { 'pre-deploy-task': MIGRATE, image: stage.images.other });
    await stage.world.advance(48 * 3_600_000);
    const again = await runIn(stage, 3, { 'pre-deploy-task': MIGRATE });
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(again.stdout).toContain('ended with exit code 0 before; it is not run again');
    expect(stage.writes('run-3')).not.toContain('RunTask');
  });

  test('a failed migration ends the release with the service as it was, its last lines and its exit code', async () => {
    const stage = await scene(cloud());
    const run = await runIn(stage, 1, { 'pre-deploy-task': failing(3), containers: LOGS });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'true' } });
    expect(errorsOf(run)).toMatch(
      /failed to deploy .*: the pre-deploy task [0-9a-f]{32} ended with exit code 3\. The service was not touched and runs staging-wesign-charts-task:1\.$/,
    );
    expect(run.summary).toContain('(EssentialContainerExited); container web: exit code 3');
    expect(run.summary).toMatch(/Last lines of container web \(task [0-9a-f]{32}\):\n {2}running npm run migrate/);
    expect(run.summary).toContain('  fatal: migration 0042_orders failed');
    expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
    expect(stage.writes('run-1')).not.toContain('UpdateService');
    expect(stage.writes('run-1').at(-1)).toBe('DeregisterTaskDefinition');
    const mended = await runIn(stage, 2, { 'pre-deploy-task': MIGRATE, containers: LOGS });
    expect(mended).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(migrations(stage).map(({ exitCode }) => exitCode)).toEqual([3, 0]);
  });

  test('lines that may not be read are said to be missing, and nothing else changes', async () => {
    const stage = await scene(cloud());
    stage.world.faults.add({ operation: 'logs:GetLogEvents', kind: 'access-denied', times: 100 });
    const run = await runIn(stage, 1, { 'pre-deploy-task': failing(1), containers: LOGS });
    expect(run.summary).toMatch(/No log lines of container web .*: access denied for logs:GetLogEvents/);
    const bare = await runIn(stage, 2, { 'pre-deploy-task': failing(1) });
    expect(bare.summary).toMatch(/No log lines of container web .*: it has no log driver/);
  });

  test('a run that comes after a killed one follows its task', async () => {
    const stage = await scene(cloud());
    let pid: number | undefined;
    stage.world.killAt({ operation: 'ecs:RunTask', ordinal: 1, when: 'after', run: 'action', pid: () => pid });
    const killed = await runBundle(
      stage.step({ 'pre-deploy-task': MIGRATE }, { onSpawn: (running) => (pid = running.pid) }),
    );
    expect(killed.signal).toBe('SIGKILL');
    const again = await runIn(stage, 2, { 'pre-deploy-task': MIGRATE });
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(again.stdout).toMatch(/Following the pre-deploy task [0-9a-f]{32} that an earlier run started/);
    expect(migrations(stage)).toHaveLength(1);
  });

  test('one whose end nobody knows any more is refused until a person says what is true', async () => {
    const stage = await scene(cloud(), { desired: 0 });
    let pid: number | undefined;
    stage.world.killAt({ operation: 'ecs:RunTask', ordinal: 1, when: 'after', run: 'action', pid: () => pid });
    await runBundle(stage.step({ 'pre-deploy-task': MIGRATE }, { onSpawn: (running) => (pid = running.pid) }));
    await stage.world.advance(24 * 3_600_000);
    const refused = await runIn(stage, 2, { 'pre-deploy-task': MIGRATE });
    expect(refused.exitCode).toBe(1);
    expect(errorsOf(refused)).toContain(
      'Whether the pre-deploy task of staging-wesign-charts-service ended well is not known',
    );
    expect(stage.writes('run-2')).toEqual([]);
    const told = await runIn(stage, 3, { 'pre-deploy-task': '{ command: [npm, run, migrate], on-unknown: skip }' });
    expect(told).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(stage.writes('run-3')).not.toContain('RunTask');
  });

  test('one that outlasts its limit is left alone, and said so', async () => {
    const stage = await scene(cloud());
    const long = '{ command: [migrate], timeout: 1m, environment: { MIGRATE_MS: 600000 } }';
    const run = await runIn(stage, 1, { 'pre-deploy-task': long });
    expect(errorsOf(run)).toMatch(/the pre-deploy task [0-9a-f]{32} still runs after 1m/);
    expect(stage.writes('run-1')).not.toContain('StopTask');
  });

  describe('a task after the deployment', () => {
    test('that ends well leaves the release green', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { 'post-deploy-task': MIGRATE });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      const writes = stage.writes('run-1');
      expect(writes.indexOf('RunTask')).toBeGreaterThan(writes.indexOf('UpdateService'));
    });

    test('that fails takes the release back', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { 'post-deploy-task': failing(2) });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(errorsOf(run)).toContain('ended with exit code 2');
      expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
    });
  });

  test('a container that is not there is told with the nearest name, before the service changes', async () => {
    const stage = await scene(cloud());
    const run = await runIn(stage, 1, { 'pre-deploy-task': '{ container: wbe, command: [migrate] }' });
    expect(errorsOf(run)).toContain('has no container wbe, which the pre-deploy task names');
    expect(errorsOf(run)).toContain('Did you mean web?');
    expect(stage.writes('run-1')).not.toContain('UpdateService');
  });

  test('a plan names the tasks', async () => {
    const stage = await scene(cloud());
    const plan = await runIn(stage, 1, { 'pre-deploy-task': MIGRATE, 'post-deploy-task': MIGRATE, 'dry-run': 'true' });
    expect(plan.stdout).toContain('Run the pre-deploy task once: npm run migrate in container web, 5m at most');
    expect(plan.stdout).toContain('Run the post-deploy task once: npm run migrate in container web, 5m at most');
    expect(stage.writes('run-1')).toEqual([]);
  });

  test('the last lines of a service that fails to start are shown with stop code, likely cause and advice', async () => {
    const stage = await scene(cloud());
    const run = await runIn(stage, 1, { image: stage.images.crash, containers: LOGS });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(run.summary).toContain('  fatal: could not connect to the database');
    expect(run.stdout).toMatch(/Tasks of staging-wesign-charts-service that stopped:[^]*\(EssentialContainerExited\)/);
    expect(run.stdout).toMatch(/that stopped:[^]*Likely cause: the application ended with an error/);
  });
});
