import { expect, jest, test } from '@jest/globals';
import { type Fault, type World } from '../../../sandbox/cloud.ts';
import { cancelAsRunner, mainThenPost, onceItSays } from '../../harness/interrupt.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type GroupScene, groupScene } from './group-scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(300_000);

const MIGRATE = { command: ['npm', 'run', 'migrate'] };

/** Operations of the action in order, each logical call once. */
function operationsOf(world: World): readonly string[] {
  const seen = new Set<string>();
  return world
    .calls()
    .filter(({ run, logicalId }) => run === 'action' && !seen.has(logicalId) && seen.add(logicalId))
    .map(({ operation }) => operation);
}

const outcomes = (results: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(JSON.parse(results ?? '{}') as Record<string, { readonly outcome: string }>).map(
      ([name, { outcome }]) => [name, outcome],
    ),
  );

/** A third service of the cluster whose first image never started: nothing of it was ever good. */
async function addBornBad({ world, cluster, images }: GroupScene): Promise<string> {
  const ecs = await import('@aws-sdk/client-ecs');
  const client = new ecs.ECSClient(world.client());
  const name = 'born-bad';
  const { taskDefinition } = await client.send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: 'api-task:1' }));
  const [container] = taskDefinition?.containerDefinitions ?? [];
  const containerDefinitions = [{ ...container, memory: 256, image: images.crash }];
  await client.send(new ecs.RegisterTaskDefinitionCommand({ family: name, containerDefinitions }));
  const deploymentConfiguration = { deploymentCircuitBreaker: { enable: true, rollback: false } };
  await client.send(
    new ecs.CreateServiceCommand({
      cluster,
      serviceName: name,
      taskDefinition: name,
      desiredCount: 1,
      deploymentConfiguration,
    }),
  );
  client.destroy();
  await world.advance(900_000);
  return name;
}

needs('sandbox')('a release of a group against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const pair = (spec?: Parameters<typeof groupScene>[2]) => groupScene(cloud(), ['api', 'web'], spec);

  test('runs all tasks before it ahead of the first service, and those after it once all serve', async () => {
    const { step, images, truth, world } = await pair();
    const run = await runBundle(
      step([
        { service: 'web', image: images.good, 'depends-on': ['api'], 'pre-deploy-task': MIGRATE },
        { service: 'api', image: images.good, 'post-deploy-task': MIGRATE },
      ]),
    );
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const order = operationsOf(world).filter((each) => each === 'ecs:RunTask' || each === 'ecs:UpdateService');
    expect(order).toEqual(['ecs:RunTask', 'ecs:UpdateService', 'ecs:UpdateService', 'ecs:RunTask']);
    expect(Object.values(await truth()).map(({ image, phase }) => `${image} ${phase}`)).toEqual(
      Array(2).fill('good done'),
    );
  });

  test('touches no service when a task before it fails', async () => {
    const { step, images, truth, world } = await pair();
    const failing = { ...MIGRATE, environment: { MIGRATE_EXIT_CODE: 3 } };
    const run = await runBundle(
      step([
        { service: 'api', image: images.good },
        { service: 'web', image: images.good, 'depends-on': ['api'], 'pre-deploy-task': failing },
      ]),
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(outcomes(run.outputs['service-results'])).toEqual({ api: 'not-started', web: 'failed' });
    expect(run.stdout).toContain('ended with exit code 3');
    expect(operationsOf(world)).not.toContain('ecs:UpdateService');
    expect(Object.values(await truth()).map(({ image }) => image)).toEqual(['first', 'first']);
  });

  test('that is cancelled stops what is in flight, and post takes back what serves', async () => {
    const { step, chain, truth } = await pair();
    const { main, post } = await mainThenPost(
      step(chain({ web: 'sick' })),
      onceItSays(/Waiting for 1 of 2 services: web/, cancelAsRunner({ scale: 0.1 })),
    );
    expect(main).toMatchObject({ exitCode: 130, outputs: { outcome: 'cancelled', changed: 'true' } });
    expect(post).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(await truth()).toEqual({
      api: { image: 'first', running: 1, phase: 'rolled-back' },
      web: { image: 'first', running: 1, phase: 'rolled-back' },
    });
  });

  test('leaves what serves when one fails and that is asked for (on-failure: leave)', async () => {
    const { step, chain, truth } = await pair({ circuitBreaker: { enable: true, rollback: false } });
    const run = await runBundle(step(chain({ web: 'crash' }), { 'on-failure': 'leave' }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(outcomes(run.outputs['service-results'])).toEqual({ api: 'succeeded', web: 'failed' });
    expect(await truth()).toMatchObject({
      api: { image: 'good', running: 1, phase: 'failed' },
      web: { image: 'crash', phase: 'failed' },
    });
  });

  test('takes the others back when one fails that never had a good release, and says so', async () => {
    const scene = await groupScene(cloud(), ['api']);
    const name = await addBornBad(scene);
    const { images, step, truth } = scene;
    const run = await runBundle(
      step([
        { service: 'api', image: images.good },
        { service: name, image: images.other.replace(/@.*$/, ':3-crash-at-start'), 'depends-on': ['api'] },
      ]),
    );
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(run.stdout).toContain(`${name} never had a successful deployment`);
    expect(outcomes(run.outputs['service-results'])).toEqual({ api: 'rolled-back', [name]: 'rollback-failed' });
    expect(await truth()).toMatchObject({ api: { image: 'first', running: 1, phase: 'rolled-back' } });
  });

  const faults: readonly (Fault & { readonly ends: 'green' | 'red' })[] = [
    { operation: 'ecs:DescribeServices', kind: 'throttle', times: 1, ends: 'green' },
    { operation: 'ecs:UpdateService', kind: 'reset', when: 'after', times: 1, ends: 'green' },
    { operation: 'ecs:DescribeServiceDeployments', kind: 'access-denied', times: 1_000, ends: 'green' },
    { operation: 'ecs:UpdateService', kind: 'access-denied', times: 1_000, ends: 'red' },
  ];
  test.each(faults)('meets $kind of $operation and ends $ends, all of it or none', async ({ ends, ...fault }) => {
    const { step, chain, truth, world } = await pair();
    const armed = world.faults.add(fault);
    const run = await runBundle(step(chain()));
    expect(armed.hits()).toBeGreaterThan(0);
    expect(run.exitCode).toBe(ends === 'green' ? 0 : 1);
    world.faults.clear();
    expect(Object.values(await truth()).map(({ image }) => image)).toEqual(
      Array(2).fill(ends === 'green' ? 'good' : 'first'),
    );
  });
});
