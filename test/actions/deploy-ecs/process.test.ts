import { describe, expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const annotationsOf = (
  run: { readonly annotations: readonly { readonly level: string; readonly message: string }[] },
  level: string,
): string =>
  run.annotations
    .filter((annotation) => annotation.level === level)
    .map(({ message }) => message)
    .join('\n');

needs('sandbox')('deploy-ecs as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');

  test('deploys a good image, green, with the three ARNs', async () => {
    const { step, truth, images, writes } = await scene(cloud());
    const run = await runBundle(step());
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
    expect(run.outputs['task-definition-arn']).toMatch(/:task-definition\/staging-wesign-charts-task:2$/);
    expect(run.outputs['previous-task-definition-arn']).toMatch(/:task-definition\/staging-wesign-charts-task:1$/);
    expect(run.outputs['service-deployment-arn']).toContain(':service-deployment/');
    expect(await truth()).toEqual({ image: images.good, running: 2, desired: 2, phase: 'done' });
    expect(writes()).toEqual(['RegisterTaskDefinition', 'TagResource', 'UpdateService', 'TagResource']);
  });

  test('leaves an image alone that runs already', async () => {
    const { step, writes, images } = await scene(cloud());
    const run = await runBundle(step({ image: images.first }));
    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'unchanged', changed: 'false', 'service-deployment-arn': '' },
    });
    expect(writes()).toEqual([]);
  });

  test('takes images and registry of the build', async () => {
    const { step, truth, images } = await scene(cloud());
    const [registry = '', rest = ''] = images.good.split('/shop/');
    const digest = rest.split('@')[1];
    const built = JSON.stringify({ web: { repository: 'shop/web', digest, tag: '2' } });
    expect((await runBundle(step({ image: '', images: built, registry, container: 'web' }))).exitCode).toBe(0);
    expect(await truth()).toMatchObject({ image: images.good });
  });

  test('reads cluster, service and container from the stage of sluice.yml', async () => {
    const { step, truth, images, stacked, service } = await scene(cloud());
    const file = `stages:\n  defaults: { cluster: "{stage}-wesign-charts-cluster", container: web }\n  staging: { service: ${service}, timeout: 15m }\n`;
    const run = await runBundle(
      step({ cluster: '', service: '', stage: 'staging' }, { files: { 'sluice.yml': file } }),
    );
    expect(run.exitCode).toBe(0);
    expect(stacked.cluster).toBe('staging-wesign-charts-cluster');
    expect(await truth()).toMatchObject({ image: images.good });
  });

  describe('a bad image', () => {
    test('that crashes is red and rolled back, with exit codes and what to do', async () => {
      const { step, truth, images } = await scene(cloud());
      const run = await runBundle(step({ image: images.crash }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
      expect(annotationsOf(run, 'error')).toMatch(
        /rolled back from staging-wesign-charts-task:2 after .*circuit breaker.*; ECS went back to staging-wesign-charts-task:1\.$/,
      );
      expect(run.summary).toContain("Likely cause: the application ended with an error. See the container's log.");
      expect(run.summary).toContain('exit code 1');
      expect(await truth()).toEqual({ image: images.first, running: 2, desired: 2, phase: 'rolled-back' });
    });

    test('that was never pushed names that', async () => {
      const { step, images } = await scene(cloud());
      const run = await runBundle(step({ image: `${images.good.split('@')[0]}@sha256:${'0'.repeat(64)}` }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(run.summary).toContain('Likely cause: the image does not exist in its registry.');
    });

    test('that the load balancer finds unhealthy names the health check', async () => {
      const { step, images, truth } = await scene(cloud());
      const run = await runBundle(step({ image: images.sick }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(run.summary).toContain('Likely cause: the load balancer found the tasks unhealthy.');
      expect(await truth()).toMatchObject({ image: images.first, running: 2 });
    });

    const breakers = [
      { name: 'a circuit breaker without rollback', circuitBreaker: { enable: true, rollback: false } },
      { name: 'no circuit breaker', circuitBreaker: { enable: false, rollback: false } },
    ];
    test.each(breakers)('is rolled back by the action on a service with $name', async ({ circuitBreaker }) => {
      const { step, truth, images } = await scene(cloud(), { circuitBreaker });
      const run = await runBundle(step({ image: images.crash }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(annotationsOf(run, 'warning')).toContain('has no deployment circuit breaker with rollback');
      expect(await truth()).toEqual({ image: images.first, running: 2, desired: 2, phase: 'rolled-back' });
    });

    test('is left when asked', async () => {
      const { step, truth, images, writes } = await scene(cloud(), {
        circuitBreaker: { enable: true, rollback: false },
      });
      const run = await runBundle(step({ image: images.crash, 'on-failure': 'leave' }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
      expect(writes()).toEqual(['RegisterTaskDefinition', 'TagResource', 'UpdateService', 'TagResource']);
      expect(await truth()).toMatchObject({ image: images.crash, phase: 'failed' });
    });
  });

  describe('is told before anything is written', () => {
    test('that the service does not exist, with the account and region that were asked', async () => {
      const { step, writes, world } = await scene(cloud());
      const run = await runBundle(step({ service: 'staging-wesign-charts-servise' }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(annotationsOf(run, 'error')).toContain(
        `Could not find ECS service staging-wesign-charts-servise in cluster staging-wesign-charts-cluster: ECS says MISSING. Check the names; the credentials are for account ${world.account}, region us-west-2.`,
      );
      expect(writes()).toEqual([]);
    });

    test('that the cluster does not exist', async () => {
      const { step } = await scene(cloud());
      expect(annotationsOf(await runBundle(step({ cluster: 'nowhere' })), 'error')).toContain(
        'in cluster nowhere: ClusterNotFoundException',
      );
    });

    test('that the account is a wrong one, by a single call', async () => {
      const { step, operations, world } = await scene(cloud());
      const run = await runBundle(step({ 'allowed-account-ids': '999999999999, 888888888888' }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
      expect(annotationsOf(run, 'error')).toContain(`AWS account ${world.account} is not allowed`);
      expect(annotationsOf(run, 'error')).toContain('999999999999, 888888888888');
      expect(operations()).toEqual(['sts:GetCallerIdentity']);
    });

    test('that the container is not there, with the nearest name', async () => {
      const { step, writes } = await scene(cloud());
      expect(annotationsOf(await runBundle(step({ container: 'wbe' })), 'error')).toContain(
        'has no container wbe: its containers are web. Nothing was changed. Did you mean web?',
      );
      expect(writes()).toEqual([]);
    });

    test('every wrong input at once, without a call', async () => {
      const { step, operations } = await scene(cloud());
      const run = await runBundle(step({ timeout: '20', 'on-failure': 'rolback', 'desired-count': '-1' }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
      const told = annotationsOf(run, 'error');
      expect(['timeout', 'on-failure', 'desired-count', 'rollback'].filter((word) => !told.includes(word))).toEqual([]);
      expect(operations()).toEqual([]);
    });
  });

  test('a dry run shows the plan and writes nothing', async () => {
    const { step, writes, images, truth } = await scene(cloud());
    const run = await runBundle(step({ 'dry-run': 'true', 'desired-count': '3' }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
    expect(run.stdout).toContain(`- web.image: ${images.first}\n+ web.image: ${images.good}\n`);
    expect(run.stdout).toContain('Set the desired count from 2 to 3');
    expect(writes()).toEqual([]);
    expect(await truth()).toMatchObject({ image: images.first, phase: undefined });
  });

  test('the role is assumed by the token of the runner, and every secret is masked', async () => {
    const { step, operations, world, truth, images } = await scene(cloud());
    const role = `arn:aws:iam::${world.account}:role/deploy`;
    const run = await runBundle(
      step(
        { 'role-to-assume': role },
        { env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined } },
      ),
    );
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(operations().slice(0, 2)).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
    expect(run.commands.filter(({ name }) => name === 'add-mask')).toHaveLength(4);
    expect(await truth()).toMatchObject({ image: images.good });
  });

  describe('a fault of the API', () => {
    test('that shows the service as it was before does not end the wait', async () => {
      const { step, world, truth, images } = await scene(cloud());
      world.faults.add({ operation: 'ecs:DescribeServices', kind: 'stale-read', times: 3 });
      const run = await runBundle(step());
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(await truth()).toMatchObject({ image: images.good, running: 2 });
    });

    const passing = [
      {
        name: 'throttles every read for a while',
        fault: { operation: 'ecs:DescribeServices', kind: 'throttle', times: 12 } as const,
      },
      {
        name: 'answers 5xx to every read for a while',
        fault: { operation: 'ecs:DescribeServices', kind: '5xx', times: 12 } as const,
      },
      {
        name: 'loses the answer of the update',
        fault: { operation: 'ecs:UpdateService', kind: 'reset', when: 'after', times: 1 } as const,
      },
      {
        name: 'loses the answer of the registration',
        fault: { operation: 'ecs:RegisterTaskDefinition', kind: 'reset', when: 'after', times: 1 } as const,
      },
    ];
    test.each(passing)('that $name is waited out', async ({ fault }) => {
      const { step, world, truth, images } = await scene(cloud());
      world.faults.add({ ...fault, ...(fault.kind === 'throttle' || fault.kind === '5xx' ? { ordinal: 2 } : {}) });
      const run = await runBundle(step());
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(await truth()).toMatchObject({ image: images.good, running: 2, phase: 'done' });
    });

    test('that denies a read in the wait ends it at once and names the action', async () => {
      const { step, world, operations } = await scene(cloud());
      world.faults.add({ operation: 'ecs:DescribeServices', ordinal: 2, kind: 'access-denied', times: 100 });
      const run = await runBundle(step());
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'true' } });
      expect(annotationsOf(run, 'error')).toContain('access denied for ecs:DescribeServices');
      expect(operations().filter((operation) => operation === 'DescribeServices')).toHaveLength(2);
    });

    test('that denies the record of deployments costs one warning', async () => {
      const { step, world } = await scene(cloud());
      for (const operation of [
        'ecs:DescribeServiceDeployments',
        'ecs:ListServiceDeployments',
        'ecs:DescribeServiceRevisions',
      ]) {
        world.faults.add({ operation, kind: 'access-denied', times: 1_000 });
      }
      const run = await runBundle(step());
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(run.annotations.filter(({ level }) => level === 'warning')).toHaveLength(1);
    });
  });
});
