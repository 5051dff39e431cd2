import { type Duration, formatDuration, milliseconds } from '../duration.ts';
import type { EcsService, ServiceDeployment } from './service.ts';

/** Whether ECS moves the traffic itself (BLUE_GREEN, LINEAR, CANARY): then its record of the deployment alone knows the end. */
export const movesTraffic = ({ strategy }: Pick<EcsService, 'strategy'>): boolean =>
  (strategy ?? 'ROLLING') !== 'ROLLING';

/**
 * Alarms and native strategies judge on after the tasks are steady, so nothing that the list of deployments shows is their
 * end. A rolling service without alarms is complete when the list says so: its rollout state belongs to one id.
 */
export const judgedByRecord = (service: Pick<EcsService, 'strategy' | 'alarms'>): boolean =>
  movesTraffic(service) || service.alarms !== undefined;

/** Pauses between steps and the bake after the last one; starting tasks comes on top. */
function leastTime({ strategy, pauses }: EcsService): Duration {
  const { bake = 0, share = 100, stepBake = 0 } = pauses ?? {};
  const steps = strategy === 'LINEAR' ? Math.ceil(100 / share) - 1 : strategy === 'CANARY' ? 1 : 0;
  return milliseconds(bake + steps * stepBake);
}

/** Why the strategy cannot come to its end in time; it would be rolled back at the deadline although nothing is wrong. */
export function tooSlow(service: EcsService, timeout: Duration): string | undefined {
  if (!movesTraffic(service)) return undefined;
  const least = leastTime(service);
  return least < timeout
    ? undefined
    : `the strategy ${service.strategy} of ${service.ref.service} pauses for ${formatDuration(least)}, and timeout is ${formatDuration(timeout)}`;
}

/** `PRODUCTION_TRAFFIC_SHIFT, 40% of the traffic`; empty where ECS tells neither. */
export function progressOf({ lifecycleStage, weights }: ServiceDeployment): string {
  const { production, test } = weights ?? {};
  const tested = test !== undefined && test > 0 && production === 0 ? `${test}% of the test traffic` : undefined;
  const shared = production === undefined ? undefined : `${production}% of the traffic`;
  return [lifecycleStage, tested ?? shared].filter((part) => part !== undefined).join(', ');
}
