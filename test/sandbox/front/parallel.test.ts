import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { stack } from '../../../sandbox/world.ts';
import { needs } from '../../harness/needs.ts';

needs('sandbox')('several clients at once', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'lock-step' });
  });
  afterAll(async () => cloud.stop());

  test('are all answered: moto loses no call to a race of its threads', async () => {
    for (let round = 0; round < 3; round++) {
      const world = await cloud.createWorld();
      const { pinned: image } = await world.publishImage({ repository: 'acme/api', tag: '1.0.0' });
      const stages = ['development', 'staging', 'production'];
      const stacks = await Promise.all(stages.map((stage) => stack(world, { stage, desired: 1, image, colors: true })));
      expect(stacks.map(({ loadBalancerName }) => loadBalancerName)).toEqual(
        stages.map((stage) => `${stage}-wesign-charts-alb`),
      );
      await world.close();
    }
  });
});
