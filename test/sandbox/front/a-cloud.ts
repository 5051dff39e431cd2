import { afterAll, beforeAll } from '@jest/globals';
import { type Cloud, startCloud, type World } from '../../../sandbox/cloud.ts';

/** One cloud for the tests of a file, and everything that SDK clients of the tests keep open closed with it. */
export function aCloud(clock: 'real' | 'lock-step'): () => Cloud {
  let cloud: Cloud | undefined;
  beforeAll(async () => {
    cloud = await startCloud({ clock });
  }, 120_000);
  afterAll(() => cloud?.stop());
  return () => {
    if (cloud === undefined) throw new Error('the cloud has not started');
    return cloud;
  };
}

/** What an SDK client takes to speak as the tested process would. */
export const asAction = (world: World, env: Readonly<Record<string, string>> = world.env) => ({
  region: world.region,
  endpoint: env['AWS_ENDPOINT_URL'] ?? '',
  credentials: {
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: env['AWS_SESSION_TOKEN'] ?? '',
  },
});

/** What a call that must fail failed with. */
export const failureOf = async (
  call: Promise<unknown>,
): Promise<{ name: string; message: string; attempts: number; status: number }> => {
  const error = await call.then(
    () => {
      throw new Error('the call went well');
    },
    (thrown: unknown) => thrown,
  );
  const { name, message, $metadata } = error as Error & { $metadata?: { attempts?: number; httpStatusCode?: number } };
  return { name, message, attempts: $metadata?.attempts ?? 0, status: $metadata?.httpStatusCode ?? 0 };
};
