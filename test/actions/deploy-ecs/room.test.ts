import { expect, jest, test } from '@jest/globals';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { signedCalls } from '../../../src/adapters/aws/signed-call.ts';
import { instant } from '../../../src/domain/duration.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

type Run = Awaited<ReturnType<typeof runBundle>>;
const told = ({ annotations }: Run, wanted: string): string =>
  annotations.flatMap(({ level, message }) => (level === wanted ? [message] : [])).join('\n');

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

needs('sandbox')('deploy-ecs before it registers anything, as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');

  /** A call of a service without a client here: the fixture's own. */
  const ask = ({ world }: Scene, service: 'iam' | 'ec2', fields: Readonly<Record<string, string>>): Promise<string> => {
    const { credentials, endpoint } = world.client();
    const session = {
      region: world.region,
      credentials: () => Promise.resolve(credentials),
      endpointOf: () => String(endpoint),
    };
    const clock = { now: () => instant(world.now()), sleep: () => Promise.resolve() };
    const facts = { action: `${service}:${fields['Action']}`, what: 'fixture' };
    const call = { service, endpointId: 'FIXTURE', ask: { kind: 'query', fields } } as const;
    return signedCalls(session, clock)(call, facts, new AbortController().signal);
  };

  test('a role that does not exist is refused; once it does, the release goes through', async () => {
    const stage = await scene(cloud());
    const role = `arn:aws:iam::${stage.world.account}:role/staging-task-execution`;
    const definition = {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      executionRoleArn: role,
      containerDefinitions: [
        { name: 'web', image: stage.images.first, essential: true, portMappings: [{ containerPort: 80 }] },
      ],
    };
    const files = { 'task.json': JSON.stringify(definition) };
    const step = (inputs = {}) => stage.step({ 'task-definition': 'task.json', ...inputs }, { files });
    const refused = await runBundle(step());
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(told(refused, 'error')).toContain(`role ${role}, which executionRoleArn names, does not exist`);
    const planned = await runBundle(step({ 'dry-run': 'true' }));
    expect(planned.stdout).toContain(`Refuse: role ${role}, which executionRoleArn names, does not exist`);
    expect(stage.writes()).toEqual([]);
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [] });
    await ask(stage, 'iam', {
      Action: 'CreateRole',
      Version: '2010-05-08',
      RoleName: 'staging-task-execution',
      AssumeRolePolicyDocument: trust,
    });
    const released = await runBundle(step());
    expect(released).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(told(released, 'warning')).toBe('');
  });

  test('what may not be asked, or is not answered, is said, and the release goes through', async () => {
    const stage = await scene(cloud());
    const { faults } = stage.world;
    faults.add({ operation: 'ec2:DescribeSubnets', kind: 'access-denied', times: 100 });
    faults.add({ operation: 'servicequotas:GetServiceQuota', kind: 'throttle', times: 100 });
    const run = await runBundle(stage.step());
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(told(run, 'warning')).toContain(
      `Whether the subnets of ${stage.service} have free addresses is not known: access denied for ec2:DescribeSubnets`,
    );
    expect(told(run, 'warning')).toContain('Whether the Fargate quota has room is not known: AWS throttled');
  });

  test('a quota of Fargate that is used up is refused; one that is tight is said', async () => {
    const stage = await scene(cloud());
    // Two tasks of a quarter of a vCPU run.
    stage.world.fargate({ quota: 1, elsewhere: 0.5 });
    const refused = await runBundle(stage.step());
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(told(refused, 'error')).toContain(
      'Fargate vCPU left of 1 on-demand: 0, room for 0 tasks, and 1 more has to start (ask for more of quota L-3032A538',
    );
    expect(stage.writes()).toEqual([]);
    stage.world.fargate({ elsewhere: 0.25 });
    const run = await runBundle(stage.step());
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(told(run, 'warning')).toContain('0.25, room for 1 task; ECS would start 2 at once');
  });

  test('a subnet with fewer free addresses than new tasks is refused', async () => {
    const stage = await scene(cloud());
    const { vpc } = await stage.world.network();
    const fields = { Version: '2016-11-15', VpcId: vpc, CidrBlock: '172.31.255.0/28' };
    const answer = await ask(stage, 'ec2', { Action: 'CreateSubnet', ...fields });
    const subnet = /<subnetId>([^<]+)</.exec(answer)?.[1] ?? '';
    const ecs = new ECSClient(stage.world.client());
    const place = { cluster: stage.stacked.cluster, service: stage.service };
    const networkConfiguration = { awsvpcConfiguration: { subnets: [subnet] } };
    await ecs.send(new UpdateServiceCommand({ ...place, networkConfiguration }));
    ecs.destroy();
    await stage.world.advance(600_000);
    const run = await runBundle(stage.step({ 'desired-count': '14' }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(told(run, 'error')).toContain(
      `Free addresses in ${subnet}: 11, room for 11 tasks, and 12 more have to start (give the service more or larger subnets)`,
    );
    expect(stage.writes()).toEqual([]);
  });
});
