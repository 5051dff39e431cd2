import { performance } from 'node:perf_hooks';
import type { Stopwatch } from '../../ports/stopwatch.ts';

export const systemStopwatch = (): Stopwatch => {
  let last = performance.eventLoopUtilization();
  return {
    elapsed: () => performance.now(),
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
  };
};
