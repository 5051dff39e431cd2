import { describe, expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

type Run = Awaited<ReturnType<typeof runBundle>>;
const told = ({ annotations }: Run, wanted: string): string =>
  annotations.flatMap(({ level, message }) => (level === wanted ? [message] : [])).join('\n');

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

needs('sandbox')('deploy-ecs and what it depends on, as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const runIn = async (stage: Scene, id: number, inputs: Readonly<Record<string, string>>, more = {}) => {
    const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id), ...more };
    return runBundle(stage.step(inputs, { env }));
  };

  describe('secrets and parameters', () => {
    const containers = (...names: readonly string[]): string =>
      JSON.stringify({ web: { secrets: Object.fromEntries(names.map((name, index) => [`S${index}`, name])) } });
    const secretIn = async ({ world }: Scene): Promise<string> => {
      const { CreateSecretCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
      const client = new SecretsManagerClient(world.client());
      const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: 'db', SecretString: 'hunter2' }));
      client.destroy();
      return ARN;
    };
    const parameterIn = async ({ world }: Scene): Promise<void> => {
      const { PutParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
      const client = new SSMClient(world.client());
      await client.send(new PutParameterCommand({ Name: '/shop/key', Value: 'hunter2', Type: 'SecureString' }));
      client.destroy();
    };

    test('that are there are deployed, and their values never read', async () => {
      const stage = await scene(cloud());
      const secret = await secretIn(stage);
      await parameterIn(stage);
      const run = await runIn(stage, 1, { containers: containers(`${secret}:password::`, '/shop/key') });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(stage.operations('run-1')).toEqual(
        expect.arrayContaining(['secretsmanager:DescribeSecret', 'ssm:DescribeParameters']),
      );
      expect(stage.operations('run-1').filter((operation) => /GetSecretValue|GetParameter/.test(operation))).toEqual(
        [],
      );
    });

    test('that are missing are refused together before anything is written', async () => {
      const stage = await scene(cloud());
      const missing = `arn:aws:secretsmanager:us-west-2:${stage.world.account}:secret:nobody-AbCdEf`;
      const run = await runIn(stage, 1, { containers: containers(missing, '/shop/nothing') });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(told(run, 'error')).toContain(`${missing}, which web.secrets.S0 names, does not exist`);
      expect(told(run, 'error')).toContain('/shop/nothing, which web.secrets.S1 names, does not exist');
      expect(stage.writes('run-1')).toEqual([]);
      const plan = await runIn(stage, 2, { containers: containers(missing), 'dry-run': 'true' });
      expect(plan).toMatchObject({ exitCode: 1, outputs: { outcome: 'planned' } });
      expect(plan.stdout).toContain(`Refuse: ${missing}, which web.secrets.S0 names, does not exist`);
      expect(plan.stdout).toContain(`  web.secrets.S0: ${missing}`);
    });

    test('that the role may not see are said and refuse nothing', async () => {
      const stage = await scene(cloud());
      stage.world.faults.add({ operation: 'ssm:DescribeParameters', kind: 'access-denied', times: 100 });
      const run = await runIn(stage, 1, { containers: containers('/shop/key') });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(told(run, 'warning')).toMatch(
        /Whether 1 of 1 secrets and parameters exist is not known: .*access denied for ssm:DescribeParameters/,
      );
    });
  });

  test('a way back whose image was deleted is said before the release', async () => {
    const stage = await scene(cloud());
    const { BatchDeleteImageCommand, ECRClient } = await import('@aws-sdk/client-ecr');
    const client = new ECRClient(stage.world.client());
    const imageDigest = stage.images.first.split('@')[1];
    await client.send(new BatchDeleteImageCommand({ repositoryName: 'shop/web', imageIds: [{ imageDigest }] }));
    client.destroy();
    const run = await runIn(stage, 1, {});
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(told(run, 'warning')).toContain('which a roll back would need, cannot be pulled any more: does not exist');
  });

  test('credentials that end before the run may are said at the start', async () => {
    const stage = await scene(cloud());
    const ends = new Date(stage.world.now() + 600_000).toISOString();
    const run = await runIn(stage, 1, {}, { AWS_CREDENTIAL_EXPIRATION: ends });
    expect(told(run, 'warning')).toMatch(/The credentials of the environment end at .*, and this run may take 35m/);
    const status = await runIn(stage, 2, { image: '', mode: 'status' }, { AWS_CREDENTIAL_EXPIRATION: ends });
    const garbled = await runIn(stage, 3, { image: '', mode: 'status' }, { AWS_CREDENTIAL_EXPIRATION: 'tomorrow' });
    expect(garbled).toMatchObject({ exitCode: 0, outputs: { outcome: 'status' } });
    expect(told(status, 'warning')).toBe('');
  });

  describe('the limits of Application Auto Scaling', () => {
    const limited = async (suspended = false): Promise<Scene> => {
      const stage = await scene(cloud());
      const { ApplicationAutoScalingClient, RegisterScalableTargetCommand } =
        await import('@aws-sdk/client-application-auto-scaling');
      const client = new ApplicationAutoScalingClient(stage.world.client());
      await client.send(
        new RegisterScalableTargetCommand({
          ServiceNamespace: 'ecs',
          ResourceId: `service/${stage.stacked.cluster}/${stage.service}`,
          ScalableDimension: 'ecs:service:DesiredCount',
          MinCapacity: 2,
          MaxCapacity: 3,
          ...(suspended ? { SuspendedState: { DynamicScalingInSuspended: true } } : {}),
        }),
      );
      client.destroy();
      return stage;
    };
    const scale = (count: number, more = {}) => ({ image: '', mode: 'scale', 'desired-count': String(count), ...more });

    test('are respected: a count inside is set, one outside is refused with both', async () => {
      const stage = await limited();
      const inside = await runIn(stage, 1, scale(3));
      expect(inside).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(inside.stdout).toContain('Application Auto Scaling keeps it between 2 and 3 tasks');
      const outside = await runIn(stage, 2, scale(0));
      expect(outside).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
      expect(told(outside, 'error')).toContain(
        'Application Auto Scaling keeps it between 2 and 3, and would set it back',
      );
      const plan = await runIn(stage, 3, scale(0, { 'dry-run': 'true' }));
      expect(plan.exitCode).toBe(1);
      expect(await stage.truth()).toMatchObject({ desired: 3, running: 3 });
    });

    test('are changed first where that is asked for', async () => {
      const stage = await limited();
      const run = await runIn(stage, 1, scale(4, { 'on-limits': 'change' }));
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
      const writes = stage.operations('run-1').filter((operation) => /Register|Update/.test(operation));
      expect(writes).toEqual(['application-autoscaling:RegisterScalableTarget', 'UpdateService']);
      const status = await runIn(stage, 2, { image: '', mode: 'status' });
      expect(status.stdout).toContain('Application Auto Scaling keeps it between 2 and 4 tasks');
    });

    test('are shown with what is suspended, and their absence costs one warning', async () => {
      const stage = await limited(true);
      const shown = await runIn(stage, 1, { image: '', mode: 'status' });
      expect(shown.stdout).toContain('suspended: scaling in');
      stage.world.faults.add({
        operation: 'application-autoscaling:DescribeScalableTargets',
        kind: 'access-denied',
        times: 100,
      });
      const denied = await runIn(stage, 2, scale(5));
      expect(denied).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(told(denied, 'warning')).toContain('Whether Application Auto Scaling would change the count is not known');
    });
  });

  describe('the address', () => {
    const CHECKS = {
      'checks.yml': 'version: 1\nchecks:\n  - name: health\n    get: /health\n    expect: { status: 200 }\n',
    };
    const stacked = async ({ world, stacked: { url } }: Scene, output: string): Promise<void> => {
      const { CloudFormationClient, CreateStackCommand } = await import('@aws-sdk/client-cloudformation');
      const client = new CloudFormationClient(world.client());
      const TemplateBody = JSON.stringify({
        Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
        Outputs: { [output]: { Value: new URL(url).host } },
      });
      await client.send(new CreateStackCommand({ StackName: 'staging-charts', TemplateBody }));
      client.destroy();
    };
    const from = (output: string) => ({ 'url-from': `http://{stack-output:staging-charts/${output}}` });

    test('comes from an output of a stack, the host of the checks apart from it', async () => {
      const stage = await scene(cloud());
      await stacked(stage, 'LoadBalancerDNS');
      const env = await stage.world.run('run-1');
      const inputs = { ...from('LoadBalancerDNS'), host: 'charts.example.com', checks: 'checks.yml' };
      const run = await runBundle(stage.step(inputs, { env, files: CHECKS }));
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(run.stdout).toContain(`1 check against ${stage.stacked.url}`);
    });

    test('that is no output is told with the nearest name before anything is written', async () => {
      const stage = await scene(cloud());
      await stacked(stage, 'LoadBalancerDNS');
      const env = await stage.world.run('run-1');
      const run = await runBundle(
        stage.step({ ...from('LoadBalancerDSN'), checks: 'checks.yml' }, { env, files: CHECKS }),
      );
      expect(told(run, 'error')).toContain('Could not read output LoadBalancerDSN of stack staging-charts');
      expect(told(run, 'error')).toContain('Did you mean LoadBalancerDNS?');
      expect(stage.writes('run-1')).toEqual([]);
    });

    test('comes from the load balancer of the service', async () => {
      const { serviceAddressesOf } = await import('../../../src/adapters/aws/service-address.ts');
      const { clientConfig } = await import('../../../src/adapters/aws/client-config.ts');
      const { world, stacked: stack } = await scene(cloud());
      const { credentials, endpoint } = world.client();
      const config = { ...clientConfig(world.region, '1-1', () => Promise.resolve(credentials)), endpoint };
      const addresses = serviceAddressesOf({ clientConfig: config });
      const { signal } = new AbortController();
      const group = stack.services['service']?.targetGroupArn ?? '';
      expect(await addresses.loadBalancer([group], signal)).toBe(stack.dnsName);
      await expect(addresses.loadBalancer([], signal)).rejects.toThrow('the service has no target group');
    });
  });

  describe('rules after the deployment', () => {
    test('that hold leave the release green', async () => {
      const stage = await scene(cloud());
      const rules = { rules: 'health fails 2 in a row\nerror-rate > 5%', url: stage.stacked.url, recheck: '1m' };
      const run = await runIn(stage, 1, rules);
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(run.stdout).toContain('Judging by 2 rules for 1m');
    });

    test('that fail take it back', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { rules: 'error-rate >= 0%', url: stage.stacked.url, recheck: '1m' });
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(told(run, 'error')).toContain('a rule failed after the deployment');
      expect(await stage.truth()).toMatchObject({ image: stage.images.first, running: 2 });
    });

    test('need an address', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { rules: 'error-rate > 5%' });
      expect(run.outputs['outcome']).toBe('invalid-input');
      expect(told(run, 'error')).toContain('rules: need an address to measure. Accepted: url or url-from.');
    });
  });

  test("somebody else's deployment is stopped, rolled back and followed by ours (on-conflict: stop)", async () => {
    const stage = await scene(cloud());
    let pid: number | undefined;
    stage.world.killAt({ operation: 'ecs:UpdateService', ordinal: 1, when: 'after', run: 'action', pid: () => pid });
    await runBundle(stage.step({ image: stage.images.sick }, { onSpawn: (running) => (pid = running.pid) }));
    const refused = await runIn(stage, 2, {});
    expect(told(refused, 'error')).toContain('is in flight');
    const run = await runIn(stage, 3, { 'on-conflict': 'stop' });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(told(run, 'warning')).toContain('as asked (on-conflict: stop)');
    expect(stage.writes('run-3')[0]).toBe('StopServiceDeployment');
    expect(await stage.truth()).toMatchObject({ image: stage.images.good, running: 2 });
  });
});
