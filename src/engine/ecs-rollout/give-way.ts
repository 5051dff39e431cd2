import { wayPast } from '../../domain/ecs/in-flight.ts';
import { type Start, primaryOf } from '../../domain/ecs/start.ts';
import type { EcsService, EcsServiceRef } from '../../domain/ecs/service.ts';
import { Failure } from '../../domain/failure.ts';
import { type CloudErrorKind, CloudFailure } from '../../domain/retry-policy.ts';
import type { DeployImageRequest, RolloutTools } from './rollout.ts';
import { waitForOthers } from './settle.ts';

export interface InTheWay {
  readonly conflict: Extract<Start, { kind: 'conflict' }>;
  readonly service: EcsService;
}

/** A roll back or deployment that this release itself left behind is waited for; somebody else's as it is asked. */
export async function giveWay(
  { conflict, service }: InTheWay,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const { ref, onConflict, deadline } = request;
  if (onConflict === 'stop' && !conflict.byUs) await stopOther({ conflict, service }, request, tools, signal);
  if (onConflict !== 'fail' || conflict.byUs) return waitForOthers({ ref, deadline }, conflict.with, tools, signal);
  throw new Failure({
    ...inFlight(conflict, ref),
    ...stateBefore(request),
    next: wayPast(primaryOf(service)),
  });
}

/** In place of "nothing was changed", where it is not the whole truth. */
export const stateBefore = ({ prepared }: DeployImageRequest): { readonly now?: string } =>
  prepared === undefined ? {} : { now: 'The service was not touched; what comes before the deployment was done' };

const inFlight = (conflict: InTheWay['conflict'], { service, cluster }: EcsServiceRef) => ({
  what: `Could not deploy to ECS service ${service} in cluster ${cluster}`,
  why: `${conflict.with} is in flight (${conflict.whose})`,
  now: 'Nothing was changed',
});

/** Over already, or on its way back already: the wait that follows sees the end of either. */
const ENDS_BY_ITSELF: ReadonlySet<CloudErrorKind> = new Set(['conflict', 'invalid', 'not-found']);

/** Rolled back, not overtaken: what served before serves when ours begins, so that there is one way back and not two. */
async function stopOther(
  { conflict, service }: InTheWay,
  { ref }: DeployImageRequest,
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const record = service.currentServiceDeployment;
  if (record === undefined)
    throw new Failure({
      ...inFlight(conflict, ref),
      why: `${conflict.with} is in flight (${conflict.whose}), and ECS names no service deployment that could be stopped`,
      next: 'Wait for its end and re-run, or set on-conflict to wait',
    });
  log.warning(`Stopping ${conflict.with}, which is in flight, as asked (on-conflict: stop)`);
  try {
    await ecs.stopServiceDeployment(record, 'ROLLBACK', signal);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || !ENDS_BY_ITSELF.has(thrown.kind)) throw thrown;
    log.warning(thrown.message);
  }
}
