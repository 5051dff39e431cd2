import { type Duration, type Instant, between, minutes } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import type { RolloutOutcome, RolloutResult } from '../../domain/ecs/result.ts';
import {
  NOTHING_SEEN,
  type RolloutState,
  type RolloutWatch,
  look,
  pollInterval,
  quietFor,
  spreadOf,
} from '../../domain/ecs/rollout.ts';
import { type Decision, reconcile } from '../reconcile.ts';
import type { Following, RolloutTools } from './rollout.ts';
import { type ServiceWatcher, type Sighting, watchService } from './watch-service.ts';

/** How long a way back may take, ours or ECS's own. */
export const ROLL_BACK_WITHIN: Duration = minutes(15);

export interface FollowRequest {
  readonly following: Following;
  readonly deadline: Instant;
  readonly rollbackWithin?: Duration;
}

/** Follows one deployment until it succeeded, failed, was rolled back by ECS or superseded, or the deadline passed. Writes nothing. */
export async function followDeployment(
  request: FollowRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const watcher = watchService(request.following, tools);
  const end = await followTo(request, watcher, tools, signal);
  const diagnosis = end.kind === 'succeeded' ? [] : await watcher.diagnosis(signal);
  return resultOf(watcher.following(), { outcome: end.kind, reason: end.reason, diagnosis });
}

/** The states that are an end. */
export type RolloutEnd = Exclude<RolloutState, { readonly kind: 'in-progress' | 'rolling-back' }>;

/** The same with a watcher of the caller, which keeps what was learnt. `onLearnt` is told when the deployment became better known. */
export async function followTo(
  request: FollowRequest & { readonly onLearnt?: (following: Following) => void },
  watcher: ServiceWatcher,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutEnd> {
  const spread = spreadOf(`${request.following.writer.run} ${request.following.taskDefinition}`);
  let watch = watchOf(request);
  let known = watcher.following();
  return reconcile<Sighting, never, RolloutEnd>({
    ...tools,
    signal,
    observe: (inner) => watcher.look(inner),
    decide(sighting, now): Decision<never, RolloutEnd> {
      const age = between(watch.startedAt, now);
      if (sighting.kind === 'unreadable')
        return whileUnreadable(watch, { sighting, every: pollInterval(age, sighting.times, spread), now });
      const looked = look(watch, sighting, now);
      watch = looked.watch;
      watcher.learn(watch.deploymentId);
      known = told(request.onLearnt, known, watcher.following());
      return decisionOf(looked.state, watch, pollInterval(age, 0, spread, quietFor(watch, sighting.service, now)));
    },
    act: () => Promise.resolve(),
  });
}

function watchOf({ following, deadline, rollbackWithin }: FollowRequest): RolloutWatch {
  const { taskDefinition, deploymentId, earlierDeployments, startedAt, previousTaskDefinition } = following;
  return {
    taskDefinition,
    earlierDeployments,
    startedAt,
    deadline,
    rollbackWithin: rollbackWithin ?? ROLL_BACK_WITHIN,
    ...(previousTaskDefinition === undefined ? {} : { goesBackTo: previousTaskDefinition }),
    memory: NOTHING_SEEN,
    ...(deploymentId === undefined ? {} : { deploymentId }),
  };
}

interface Unreadable {
  readonly sighting: Extract<Sighting, { kind: 'unreadable' }>;
  readonly every: Duration;
  readonly now: Instant;
}

function whileUnreadable(watch: RolloutWatch, { sighting, every, now }: Unreadable): Decision<never, RolloutEnd> {
  const waitsFor = `${revisionName(watch.taskDefinition)}, which could not be read just now (${sighting.why})`;
  if (now < watch.deadline || watch.memory.rollingBackSince !== undefined)
    return { kind: 'wait', for: waitsFor, every, until: watch.deadline };
  return {
    kind: 'done',
    outcome: { kind: 'timed-out', reason: `the service could not be read at the deadline: ${sighting.why}` },
  };
}

function decisionOf(state: RolloutState, watch: RolloutWatch, every: Duration): Decision<never, RolloutEnd> {
  switch (state.kind) {
    case 'in-progress':
      return {
        kind: 'wait',
        for: `${revisionName(watch.taskDefinition)}: ${state.stage}`,
        every,
        until: watch.deadline,
      };
    case 'rolling-back':
      return {
        kind: 'wait',
        for: `ECS's roll back of ${revisionName(watch.taskDefinition)} (${state.reason})`,
        every,
        until: state.until,
      };
    default:
      return { kind: 'done', outcome: state };
  }
}

function told(onLearnt: ((following: Following) => void) | undefined, before: Following, now: Following): Following {
  if (before.deploymentId !== now.deploymentId || before.serviceDeploymentArn !== now.serviceDeploymentArn)
    onLearnt?.(now);
  return now;
}

interface Ending {
  readonly outcome: RolloutOutcome;
  readonly reason: string;
  readonly diagnosis: readonly string[];
}

export const resultOf = (following: Following, ending: Ending): RolloutResult => ({
  taskDefinition: following.taskDefinition,
  changed: true,
  ...ending,
  ...(following.previousTaskDefinition === undefined
    ? {}
    : { previousTaskDefinition: following.previousTaskDefinition }),
  ...(following.serviceDeploymentArn === undefined ? {} : { serviceDeploymentArn: following.serviceDeploymentArn }),
});
