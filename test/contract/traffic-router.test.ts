import { milliseconds, seconds } from '../../src/domain/duration.ts';
import { COLORS } from '../../src/domain/traffic-split.ts';
import { fakeRouter } from '../fakes/traffic-router.ts';
import { trafficRouterContract } from './traffic-router.ts';

trafficRouterContract('the fake', async () => {
  const router = fakeRouter();
  router.health.blue = { healthy: 2, total: 2, reasons: [] };
  return {
    router,
    targets: router.targets,
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
