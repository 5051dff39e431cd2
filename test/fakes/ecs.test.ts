import { fakeEcs } from './ecs.ts';
import { ecsContract } from '../contract/ecs.ts';
import { steppingClock } from '../engine/ecs-rollout/stepping-clock.ts';

ecsContract('the fake', async () => {
  const clock = steppingClock();
  const ecs = fakeEcs(clock);
  const ref = { cluster: 'shop', service: 'web' };
  ecs.addService({ ref, image: 'r.example.com/web:good-1', desired: 2, breaker: { enable: true, rollback: true } });
  await Promise.resolve();
  return {
    ecs,
    ref,
    container: 'web',
    images: { first: 'r.example.com/web:good-1', good: 'r.example.com/web:good-2', crash: 'r.example.com/web:crash' },
    pass: async (length) => clock.sleep(length, new AbortController().signal),
    close: () => Promise.resolve(),
  };
});
