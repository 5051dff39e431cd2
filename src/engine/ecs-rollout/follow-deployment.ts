import type { Instant } from '../../domain/duration.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { Failure } from '../../domain/failure.ts';
import type { Following, RolloutTools } from './rollout.ts';

/** Follows one deployment until it succeeded, failed, was rolled back by ECS or superseded, or the deadline passed. Writes nothing. */
export async function followDeployment(
  request: { readonly following: Following; readonly deadline: Instant },
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  void tools;
  void signal;
  throw new Failure({ what: `Following ${request.following.ref.service} is not supported yet` });
}
