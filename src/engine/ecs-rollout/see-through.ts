import { type Duration, after } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { isDeleted } from '../../domain/ecs/rollout.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import { closeJournal } from './close-journal.ts';
import { ROLL_BACK_WITHIN, type RolloutEnd, followTo, resultOf } from './follow-deployment.ts';
import { rollBackWatched } from './roll-back.ts';
import type { Following, RolloutRequest, RolloutTools, Verification } from './rollout.ts';
import { type ServiceWatcher, watchService } from './watch-service.ts';

/** A wait that broke off is no verdict on the image: nothing is undone, and it is said who goes on. */
function unfollowed(thrown: unknown, { taskDefinition, ref }: Following): unknown {
  if (!(thrown instanceof CloudFailure)) return thrown;
  const now = `ECS goes on with the deployment of ${revisionName(taskDefinition)} to ${ref.service}; this run does not follow it any more`;
  return new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });
}

/** Follows it, goes back when it has to, and writes down how it ended. */
export async function seeThrough(
  following: Following,
  request: RolloutRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const watcher = watchService(following, tools);
  const rollbackWithin = request.rollbackWithin ?? ROLL_BACK_WITHIN;
  const onLearnt = request.onFollowing;
  const end = await followTo(
    { following, deadline: request.deadline, rollbackWithin, ...(onLearnt === undefined ? {} : { onLearnt }) },
    watcher,
    tools,
    signal,
  ).catch((thrown: unknown) => {
    throw unfollowed(thrown, watcher.following());
  });
  const result = await conclude({ end, watcher, rollbackWithin }, request, tools, signal);
  // What a group decides later may still have to be undone.
  if (request.endsAs !== 'open' || result.outcome !== 'succeeded') request.onFollowing?.(undefined);
  return result;
}

interface Followed {
  readonly end: RolloutEnd;
  readonly watcher: ServiceWatcher;
  readonly rollbackWithin: Duration;
}

async function conclude(
  { end, watcher, rollbackWithin }: Followed,
  request: RolloutRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const bad = end.kind === 'failed' || end.kind === 'timed-out';
  const last = watcher.lastSeen();
  // Nothing is left to go back with, or to write down.
  if (bad && last !== undefined && isDeleted(last)) {
    const now = 'Nothing more was done; a service that was deleted has to be created again.';
    return { ...resultOf(watcher.following(), { outcome: 'failed', reason: end.reason, diagnosis: [] }), now };
  }
  // After ECS's own roll back too: it does not know of the desired count, and the tags have to say the end.
  if (end.kind === 'rolled-back' || (bad && request.onFailure === 'rollback')) {
    request.onWayBack?.();
    const deadline = after(tools.clock.now(), rollbackWithin);
    return rollBackWatched({ following: watcher.following(), deadline, reason: end.reason }, watcher, tools, signal);
  }
  if (end.kind === 'succeeded' && request.verify !== undefined) {
    const verification = await request.verify(signal);
    if (verification.kind === 'bad')
      return refuseRevision({ verification, watcher, rollbackWithin }, request, tools, signal);
  }
  const diagnosis = end.kind === 'succeeded' ? [] : await watcher.diagnosis(signal);
  if (end.kind === 'succeeded' && request.endsAs === 'open')
    return resultOf(watcher.following(), { outcome: end.kind, reason: end.reason, diagnosis });
  const phase = bad || request.endsAs === 'open' ? 'failed' : (request.endsAs ?? 'done');
  // A verification takes its time, and another run may have taken over in it.
  const seen = end.kind === 'succeeded' && request.verify === undefined ? watcher.lastSeen() : undefined;
  if (end.kind !== 'superseded') await closeJournal(watcher.following(), { phase, seen }, tools, signal);
  return resultOf(watcher.following(), { outcome: end.kind, reason: end.reason, diagnosis });
}

interface Refused {
  readonly verification: Extract<Verification, { kind: 'bad' }>;
  readonly watcher: ServiceWatcher;
  readonly rollbackWithin: Duration;
}

/** ECS is content and the verification is not: taken back by an update, because there is nothing left to stop. */
async function refuseRevision(
  { verification, watcher, rollbackWithin }: Refused,
  request: RolloutRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const { reason, lines } = verification;
  if (request.onFailure === 'leave') {
    await closeJournal(watcher.following(), { phase: 'failed' }, tools, signal);
    return resultOf(watcher.following(), { outcome: 'failed', reason, diagnosis: lines });
  }
  const deadline = after(tools.clock.now(), rollbackWithin);
  const result = await rollBackWatched({ following: watcher.following(), deadline, reason }, watcher, tools, signal);
  return { ...result, diagnosis: lines };
}
