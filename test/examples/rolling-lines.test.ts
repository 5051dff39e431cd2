import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { afterAll, expect, jest, test } from '@jest/globals';
import { DEMO_PASSWORD, tokenFor } from '../../sandbox/application/tokens.ts';
import type { World } from '../../sandbox/cloud.ts';
import { authority } from '../../sandbox/tls/certificates.ts';
import { type LocalServer, tlsServer } from '../adapters/http/servers.ts';
import { needs } from '../harness/needs.ts';
import { aCloud } from '../sandbox/front/a-cloud.ts';
import { messagesOf } from './production-line.ts';
import { type Line, openLine } from './rolling-line.ts';

// The rolling lines of three systems: their own configuration, checks, names, account and role, by the steps of the
// suite's workflows, in lock-step time.
jest.setTimeout(200_000);

const CLEAN_UP = 'examples/wesign-charts/.github/workflows/clean-up.yml';

const temp = mkdtempSync(join(tmpdir(), 'rolling-'));
afterAll(() => rmSync(temp, { recursive: true, force: true }));

async function secretIn(world: World, Name: string): Promise<string> {
  const { CreateSecretCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(world.client());
  const { ARN = '' } = await client.send(new CreateSecretCommand({ Name, SecretString: 'hunter2' }));
  client.destroy();
  return ARN;
}

const ecsOf = async ({ world }: Line) => {
  const ecs = await import('@aws-sdk/client-ecs');
  return { ...ecs, client: new ecs.ECSClient(world.client()) };
};

async function containerOf(line: Line, taskDefinition: string | undefined) {
  const { client, DescribeTaskDefinitionCommand } = await ecsOf(line);
  const { taskDefinition: found } = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
  client.destroy();
  return found?.containerDefinitions?.[0];
}

needs('sandbox')('wesign-charts by rolling update', () => {
  const cloud = aCloud('lock-step');
  const KNOWN = {
    'inputs.stage': 'staging',
    'inputs.version': '2',
    'secrets.CHECK_SECRETS': `CHARTS_TOKEN=${tokenFor('demo')}`,
  };
  const settings: Partial<ContainerDefinition> = {
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': '/ecs/charts', 'awslogs-region': 'us-west-2', 'awslogs-stream-prefix': 'web' },
    },
    healthCheck: { command: ['CMD-SHELL', 'curl -f http://localhost/health || exit 1'], interval: 30, timeout: 5 },
  };

  /** Five tasks between the three and ten of autoscaling, and the load balancer's name in the stack of the stage. */
  async function charts({ healthyAfter = 0 } = {}) {
    const line = await openLine(cloud(), {
      system: 'wesign-charts',
      name: 'web',
      registry: '444444444444.dkr.ecr.us-west-2.amazonaws.com',
      repository: 'wesign/charts',
      account: '222222222222',
      region: 'us-west-2',
      spec: async (world) => ({
        desired: 5,
        containerSettings: {
          ...settings,
          secrets: [{ name: 'DATABASE_URL', valueFrom: await secretIn(world, 'wesign/database') }],
        },
      }),
    });
    const front = await publicName(line, healthyAfter);
    await autoscaled(line);
    await stackNames(line, `127.0.0.1:${front.server.port}`);
    return { line, front, close: () => Promise.all([front.server.close(), line.world.close()]) };
  }

  /** Speaks TLS for charts.wesign.com and for no other name; `/health` answers 503 the first times. */
  async function publicName({ stacked }: Line, healthyAfter: number) {
    const ca = authority('rolling lines');
    const file = join(temp, 'ca.pem');
    writeFileSync(file, ca.cert);
    const asked: (string | undefined)[] = [];
    const identity = ca.issue({ name: 'charts.wesign.com', hosts: ['charts.wesign.com'] });
    const server: LocalServer = await tlsServer(identity, (incoming, outgoing) => {
      if (incoming.url === '/health' && asked.push(incoming.headers.host) <= healthyAfter)
        return void outgoing.writeHead(503).end();
      const { method, url = '/', headers } = incoming;
      const onward = request(new URL(url, stacked.url), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      return void incoming.pipe(onward);
    });
    return { server, asked, trust: { NODE_EXTRA_CA_CERTS: file } };
  }

  async function autoscaled({ world, stacked, service }: Line): Promise<void> {
    const { ApplicationAutoScalingClient, RegisterScalableTargetCommand } =
      await import('@aws-sdk/client-application-auto-scaling');
    const client = new ApplicationAutoScalingClient(world.client());
    await client.send(
      new RegisterScalableTargetCommand({
        ServiceNamespace: 'ecs',
        ResourceId: `service/${stacked.cluster}/${service}`,
        ScalableDimension: 'ecs:service:DesiredCount',
        MinCapacity: 3,
        MaxCapacity: 10,
      }),
    );
    client.destroy();
  }

  async function stackNames({ world }: Line, dns: string): Promise<void> {
    const { CloudFormationClient, CreateStackCommand } = await import('@aws-sdk/client-cloudformation');
    const client = new CloudFormationClient(world.client());
    const TemplateBody = JSON.stringify({
      Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
      Outputs: { LoadBalancerDNS: { Value: dns } },
    });
    await client.send(new CreateStackCommand({ StackName: 'staging-wesign-charts', TemplateBody }));
    client.destroy();
  }

  test('only the image changes, autoscaling keeps its say, and the public name answers by the address of the stack', async () => {
    const { line, front, close } = await charts({ healthyAfter: 29 });
    const before = await containerOf(line, line.stacked.taskDefinitionArn);
    const deployed = await line.play('deploy.yml', 'deploy-ecs', { ...KNOWN, 'inputs.images': line.built('good') });
    expect(messagesOf(deployed, 'error')).toBe('');
    expect(deployed.outputs).toMatchObject({
      outcome: 'succeeded',
      url: `https://127.0.0.1:${front.server.port}`,
      'task-definition-arn': expect.stringMatching(/:task-definition\/staging-wesign-charts-task:2$/),
    });
    const after = await containerOf(line, deployed.outputs['task-definition-arn']);
    expect(before).toMatchObject(settings);
    expect(before?.secrets?.[0]?.valueFrom).toMatch(/^arn:aws:secretsmanager:us-west-2:\d{12}:secret:wesign/);
    expect(after).toEqual({ ...before, image: line.images.good });
    expect(await line.truth()).toMatchObject({ image: line.images.good, desired: 5, running: 5, phase: 'done' });
    expect(line.operations('run-1').filter((name) => name.startsWith('application-autoscaling:'))).toEqual([]);

    const smoke = await line.play(
      'deploy.yml',
      'smoke-test',
      { ...KNOWN, 'steps.deploy-ecs.outputs.url': deployed.outputs['url'] ?? '' },
      { env: front.trust },
    );
    expect(smoke.outputs).toMatchObject({ verdict: 'pass' });
    // The thirtieth try was the first good one.
    expect(front.asked).toEqual(Array(30).fill('charts.wesign.com'));
    await close();
  });

  test('health that is red thirty times takes the release back; so does a person, later', async () => {
    const { line, front, close } = await charts({ healthyAfter: 30 });
    const images = { ...KNOWN, 'inputs.images': line.built('good') };
    const deployed = await line.play('deploy.yml', 'deploy-ecs', images);
    const known = {
      ...images,
      'steps.deploy-ecs.outputs.url': deployed.outputs['url'] ?? '',
      'steps.deploy-ecs.outputs.previous-task-definition-arn': deployed.outputs['previous-task-definition-arn'] ?? '',
    };
    const began = line.world.now();
    const smoke = await line.play('deploy.yml', 'smoke-test', known, { env: front.trust });
    expect(smoke).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
    expect(front.asked).toHaveLength(30);
    expect(smoke.stdout).toMatch(/health: failed/);
    expect(line.world.now() - began).toBeLessThan(400_000);
    const back = await line.play('deploy.yml', 'go-back', known);
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(await line.truth()).toMatchObject({ image: line.images.first, desired: 5, running: 5 });

    // Another day: healthy, and somebody dispatches the rollback all the same.
    const again = await line.play('deploy.yml', 'deploy-ecs', { ...KNOWN, 'inputs.images': line.built('other') }, { run: 2 });
    expect(again.outputs).toMatchObject({ outcome: 'succeeded' });
    const demanded = await line.play('rollback.yml', 'roll-back-service', KNOWN, { run: 3 });
    expect(demanded.outputs).toMatchObject({ outcome: 'rolled-back', url: deployed.outputs['url'] });
    const works = await line.play(
      'rollback.yml',
      'smoke-after-rollback',
      { ...KNOWN, 'inputs.version': '1', 'steps.roll-back-service.outputs.url': demanded.outputs['url'] ?? '' },
      { run: 3, env: front.trust },
    );
    expect(works.outputs).toMatchObject({ verdict: 'pass' });
    expect(await line.truth()).toMatchObject({ image: line.images.first, desired: 5, running: 5 });
    await close();
  }); // prettier-ignore

  test('the clean-up keeps the last ten revisions', async () => {
    const { line, close } = await charts();
    const { client, RegisterTaskDefinitionCommand, ListTaskDefinitionsCommand } = await ecsOf(line);
    const container = await containerOf(line, line.stacked.taskDefinitionArn);
    for (let revision = 2; revision <= 14; revision++)
      await client.send(
        new RegisterTaskDefinitionCommand({
          family: line.stacked.family,
          containerDefinitions: [{ ...container, memory: 512 }],
        }),
      );
    const deployed = await line.play('deploy.yml', 'deploy-ecs', { ...KNOWN, 'inputs.images': line.built('good') });
    expect(deployed.outputs).toMatchObject({ outcome: 'succeeded' });
    const cleaned = await line.play(CLEAN_UP, 'deploy-ecs', { 'matrix.stage': 'staging' }, { run: 2 });
    expect(cleaned.outputs).toMatchObject({ outcome: 'succeeded' });
    const { taskDefinitionArns = [] } = await client.send(
      new ListTaskDefinitionsCommand({ familyPrefix: line.stacked.family, status: 'ACTIVE' }),
    );
    client.destroy();
    // The first one is where a roll back leads.
    expect(taskDefinitionArns.map((arn) => Number(arn.split(':').at(-1)))).toEqual([1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]); // prettier-ignore
    await close();
  });
});

needs('sandbox')('accunode to staging', () => {
  const cloud = aCloud('lock-step');
  const KNOWN = { 'inputs.stage': 'staging', 'secrets.CHECK_SECRETS': `API_PASSWORD=${DEMO_PASSWORD}` };
  const accunode = (secrets: (world: World) => Promise<readonly { name: string; valueFrom: string }[]>) =>
    openLine(cloud(), {
      system: 'accunode',
      name: 'api',
      registry: '444444444444.dkr.ecr.us-east-1.amazonaws.com',
      repository: 'accunode/api',
      account: '222222222222',
      region: 'us-east-1',
      spec: async (world) => ({
        names: {
          cluster: 'accunode-staging',
          services: ['accunode-staging-api'],
          targetGroups: ['accunode-staging-api'],
          loadBalancer: 'accunode-staging',
        },
        container: 'api',
        containerSettings: { secrets: [...(await secrets(world))] },
      }),
    });
  const good = async (world: World) => [{ name: 'DATABASE_URL', valueFrom: await secretIn(world, 'accunode/db') }];

  test('an image by digest is deployed and checked; red integration tests take it back', async () => {
    const line = await accunode(good);
    const known = { ...KNOWN, 'inputs.images': line.built('good') };
    const deployed = await line.play('deploy.yml', 'deploy-ecs', known);
    expect(messagesOf(deployed, 'error')).toBe('');
    expect(deployed.outputs).toMatchObject({ outcome: 'succeeded', url: 'https://staging.accunode.example' });
    expect(await line.truth()).toMatchObject({ image: expect.stringMatching(/^444444444444\.dkr\.ecr\.us-east-1\.amazonaws\.com\/accunode\/api@sha256:[0-9a-f]{64}$/), running: 2 });
    expect(line.operations('run-1')).toContain('secretsmanager:DescribeSecret');
    const smoke = await line.play('deploy.yml', 'smoke-test', { ...known, 'steps.deploy-ecs.outputs.url': line.stacked.url });
    expect(smoke.outputs).toMatchObject({ verdict: 'pass' });
    // The team's own job is red, and the job `back` of staging.yml calls rollback.yml in the same workflow run.
    const to = deployed.outputs['previous-task-definition-arn'] ?? '';
    const back = await line.play('rollback.yml', 'roll-back-service', { ...KNOWN, 'inputs.to': to });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', 'task-definition-arn': to } });
    expect(await line.truth()).toMatchObject({ image: line.images.first, running: 2, phase: 'rolled-back' });
    await line.world.close();
  }); // prettier-ignore

  test('secrets and parameters of the definition that are missing are told together, and nothing is written', async () => {
    const line = await accunode(async ({ account }) => [
      { name: 'DATABASE_URL', valueFrom: `arn:aws:secretsmanager:us-east-1:${account}:secret:accunode/db-AbCdEf` },
      { name: 'API_KEY', valueFrom: '/accunode/staging/api-key' },
    ]);
    const refused = await line.play('deploy.yml', 'deploy-ecs', { ...KNOWN, 'inputs.images': line.built('good') });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(messagesOf(refused, 'error')).toMatch(/accunode\/db-AbCdEf, which api\.secrets\.DATABASE_URL names, does not exist/);
    expect(messagesOf(refused, 'error')).toMatch(/\/accunode\/staging\/api-key, which api\.secrets\.API_KEY names, does not exist/);
    expect(line.writes('run-1')).toEqual([]);
    await line.world.close();
  }); // prettier-ignore
});

needs('sandbox')('financeanalyst-pro before its production line', () => {
  const cloud = aCloud('lock-step');

  test('a migration that failed is repeated, and one that ended well never is, two days later neither', async () => {
    const base = 'production-financeanalyst';
    const line = await openLine(cloud(), {
      system: 'financeanalyst-pro',
      name: 'api',
      registry: '444444444444.dkr.ecr.us-east-1.amazonaws.com',
      repository: 'financeanalyst/api',
      account: '333333333333',
      region: 'us-east-1',
      // Without tasks of its own, so that two days pass without their health checks.
      spec: async () => ({
        names: { cluster: base, services: [`${base}-migrations`], targetGroups: [base], loadBalancer: base },
        container: 'api',
        desired: 0,
      }),
    });
    const migrate = (run: number, inputs: Readonly<Record<string, string>> = {}) =>
      line.play(
        'deploy.yml',
        'deploy-ecs',
        { 'inputs.stage': 'migrations', 'inputs.environment': 'production', 'inputs.images': line.built('good') },
        { run, inputs },
      );
    const tasks = () =>
      Object.values(line.world.state().tasks).flatMap(({ startedBy, exitCode }) =>
        startedBy?.startsWith('sluice-') ? [exitCode] : [],
      );

    const failing = '{ command: [npm, run, migrate], environment: { MIGRATE_EXIT_CODE: 3 } }';
    const failed = await migrate(1, { 'pre-deploy-task': failing });
    expect(failed).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed' } });
    expect(messagesOf(failed, 'error')).toContain('ended with exit code 3. The service was not touched');
    expect(await line.truth()).toMatchObject({ image: line.images.first });

    const done = await migrate(2);
    expect(done).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const writes = line.writes('run-2');
    expect(writes.indexOf('RunTask')).toBeLessThan(writes.indexOf('UpdateService'));
    expect(tasks()).toEqual([3, 0]);

    await line.world.advance(48 * 3_600_000);
    const again = await migrate(3);
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } });
    expect(line.writes('run-3')).toEqual([]);
    // The same image after another one: its deployment is begun anew, its migration is not.
    await line.play('rollback.yml', 'roll-back-service', { 'inputs.stage': 'migrations' }, { run: 4 });
    const forward = await migrate(5);
    expect(forward).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(forward.stdout).toContain('ended with exit code 0 before; it is not run again');
    expect(line.writes('run-5')).not.toContain('RunTask');
    await line.world.close();
  });
});
