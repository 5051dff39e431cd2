import { milliseconds, seconds } from '../../src/domain/duration.ts';
import { COLORS } from '../../src/domain/traffic-split.ts';
import { fakeRouter } from '../fakes/traffic-router.ts';
import { trafficRouterContract } from './traffic-router.ts';

trafficRouterContract('the fake', async () => {
  const router = fakeRouter();
  const places = [{ address: '10.0.0.1' }, { instance: 'i-1', port: 32768 }] as const;
  router.health.blue = { healthy: 2, total: 2, members: ['10.0.0.1', 'i-1:32768'], reasons: [] };
  return {
    router,
    targets: router.targets,
    places,
    setWeights: async (weights) => {
      router.weights = { ...weights };
      router.seated = COLORS;
    },
    setStickiness: async (length) => void (router.sticky = length === 0 ? milliseconds(0) : seconds(length)),
    writes: async () => router.writes.length,
    pass: async () => undefined,
    again: () => router,
    close: async () => undefined,
  };
});
