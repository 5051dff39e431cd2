import { type Duration, after } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { type Situation, type Start, type Wish, decideStart, isInFlight } from '../../domain/ecs/start.ts';
import { describeChanges } from '../../domain/ecs/task-definition.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import { unreachable } from '../../domain/unreachable.ts';
import { closeJournal } from './close-journal.ts';
import { attachTo, beginDeployment, revisionFor } from './begin.ts';
import { ROLL_BACK_WITHIN, type RolloutEnd, followTo, resultOf } from './follow-deployment.ts';
import { rollBackWatched } from './roll-back.ts';
import type { DeployImageRequest, Following, RolloutTools } from './rollout.ts';
import { settle, waitForOthers } from './settle.ts';
import { type ServiceWatcher, watchService } from './watch-service.ts';

/**
 * Brings the service to the images: registers a revision when one is needed, updates the service, follows that one
 * deployment to its end and, when it fails and `onFailure` says so, goes back and waits for that too. A deployment of
 * the same images that is already in flight (a killed run) is followed instead of started again.
 *
 * Throws a Failure when it cannot start (no such service, no permission, another deployment in flight) and Cancelled when
 * the signal is aborted; everything that happens to the deployment itself is a RolloutResult.
 *
 * Safe state, this process dead: ECS goes on with what it was told, the tags say who asked and what was before; `post`
 * (startRollBack, rollBack) or the next run picks it up. Runner dead: the same, and the service's circuit breaker ends a
 * bad deployment; without one it goes on trying beside the old tasks, which keep serving.
 */
export async function deployImage(
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const situation = await readSituation(request, tools, signal);
  const start = decideStart(situation, wishOf(request));
  const { service, current } = situation;
  switch (start.kind) {
    case 'refuse':
      throw new Failure(start.facts);
    case 'conflict':
      await giveWay(start, request, tools, signal);
      return deployImage(request, tools, signal);
    case 'unchanged':
    case 'settle':
    case 'scale':
      return keepRevision({ ...situation, start }, request, tools, signal);
    case 'attach':
      tools.log.info(
        `${revisionName(start.deployment.taskDefinition)} is being deployed to ${service.ref.service} already; following that deployment`,
      );
      return see(
        await attachTo({ service, deployment: start.deployment }, request, tools, signal),
        request,
        tools,
        signal,
      );
    case 'restart': {
      tools.log.info(`Deploying ${revisionName(current.arn)} again: ${start.why}`);
      const update = { service, taskDefinition: current.arn, force: 'new-deployment' } as const;
      return see(await beginDeployment(update, request, tools, signal), request, tools, signal);
    }
    case 'deploy': {
      for (const line of describeChanges(start.changes)) tools.log.info(line);
      const revision = await revisionFor({ current, body: start.body, tags: request.tags }, tools, signal);
      const update = { service, taskDefinition: revision.arn, force: 'no' } as const;
      return see(await beginDeployment(update, request, tools, signal), request, tools, signal);
    }
    default:
      return unreachable(start);
  }
}

const wishOf = ({ images, desired, writer }: DeployImageRequest): Wish => ({
  images,
  ...writer,
  ...(desired === undefined ? {} : { desired }),
});

/** All that the start is decided from; reads only. Also what a dry-run shows. */
export async function readSituation(
  { ref }: Pick<DeployImageRequest, 'ref'>,
  { ecs }: Pick<RolloutTools, 'ecs'>,
  signal: AbortSignal,
): Promise<Situation> {
  const [service] = await ecs.describeServices([ref], signal);
  if (service === undefined)
    throw new Failure({ what: `Could not find ECS service ${ref.service} in cluster ${ref.cluster}` });
  const current = await ecs.describeTaskDefinition(service.taskDefinition, signal);
  const record = service.currentServiceDeployment;
  // ECS's record says more only while something moves.
  if (record === undefined || !isInFlight(service)) return { service, current };
  const serviceDeployment = await ecs.describeServiceDeployment(record, signal);
  return { service, current, ...(serviceDeployment === undefined ? {} : { serviceDeployment }) };
}

/** A roll back or deployment that this release itself left behind is waited for; somebody else's only when asked to. */
async function giveWay(
  conflict: Extract<Start, { kind: 'conflict' }>,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const { ref, onConflict, deadline } = request;
  if (onConflict === 'wait' || conflict.byUs) return waitForOthers({ ref, deadline }, conflict.with, tools, signal);
  throw new Failure({
    what: `Could not deploy to ECS service ${ref.service} in cluster ${ref.cluster}`,
    why: `${conflict.with} is in flight`,
    now: 'Nothing was changed',
    next: 'Wait for its end and re-run, or set on-conflict to wait',
  });
}

interface Kept extends Situation {
  readonly start: Extract<Start, { kind: 'unchanged' | 'settle' | 'scale' }>;
}

async function keepRevision(
  { start, service, current }: Kept,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const name = revisionName(current.arn);
  const result = { taskDefinition: current.arn, previousTaskDefinition: current.arn, diagnosis: [] };
  if (start.kind === 'unchanged') {
    return {
      ...result,
      outcome: 'unchanged',
      changed: false,
      reason: `${service.running} of ${service.desired} tasks run ${name} already`,
    };
  }
  const scaled = start.kind === 'scale';
  const desired = scaled ? start.desired : service.desired;
  if (scaled) {
    tools.log.info(
      `Setting the desired count of ${service.ref.service} from ${service.desired} to ${desired}; ${name} has the images already`,
    );
    await tools.ecs.updateService(request.ref, { desired }, signal);
  }
  const settled = await settle(request, desired, tools, signal);
  if (settled === undefined)
    return {
      ...result,
      outcome: 'timed-out',
      changed: scaled,
      reason: `not ${desired} tasks of ${name} at the deadline`,
    };
  return {
    ...result,
    outcome: scaled ? 'succeeded' : 'unchanged',
    changed: scaled,
    reason: `${settled.running} of ${settled.desired} tasks run ${name}`,
  };
}

/** A wait that broke off is no verdict on the image: nothing is undone, and it is said who goes on. */
function unfollowed(thrown: unknown, { taskDefinition, ref }: Following): unknown {
  if (!(thrown instanceof CloudFailure)) return thrown;
  const now = `ECS goes on with the deployment of ${revisionName(taskDefinition)} to ${ref.service}; this run does not follow it any more`;
  return new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });
}

/** Follows it, goes back when it has to, and writes down how it ended. */
async function see(
  following: Following,
  request: DeployImageRequest,
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
  request.onFollowing?.(undefined);
  return result;
}

interface Followed {
  readonly end: RolloutEnd;
  readonly watcher: ServiceWatcher;
  readonly rollbackWithin: Duration;
}

async function conclude(
  { end, watcher, rollbackWithin }: Followed,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const bad = end.kind === 'failed' || end.kind === 'timed-out';
  // After ECS's own roll back too: it does not know of the desired count, and the tags have to say the end.
  if (end.kind === 'rolled-back' || (bad && request.onFailure === 'rollback')) {
    const deadline = after(tools.clock.now(), rollbackWithin);
    return rollBackWatched({ following: watcher.following(), deadline, reason: end.reason }, watcher, tools, signal);
  }
  const diagnosis = end.kind === 'succeeded' ? [] : await watcher.diagnosis(signal);
  if (end.kind !== 'superseded') await closeJournal(watcher.following(), bad ? 'failed' : 'done', tools, signal);
  return resultOf(watcher.following(), { outcome: end.kind, reason: end.reason, diagnosis });
}
