import type { RolloutResult } from '../../domain/ecs/result.ts';
import { Failure } from '../../domain/failure.ts';
import type { DeployImageRequest, RolloutTools } from './rollout.ts';

/**
 * Brings the service to the images: registers a revision when one is needed, updates the service, follows that one
 * deployment to its end and, when it fails and `onFailure` says so, goes back and waits for that too. A deployment of
 * the same images that is already in flight (a killed run) is followed instead of started again.
 *
 * Throws a Failure when it cannot start (no such service, no permission, another deployment in flight) and Cancelled when
 * the signal is aborted; everything that happens to the deployment itself is a RolloutResult.
 */
export async function deployImage(
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  void tools;
  void signal;
  throw new Failure({ what: `Deploying to ${request.ref.cluster}/${request.ref.service} is not supported yet` });
}
