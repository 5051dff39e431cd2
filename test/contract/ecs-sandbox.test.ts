import { ecsOf } from '../../src/adapters/aws/ecs.ts';
import { clientConfig } from '../../src/adapters/aws/client-config.ts';
import { stack } from '../../sandbox/world.ts';
import { recordingLog } from '../fakes/log.ts';
import { needs } from '../harness/needs.ts';
import { aCloud } from '../sandbox/front/a-cloud.ts';
import { ecsContract } from './ecs.ts';

needs('sandbox')('the ECS adapter over the wire', () => {
  const cloud = aCloud('lock-step');

  ecsContract('the adapter against the sandbox', async () => {
    const world = await cloud().createWorld();
    const publish = (tag: string) => world.publishImage({ repository: 'shop/web', tag });
    const [first, good, crash] = await Promise.all([
      publish('1-healthy'),
      publish('2-healthy'),
      publish('3-crash-at-start'),
    ]);
    const stacked = await stack(world, { stage: 'staging', desired: 2, image: first.pinned });
    const { env, account, region } = world;
    const credentials = () =>
      Promise.resolve({
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
        sessionToken: env['AWS_SESSION_TOKEN'] ?? '',
      });
    const config = { ...clientConfig(region, '1-1', credentials), endpoint: env['AWS_ENDPOINT_URL'] };
    return {
      ecs: ecsOf({ accountId: account, region, clientConfig: config }, recordingLog()),
      ref: { cluster: stacked.cluster, service: stacked.services['service']?.name ?? '' },
      container: 'web',
      images: { first: first.pinned, good: good.pinned, crash: crash.pinned },
      pass: (length) => world.advance(length),
      close: () => world.close(),
    };
  });
});
