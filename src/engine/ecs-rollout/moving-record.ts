import { isInFlight } from '../../domain/ecs/start.ts';
import { judgedByRecord } from '../../domain/ecs/strategy.ts';
import type { Ecs, EcsService, Need, ServiceDeployment } from '../../ports/ecs.ts';

/**
 * ECS's record of the deployment that may be in flight: it says more than the list of deployments while something moves,
 * which the list itself does not show where alarms or a native strategy judge on. undefined: nothing moves, or the role may
 * not read it.
 */
export async function movingRecord(
  service: EcsService,
  { ecs, need = 'may' }: { readonly ecs: Ecs; readonly need?: Need },
  signal: AbortSignal,
): Promise<ServiceDeployment | undefined> {
  const named = service.currentServiceDeployment;
  if (named === undefined || (!isInFlight(service) && !judgedByRecord(service))) return undefined;
  const [record] = await ecs.describeServiceDeployments([named], signal, need);
  return record;
}

/** Whether a deployment of the service is in flight, by the list and by the record. */
export const isMoving = async (service: EcsService, ecs: Ecs, signal: AbortSignal): Promise<boolean> =>
  isInFlight(service, await movingRecord(service, { ecs }, signal));
