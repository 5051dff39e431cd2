import { afterEach, expect, test } from '@jest/globals';
import { type ForwardProxy, startForwardProxy } from '../../harness/forward-proxy.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { scene } from './scene.ts';

needs('sandbox')('deploy-ecs on a runner that reaches AWS by a proxy alone', () => {
  const cloud = aCloud('lock-step');
  let proxy: ForwardProxy | undefined;
  afterEach(() => proxy?.close());

  test('deploys by it: the clients of the SDK, and the calls that are signed by hand', async () => {
    const stage = await scene(cloud());
    const { port } = new URL(stage.world.env['AWS_ENDPOINT_URL'] ?? '');
    proxy = await startForwardProxy({ 'aws.sluice.test:80': Number(port) });
    // Without its scheme, as curl and the runner itself take it.
    const address = proxy.url.replace('http://', '');
    const env = { ...proxy.env, HTTP_PROXY: address, HTTPS_PROXY: address, AWS_ENDPOINT_URL: 'http://aws.sluice.test' };
    const definition = {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      executionRoleArn: `arn:aws:iam::${stage.world.account}:role/not-there`,
      containerDefinitions: [
        { name: 'web', image: stage.images.first, essential: true, portMappings: [{ containerPort: 80 }] },
      ],
    };
    const files = { 'task.json': JSON.stringify(definition) };
    const deployed = await runBundle(stage.step({}, { env }));
    expect(deployed).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(proxy.asked()).toContain('POST aws.sluice.test:80');
    // Nobody but the proxy knows the name: IAM was asked by it, too.
    const refused = await runBundle(stage.step({ 'task-definition': 'task.json' }, { env, files }));
    expect(refused.stdout).toContain('role/not-there, which executionRoleArn names, does not exist');
  }, 150_000);

  test('goes past it to what NO_PROXY names', async () => {
    const stage = await scene(cloud());
    proxy = await startForwardProxy({});
    const status = await runBundle(stage.step({ mode: 'status', image: '' }, { env: proxy.env }));
    expect(status).toMatchObject({ exitCode: 0 });
    expect(proxy.asked()).toEqual([]);
  }, 90_000);
});
