import type { Instant } from '../../domain/duration.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { Failure } from '../../domain/failure.ts';
import type { Following, RolloutTools } from './rollout.ts';

/**
 * Takes the service back to the revision before `following` and waits until it is steady: by StopServiceDeployment while
 * ours is in flight, else by an update to the last good revision. Idempotent: a way back that is under way is followed.
 * Outcomes: `rolled-back`, `failed` (nothing to go back to, or the way back failed), `superseded`, `timed-out`.
 */
export async function rollBack(
  request: { readonly following: Following; readonly deadline: Instant; readonly reason: string },
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  void tools;
  void signal;
  throw new Failure({ what: `Rolling back ${request.following.ref.service} is not supported yet` });
}

/** The one call a signal handler may make: starts the way back and does not wait for it. Returns what was done, as a sentence. */
export async function startRollBack(
  following: Following,
  tools: Pick<RolloutTools, 'ecs'>,
  signal: AbortSignal,
): Promise<string> {
  void tools;
  void signal;
  throw new Failure({ what: `Rolling back ${following.ref.service} is not supported yet` });
}
