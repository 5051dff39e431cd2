import { type Duration, type Instant, between } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import { phaseTag } from '../../domain/ecs/journal.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { pollInterval, spreadOf } from '../../domain/ecs/rollout.ts';
import {
  type Undoing,
  type WayBackDecision,
  type WayBackSighting,
  type WayBackSteps,
  decideWayBack,
} from '../../domain/ecs/way-back.ts';
import { primaryOf } from '../../domain/ecs/start.ts';
import { movesTraffic } from '../../domain/ecs/strategy.ts';
import { type CloudErrorKind, CloudFailure, mayPass, pauseBefore } from '../../domain/retry-policy.ts';
import type { EcsService } from '../../ports/ecs.ts';
import { type Decision, reconcile } from '../reconcile.ts';
import { closeJournal } from './close-journal.ts';
import { resultOf } from './follow-deployment.ts';
import type { Following, RolloutTools } from './rollout.ts';
import { type ServiceWatcher, type Sighting, watchService } from './watch-service.ts';

export interface RollBackRequest {
  readonly following: Following;
  readonly deadline: Instant;
  /** Why, as a clause: `tasks failed to start`. Stands in the result, before how the way back ended. */
  readonly reason: string;
}

/**
 * Takes the service back to the revision before `following` and waits until it is steady: by StopServiceDeployment while
 * ours is in flight, else by an update to the last good revision. Idempotent: a way back that is under way is followed.
 * Outcomes: `rolled-back`, `failed` (nothing to go back to, or the way back failed), `superseded`, `timed-out`.
 */
export async function rollBack(
  request: RollBackRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  return rollBackWatched(request, watchService(request.following, tools), tools, signal);
}

type Move = Extract<WayBackDecision, { kind: 'stop' | 'update' | 'restore-desired' | 'restore-settings' }>;
type End = Extract<WayBackDecision, { kind: 'done' }>;

/** ECS writes sentences; here they are clauses. */
const withoutStop = (text: string): string => text.replace(/[.\s]+$/, '');

/** The same with a watcher that has followed the deployment already. */
export async function rollBackWatched(
  request: RollBackRequest,
  watcher: ServiceWatcher,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  try {
    return await goBack(request, watcher, tools, signal);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    const { taskDefinition, ref } = watcher.following();
    const now = `The way back of ${ref.service} from ${revisionName(taskDefinition)} is not confirmed (${withoutStop(request.reason)})`;
    throw new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });
  }
}

async function goBack(
  request: RollBackRequest,
  watcher: ServiceWatcher,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const startedAt = tools.clock.now();
  const spread = spreadOf(`${request.following.writer.run} back`);
  let steps: WayBackSteps = { stop: 'not-asked', desired: 'not-asked', settings: 'not-asked' };
  let repeats: number | undefined;
  const end = await reconcile<SightingBack, Move, End>({
    ...tools,
    signal,
    observe: (inner) => lookBack(watcher, tools, inner),
    decide(sighting, now): Decision<Move, End> {
      const undoing = undoingOf(watcher.following(), request.deadline, startedAt);
      const every = pollInterval(between(startedAt, now), sighting.kind === 'unreadable' ? sighting.times : 0, spread);
      if (sighting.kind === 'unreadable') return whileUnreadable(sighting, undoing, { every, now });
      return decisionOf(decideWayBack(undoing, steps, sighting, now), undoing, every);
    },
    async act(move, sighting, inner) {
      if (sighting.kind !== 'seen') return;
      try {
        if (repeats === undefined) await tools.ecs.tagService(sighting.service.arn, phaseTag('rolling-back'), inner);
        repeats ??= 0;
        steps = await make(move, steps, { watcher, tools, signal: inner });
      } catch (thrown) {
        repeats = await patience(thrown, { repeats: repeats ?? 0, deadline: request.deadline }, tools, inner);
      }
    },
  });
  if (end.outcome === 'rolled-back' || end.outcome === 'failed')
    await closeJournal(watcher.following(), { phase: end.outcome, seen: watcher.lastSeen() }, tools, signal);
  if (end.outcome === 'rolled-back') await discard(watcher.following(), tools, signal);
  const reason = end.outcome === 'superseded' ? end.reason : `${withoutStop(request.reason)}; ${end.reason}`;
  return resultOf(watcher.following(), { outcome: end.outcome, reason, diagnosis: await watcher.diagnosis(signal) });
}

type SightingBack =
  (Extract<Sighting, { kind: 'seen' }> & Pick<WayBackSighting, 'wayBack'>) | Extract<Sighting, { kind: 'unreadable' }>;

/** Where ECS moves the traffic itself, the record of the deployment that leads back is read too. */
async function lookBack(watcher: ServiceWatcher, { ecs }: RolloutTools, signal: AbortSignal): Promise<SightingBack> {
  const seen = await watcher.look(signal, 'always');
  if (seen.kind !== 'seen' || !movesTraffic(seen.service)) return seen;
  const { taskDefinition, settingsAlone, deploymentId } = watcher.following();
  const { service, serviceDeployment } = seen;
  const primary = primaryOf(service);
  // Where the revision is the same, the deployment alone tells which of the two it is.
  const other = settingsAlone === true && primary?.id !== deploymentId;
  const named = service.currentServiceDeployment;
  const known = serviceDeployment !== undefined && serviceDeployment.arn === named;
  if (named === undefined || known || (primary?.taskDefinition === taskDefinition && !other)) return seen;
  try {
    const [wayBack] = await ecs.describeServiceDeployments([named], signal, 'must');
    // A read may lag: what rolled out ours does not lead back.
    return wayBack === undefined || (wayBack.taskDefinition === taskDefinition && !other) ? seen : { ...seen, wayBack };
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
    return { kind: 'unreadable', why: thrown.facts.why ?? thrown.message, times: 1 };
  }
}

/** A revision that was taken back helps nobody and is taken for the newest one by others. It stays readable. */
async function discard(
  { taskDefinition, discards }: Following,
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  if (discards === undefined) return;
  try {
    await ecs.deregisterTaskDefinition(taskDefinition, signal);
    log.info(`Deregistered ${revisionName(taskDefinition)}, which was taken back`);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    log.warning(`${thrown.message} The revision that was taken back stays registered`);
  }
}

function undoingOf(following: Following, deadline: Instant, startedAt: Instant): Undoing {
  const { taskDefinition, previousTaskDefinition, previousDesired, deploymentId, earlierRun, writer } = following;
  const { previousSettings, settingsAlone } = following;
  return {
    taskDefinition,
    run: writer.run,
    startedAt,
    deadline,
    ...(previousTaskDefinition === undefined ? {} : { previousTaskDefinition }),
    ...(previousDesired === undefined ? {} : { previousDesired }),
    ...(previousSettings === undefined ? {} : { previousSettings }),
    ...(settingsAlone === undefined ? {} : { settingsAlone }),
    ...(deploymentId === undefined ? {} : { deploymentId }),
    ...(earlierRun === undefined ? {} : { earlierRun }),
  };
}

interface Moment {
  readonly every: Duration;
  readonly now: Instant;
}

function whileUnreadable(
  sighting: Extract<Sighting, { kind: 'unreadable' }>,
  undoing: Undoing,
  { every, now }: Moment,
): Decision<Move, End> {
  if (now < undoing.deadline)
    return {
      kind: 'wait',
      for: `the service, which could not be read just now (${sighting.why})`,
      every,
      until: undoing.deadline,
    };
  return {
    kind: 'done',
    outcome: {
      kind: 'done',
      outcome: 'timed-out',
      reason: `the service could not be read until the end: ${sighting.why}`,
    },
  };
}

function decisionOf(decision: WayBackDecision, undoing: Undoing, every: Duration): Decision<Move, End> {
  switch (decision.kind) {
    case 'done':
      return { kind: 'done', outcome: decision };
    case 'wait':
      return { kind: 'wait', for: decision.for, every, until: undoing.deadline };
    default:
      return { kind: 'move', move: decision };
  }
}

interface Hands {
  readonly watcher: ServiceWatcher;
  readonly tools: RolloutTools;
  readonly signal: AbortSignal;
}

async function make(move: Move, steps: WayBackSteps, { watcher, tools, signal }: Hands): Promise<WayBackSteps> {
  const { ref, serviceDeploymentArn, taskDefinition, previousSettings, deploymentId } = watcher.following();
  switch (move.kind) {
    case 'stop':
      tools.log.info(
        `Rolling back ${ref.service}: telling ECS to stop the deployment of ${revisionName(taskDefinition)} and go back`,
      );
      return {
        ...steps,
        stop: serviceDeploymentArn === undefined ? 'refused' : await stop(serviceDeploymentArn, tools, signal),
      };
    case 'update': {
      const before = move.force === undefined ? '' : ', with the settings of before';
      tools.log.info(`Rolling back ${ref.service}: deploying ${revisionName(move.to)} again${before}`);
      const settings = previousSettings === undefined ? {} : { settings: previousSettings };
      const count = move.desired === undefined ? {} : { desired: move.desired };
      const force = move.force === undefined ? {} : { forceNewDeployment: move.force };
      const change = { taskDefinition: move.to, ...count, ...settings, ...force };
      const service = await tools.ecs.updateService(ref, change, signal);
      return { ...steps, update: wayBackId(service, move.to, deploymentId) };
    }
    case 'restore-desired':
      tools.log.info(`Setting the desired count of ${ref.service} back to ${move.desired}`);
      await tools.ecs.updateService(ref, { desired: move.desired }, signal);
      return { ...steps, desired: 'asked' };
    case 'restore-settings':
      tools.log.info(
        `Setting the tag settings of ${ref.service} back to those of before, which ECS's roll back leaves`,
      );
      await tools.ecs.updateService(ref, { settings: move.settings }, signal);
      return { ...steps, settings: 'asked' };
  }
}

/** A write that was throttled or not answered is made again after a pause, from a fresh look: the way back must not end for it. */
async function patience(
  thrown: unknown,
  { repeats, deadline }: { readonly repeats: number; readonly deadline: Instant },
  { clock, log }: RolloutTools,
  signal: AbortSignal,
): Promise<number> {
  if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind) || clock.now() >= deadline) throw thrown;
  log.warning(`${thrown.message} Trying again`);
  await clock.sleep(pauseBefore(repeats + 1), signal);
  return repeats + 1;
}

/** A deployment that ended in this moment, or a role without the permission, is not the end: an update goes back too. */
async function stop(arn: string, { ecs, log }: RolloutTools, signal: AbortSignal): Promise<'asked' | 'refused'> {
  try {
    await ecs.stopServiceDeployment(arn, 'ROLLBACK', signal);
    return 'asked';
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || mayPass(thrown.kind)) throw thrown;
    log.warning(`${thrown.message} Going back by an update instead`);
    return 'refused';
  }
}

const wayBackId = (service: EcsService, to: string, ours: string | undefined): string =>
  service.deployments.find(
    ({ id, status, taskDefinition }) => status === 'PRIMARY' && taskDefinition === to && id !== ours,
  )?.id ?? 'unknown';

const ENDED: ReadonlySet<CloudErrorKind> = new Set(['conflict', 'invalid', 'not-found']);

/** The one call a signal handler may make: starts the way back and does not wait for it. Returns what was done, as a sentence. */
export async function startRollBack(
  following: Following,
  { ecs }: Pick<RolloutTools, 'ecs'>,
  signal: AbortSignal,
): Promise<string> {
  const { ref, serviceDeploymentArn, previousTaskDefinition, taskDefinition, previousSettings } = following;
  const force = following.settingsAlone === undefined ? {} : { forceNewDeployment: following.settingsAlone };
  if (previousTaskDefinition === undefined)
    return `Nothing to go back to: ${ref.service} never had a successful deployment`;
  const nothingElse = previousTaskDefinition === taskDefinition && following.settingsAlone === undefined;
  if (serviceDeploymentArn === undefined && nothingElse)
    return `${ref.service} is deployed with ${revisionName(taskDefinition)} again, as before, and ECS names no service deployment that could be stopped`;
  if (serviceDeploymentArn !== undefined) {
    try {
      await ecs.stopServiceDeployment(serviceDeploymentArn, 'ROLLBACK', signal);
    } catch (thrown) {
      // Over already, or on its way back already: there is no more to do in one call.
      if (!(thrown instanceof CloudFailure) || !ENDED.has(thrown.kind)) throw thrown;
      return `The deployment of ${revisionName(taskDefinition)} to ${ref.service} is not in progress any more (${thrown.facts.why ?? thrown.message})`;
    }
    return `ECS was told to roll back the deployment of ${revisionName(taskDefinition)} of ${ref.service}; ${revisionName(previousTaskDefinition)} served before`;
  }
  const settings = previousSettings === undefined ? {} : { settings: previousSettings };
  await ecs.updateService(ref, { taskDefinition: previousTaskDefinition, ...settings, ...force }, signal);
  return `${ref.service} was set back to ${revisionName(previousTaskDefinition)}`;
}
