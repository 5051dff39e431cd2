import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { describe, expect, test } from '@jest/globals';
import { autoscalingOf } from '../../../src/adapters/aws/autoscaling.ts';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import type { World } from '../../../sandbox/cloud.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { needs } from '../../harness/needs.ts';
import { aCloud, asAction, failureOf } from '../../sandbox/front/a-cloud.ts';

const { signal } = new AbortController();
const OF_ECS = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

needs('sandbox')('autoscaling over the wire', () => {
  const cloud = aCloud('lock-step');

  const open = async (): Promise<{ world: World; stacked: Stack }> => {
    const world = await cloud().createWorld();
    const { pinned } = await world.publishImage({ repository: 'shop/web', tag: '1-healthy' });
    return { world, stacked: await stack(world, { stage: 'production', system: 'shop', colors: true, desired: 1, image: pinned }) };
  }; // prettier-ignore
  const adapterOf = (world: World) => {
    const { region, endpoint, credentials } = asAction(world);
    return autoscalingOf({
      clientConfig: { ...clientConfig(region, '1-1', () => Promise.resolve(credentials)), endpoint } as never,
    });
  };

  describe('the adapter', () => {
    test('reads what is suspended, by names or ARNs, and sets it without touching the limits', async () => {
      const { world, stacked } = await open();
      const [blue, green] = ['blue', 'green'].map((color) => stacked.services[color]?.name ?? '');
      const elsewhere = new ApplicationAutoScalingClient(world.client());
      const ResourceId = `service/${stacked.cluster}/${blue}`;
      await elsewhere.send(
        new RegisterScalableTargetCommand({ ...OF_ECS, ResourceId, MinCapacity: 2, MaxCapacity: 9 }),
      );
      const refs = [
        { cluster: `arn:aws:ecs:${world.region}:${world.account}:cluster/${stacked.cluster}`, service: blue ?? '' },
        { cluster: stacked.cluster, service: green ?? '' },
      ] as const;
      const adapter = adapterOf(world);
      const nothing = { scaleIn: false, scaleOut: false, scheduled: false };
      expect(await adapter.read(refs, signal)).toEqual([nothing, 'none']);
      const held = { scaleIn: true, scaleOut: false, scheduled: true };
      await adapter.suspend(refs[0], held, signal);
      expect(await adapter.read(refs, signal)).toEqual([held, 'none']);
      const { ScalableTargets = [] } = await elsewhere.send(
        new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }),
      );
      expect(ScalableTargets).toEqual([expect.objectContaining({ MinCapacity: 2, MaxCapacity: 9 })]);
      elsewhere.destroy();
      await world.close();
    }, 60_000);

    test('names the right that is missing, and the way to do without it', async () => {
      const { world, stacked } = await open();
      const operation = 'application-autoscaling:DescribeScalableTargets';
      world.faults.add({ operation, kind: 'access-denied' });
      const refs = [{ cluster: stacked.cluster, service: stacked.services['blue']?.name ?? '' }];
      const { message } = await failureOf(adapterOf(world).read(refs, signal));
      expect(message).toContain(`Grant ${operation}, or set autoscaling to leave`);
      await world.close();
    }, 60_000);
  });

  test('the sandbox refuses what AWS refuses: a service that is not there, a new target without limits', async () => {
    const { world, stacked } = await open();
    const client = new ApplicationAutoScalingClient(world.client());
    const register = (service: string, more: object) =>
      client.send(
        new RegisterScalableTargetCommand({ ...OF_ECS, ResourceId: `service/${stacked.cluster}/${service}`, ...more }),
      );
    const limits = { MinCapacity: 1, MaxCapacity: 2 };
    const missing = await failureOf(register('nobody', limits));
    expect(missing).toMatchObject({ name: 'ValidationException', message: expect.stringContaining("doesn't exist") });
    const bare = await failureOf(register(stacked.services['blue']?.name ?? '', {}));
    expect(bare.message).toContain('MinCapacity is required');
    client.destroy();
    await world.close();
  }, 60_000);
});
