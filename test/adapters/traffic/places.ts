import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { ecsOf } from '../../../src/adapters/aws/ecs.ts';
import type { TaskPlace } from '../../../src/domain/ecs/service.ts';
import type { World } from '../../../sandbox/cloud.ts';
import type { Stack } from '../../../sandbox/world.ts';
import { recordingLog } from '../../fakes/log.ts';

/** Where the tasks of a service of the stack are, as the ECS adapter reads it. */
export async function placesOfBlue(
  world: World,
  { cluster, services }: Stack,
  name: string,
): Promise<readonly TaskPlace[]> {
  const { account, region, env } = world;
  const credentials = async () => ({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] as string,
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] as string,
    sessionToken: env['AWS_SESSION_TOKEN'] as string,
  });
  const config = { ...clientConfig(region, 'test', credentials), endpoint: env['AWS_ENDPOINT_URL'] as string };
  const ecs = ecsOf({ accountId: account, region, clientConfig: config }, recordingLog());
  const ref = { cluster, service: services[name]?.name ?? '' };
  const signal = new AbortController().signal;
  const [service] = await ecs.describeServices([ref], signal);
  return ecs.placesOf(ref, service?.deployments[0]?.id ?? '', signal);
}
