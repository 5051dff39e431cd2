import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  PutAccountSettingCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { handleEcs } from '../../../sandbox/control/ecs/handle.ts';
import type { AwsError, EcsOutput } from '../../../sandbox/control/ecs/types.ts';
import { FakeFront } from './fake-front.ts';

const front = new FakeFront({ revision: 1, image: 'good' }, { revision: 2, image: 'crash' });
const bodyOf = (answered: EcsOutput | AwsError): { readonly status: number; readonly body: unknown } => {
  if (answered.kind === 'output') return { status: 200, body: answered.output };
  return { status: answered.status, body: { __type: answered.code, message: answered.message } };
};

let server: Server;
let client: ECSClient;
beforeAll(async () => {
  server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    void text(request)
      .then((body) => handleEcs(operation, JSON.parse(body) as Record<string, unknown>, front.context))
      .then((answered) => {
        const { status, body } = bodyOf(answered);
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new ECSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-west-2',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  await front.running({ deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } });
});
afterAll(async () => {
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

describe('the SDK on the sandbox', () => {
  test('follows a rollout to its rollback by the service deployment of the answer', async () => {
    const { service } = await client.send(
      new UpdateServiceCommand({ cluster: 'main', service: 'web', taskDefinition: 'web:2' }),
    );
    const arn = service?.currentServiceDeployment ?? '';
    front.cloud.settle();
    const { serviceDeployments = [] } = await client.send(
      new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }),
    );
    expect(serviceDeployments[0]?.status).toBe('ROLLBACK_SUCCESSFUL');
    expect(serviceDeployments[0]?.finishedAt?.getTime()).toBe(front.cloud.now);
    const listed = await client.send(
      new ListServiceDeploymentsCommand({
        cluster: 'main',
        service: 'web',
        createdAt: { after: service?.deployments?.[0]?.createdAt },
      }),
    );
    expect(listed.serviceDeployments?.map((one) => one.serviceDeploymentArn)).toEqual([arn]);
  });

  test('reads service, events and stopped tasks with their dates', async () => {
    const { services = [] } = await client.send(
      new DescribeServicesCommand({ cluster: 'main', services: ['web'], include: ['TAGS'] }),
    );
    expect(services[0]?.events?.[0]?.createdAt).toBeInstanceOf(Date);
    expect(services[0]?.deployments?.[0]?.rolloutState).toBe('COMPLETED');
    const { taskArns = [] } = await client.send(
      new ListTasksCommand({ cluster: 'main', serviceName: 'web', desiredStatus: 'STOPPED' }),
    );
    const { tasks = [] } = await client.send(new DescribeTasksCommand({ cluster: 'main', tasks: taskArns }));
    expect(tasks.every(({ stoppingAt, stopCode }) => stoppingAt instanceof Date && stopCode !== undefined)).toBe(true);
  });

  test.each([
    { name: 'ClusterNotFoundException', command: new DescribeServicesCommand({ cluster: 'other', services: ['web'] }) },
    { name: 'ServiceNotFoundException', command: new UpdateServiceCommand({ cluster: 'main', service: 'api' }) },
    {
      name: 'UnsupportedFeatureException',
      command: new PutAccountSettingCommand({ name: 'containerInsights', value: 'enabled' }),
    },
  ])('gets $name by name, in one attempt', async ({ name, command }) => {
    await expect(client.send(command as DescribeServicesCommand)).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400, attempts: 1 },
    });
  });
});
