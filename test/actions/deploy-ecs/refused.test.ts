import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { type Wire, type WireAnswer, type WireCall, refusal, startWire } from '../../adapters/aws/wire.ts';
import { freezeDuring, mainOnly, onceItSays } from '../../harness/interrupt.ts';
import { needs } from '../../harness/needs.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const errorOf = ({ annotations }: BundleResult): string =>
  annotations.findLast(({ level }) => level === 'error')?.message ?? '';

needs('sandbox')('deploy-ecs refuses, and writes nothing', () => {
  const cloud = aCloud('lock-step');

  test('a service that was deleted, in each mode that would change it', async () => {
    const stage = await scene(cloud());
    const { DeleteServiceCommand, ECSClient } = await import('@aws-sdk/client-ecs');
    const client = new ECSClient(stage.world.client());
    const { cluster } = stage.stacked;
    await client.send(new DeleteServiceCommand({ cluster, service: stage.service, force: true }));
    client.destroy();
    await stage.world.advance(120_000);
    const modes = {
      deploy: { said: 'Could not deploy to ECS service', inputs: {} },
      rollback: { said: 'Could not roll back ECS service', inputs: { image: '' } },
      scale: { said: 'Could not scale ECS service', inputs: { image: '', 'desired-count': '3' } },
    };
    for (const [mode, { said, inputs }] of Object.entries(modes)) {
      const run = await runBundle(stage.step({ mode, ...inputs }));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(errorOf(run)).toContain(said);
      expect(errorOf(run)).toMatch(/the service is INACTIVE, not ACTIVE\. Nothing was changed\. Check the name/);
    }
    expect(stage.writes()).toEqual([]);
  });

  test("to call it somebody else's deployment when the service is deleted under it", async () => {
    const stage = await scene(cloud());
    const { DeleteServiceCommand, ECSClient } = await import('@aws-sdk/client-ecs');
    const client = new ECSClient(stage.world.client());
    const { cluster } = stage.stacked;
    const removal = new DeleteServiceCommand({ cluster, service: stage.service, force: true });
    const run = await mainOnly(
      stage.step({ image: stage.images.sick }),
      onceItSays(
        /Waiting for staging-wesign-charts-task:2/,
        freezeDuring(async () => void (await client.send(removal))),
      ),
    );
    client.destroy();
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(errorOf(run)).toMatch(/the service was deleted \(it is (DRAINING|INACTIVE)\)/);
    expect(errorOf(run)).toContain('has to be created again');
    expect(stage.writes().filter((each) => each === 'UpdateService')).toHaveLength(1);
  });

  test('a definition that nobody registered, with what is true and what to do', async () => {
    const stage = await scene(cloud());
    const deployed = await runBundle(stage.step({ 'task-definition': 'nobody:7' }));
    const account = `account ${stage.world.account}`;
    expect(errorOf(deployed)).toMatch(/^Could not read task definition nobody:7: .*Unable to describe task definition/);
    expect(errorOf(deployed)).toContain(`Nothing was changed. Check the name; the credentials are for ${account}`);
    const back = await runBundle(stage.step({ image: '', mode: 'rollback', to: '99' }));
    expect(errorOf(back)).toMatch(/^Could not read task definition \S+:99: .*Nothing was changed\. Check the name/);
    expect(stage.writes()).toEqual([]);
  });
});

needs('sandbox')('deploy-ecs, refused a write by AWS, says what is true', () => {
  const cloud = aCloud('lock-step');
  const stays =
    'staging-wesign-charts-service runs staging-wesign-charts-task:1 as before; staging-wesign-charts-task:2 is registered and stays, and a re-run takes it.';
  const rows = [
    {
      operation: 'RegisterTaskDefinition',
      fault: { kind: 'access-denied' },
      changed: 'false',
      now: 'Nothing was changed.',
    },
    {
      operation: 'RegisterTaskDefinition',
      fault: { kind: 'reset', when: 'before' },
      changed: 'true',
      now: 'The service was not touched; whether the revision was registered is not known.',
    },
    { operation: 'TagResource', fault: { kind: 'access-denied' }, changed: 'true', now: stays },
    { operation: 'UpdateService', fault: { kind: 'access-denied' }, changed: 'true', now: stays },
  ] as const;
  test.each(rows)('$operation, $fault.kind', async ({ operation, fault, changed, now }) => {
    const stage = await scene(cloud());
    stage.world.faults.add({ operation: `ecs:${operation}`, ...fault, times: 100 });
    const run = await runBundle(stage.step());
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed } });
    expect(errorOf(run)).toContain(now);
  });
});

/** The sandbox has no service of another controller, so ECS's answer is played. */
describe('deploy-ecs and a service that something else deploys', () => {
  let wire: Wire | undefined;
  afterEach(() => wire?.close());

  const described = {
    cluster: 'shop',
    serviceName: 'web',
    serviceArn: 'arn:aws:ecs:us-west-2:111122223333:service/shop/web',
  };
  const serviceWith = (more: object): object => ({
    ...described,
    status: 'ACTIVE',
    desiredCount: 1,
    runningCount: 1,
    pendingCount: 0,
    deployments: [],
    events: [],
    ...more,
  });
  const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
    <Arn>arn:aws:iam::111122223333:user/ci</Arn><UserId>A</UserId><Account>111122223333</Account>
    </GetCallerIdentityResult></GetCallerIdentityResponse>`;
  const answer =
    (service: object) =>
    ({ operation, body: asked }: WireCall): WireAnswer => {
      if (operation === 'DescribeTaskDefinition' && !asked.includes('web:1'))
        return refusal('ClientException', 'blank');
      const bodies: Readonly<Record<string, string | object>> = {
        GetCallerIdentity: identity,
        DescribeServices: { services: [service], failures: [] },
        DescribeTaskDefinition: {
          taskDefinition: {
            taskDefinitionArn: 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:1',
            family: 'web',
          },
        },
      };
      return { body: bodies[operation] ?? {} };
    };

  test.each([
    {
      name: 'CodeDeploy',
      more: { deploymentController: { type: 'CODE_DEPLOY' }, taskDefinition: 'web:1' },
      why: 'its deployment controller CODE_DEPLOY is not supported',
    },
    {
      name: 'a deployer of its own, which has task sets and no revision',
      more: { deploymentController: { type: 'EXTERNAL' }, taskSets: [] },
      why: 'its deployment controller EXTERNAL is not supported',
    },
    {
      name: 'ECS Express',
      more: { resourceManagementType: 'ECS', taskDefinition: 'web:1' },
      why: 'Express',
    },
  ])('$name: refused, with what can be used', async ({ more, why }) => {
    wire = await startWire(answer(serviceWith(more)));
    const run = await runBundle({
      action: 'deploy-ecs',
      inputs: {
        region: 'us-west-2',
        cluster: 'shop',
        service: 'web',
        image: `r.example.com/web@sha256:${'a'.repeat(64)}`,
      },
      env: { AWS_ENDPOINT_URL: wire.url, AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' },
    });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(errorOf(run)).toContain(why);
    expect(errorOf(run)).toContain('Nothing was changed. Use ');
    expect(
      wire.calls.map(({ operation }) => operation).filter((each) => /^(Register|Update|Tag|Run)/.test(each)),
    ).toEqual([]);
  });
});
