import type { Instant } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import { diagnose } from '../../domain/ecs/diagnosis.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { whoseDeployment } from '../../domain/ecs/in-flight.ts';
import { type ScalingLimits, decideScaling, describeLimits } from '../../domain/ecs/scaling.ts';
import type { EcsService, EcsServiceRef } from '../../domain/ecs/service.ts';
import { isSteady, primaryOf, refusalOf } from '../../domain/ecs/start.ts';
import { DeadlinePassed, Failure } from '../../domain/failure.ts';
import { seconds } from '../../domain/duration.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import type { AutoscalingLimits } from '../../ports/autoscaling.ts';
import { until } from '../until.ts';
import { isMoving } from './moving-record.ts';
import type { RolloutTools } from './rollout.ts';
import { waitForOthers } from './settle.ts';

export interface ScaleRequest {
  readonly ref: EcsServiceRef;
  readonly desired: number;
  readonly deadline: Instant;
  /** What becomes of a count outside of the limits of Application Auto Scaling. */
  readonly onLimits: 'fail' | 'change';
  /** `stop` waits too: a count is no reason to stop a release. */
  readonly onConflict: 'fail' | 'wait' | 'stop';
}

const LOOK_EVERY = seconds(5);

/**
 * Sets the desired count and waits until so many tasks run. No deployment, so there is nothing to go back to: a count that
 * is not reached is told and left. Idempotent. A count that somebody else changes meanwhile (Application Auto Scaling does,
 * when the number is outside of its limits or a policy speaks) ends the wait as `superseded`.
 */
export async function scaleService(
  request: ScaleRequest,
  tools: ScaleTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const { ref, desired } = request;
  const service = await readScalable(request, tools, signal);
  const widened = await keepLimits(request, tools, signal);
  const taskDefinition = service.taskDefinition;
  const name = revisionName(taskDefinition);
  if (service.desired === desired && isSteady(service) && widened === 'no') {
    const reason = `${service.running} of ${desired} tasks run ${name} already`;
    return { outcome: 'unchanged', taskDefinition, reason, changed: false, diagnosis: [] };
  }
  const changed = service.desired !== desired;
  if (changed) {
    tools.log.info(`Setting the desired count of ${ref.service} from ${service.desired} to ${desired}`);
    await tools.ecs.updateService(ref, { desired }, signal);
  }
  return {
    taskDefinition,
    changed: changed || widened === 'yes',
    ...(await awaitCount(request, service, tools, signal)),
  };
}

export interface ScaleTools extends RolloutTools {
  readonly autoscaling: AutoscalingLimits;
}

/** The limits, or undefined where there are none; a role that may not ask is told once and nothing is known. */
export async function readLimits(
  ref: EcsServiceRef,
  { autoscaling, log }: Pick<ScaleTools, 'autoscaling' | 'log'>,
  signal: AbortSignal,
): Promise<ScalingLimits | undefined> {
  try {
    return await autoscaling.limits(ref, signal);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || thrown.kind !== 'access-denied') throw thrown;
    log.warning(`${thrown.message} Whether Application Auto Scaling would change the count is not known`);
    return undefined;
  }
}

/** Limits before count: the other way round, the count would be set back in between. */
async function keepLimits(request: ScaleRequest, tools: ScaleTools, signal: AbortSignal): Promise<'yes' | 'no'> {
  const { ref } = request;
  const limits = await readLimits(ref, tools, signal);
  if (limits !== undefined) tools.log.info(describeLimits(limits));
  const decision = decideScaling(limits, request);
  if (decision.kind === 'refuse') throw new Failure(decision.facts);
  if (decision.kind === 'free') return 'no';
  const { min, max } = decision;
  tools.log.info(`Setting the limits of ${ref.service} to ${min} and ${max} (on-limits: change)`);
  await tools.autoscaling.setLimits(ref, { min, max }, signal);
  return 'yes';
}

/** The service as it can be scaled, after the wait for a deployment where it is asked for. */
export async function readScalable(
  { ref, deadline, onConflict }: Pick<ScaleRequest, 'ref' | 'deadline' | 'onConflict'>,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<EcsService> {
  const [service] = await tools.ecs.describeServices([ref], signal);
  const what = `Could not scale ECS service ${ref.service} in cluster ${ref.cluster}`;
  if (service === undefined) throw new Failure({ what, why: 'it was not found' });
  const refusal = refusalOf(service, 'scale');
  if (refusal !== undefined) throw new Failure(refusal);
  if (service.schedulingStrategy === 'DAEMON')
    throw new Failure({
      what,
      why: 'a DAEMON service has a task on every instance and no count of its own',
      now: 'Nothing was changed',
      next: 'Change the number of instances of the cluster',
    });
  if (!(await isMoving(service, tools.ecs, signal))) return service;
  const running = `the deployment of ${revisionName(primaryOf(service)?.taskDefinition ?? service.taskDefinition)}`;
  if (onConflict === 'fail')
    throw new Failure({
      what,
      why: `${running} is in flight (${whoseDeployment(service, primaryOf(service))})`,
      now: 'Nothing was changed',
      next: 'Wait for its end and re-run, or set on-conflict to wait',
    });
  await waitForOthers({ ref, deadline }, running, tools, signal);
  return readScalable({ ref, deadline, onConflict: 'fail' }, tools, signal);
}

type Ending = Pick<RolloutResult, 'outcome' | 'reason' | 'diagnosis'>;

async function awaitCount(
  { ref, desired, deadline }: ScaleRequest,
  before: EcsService,
  { ecs, clock, log }: RolloutTools,
  signal: AbortSignal,
): Promise<Ending> {
  const startedAt = clock.now();
  let last = before;
  let taken: 'not-seen' | 'seen' = before.desired === desired ? 'seen' : 'not-seen';
  const look = async (): Promise<Ending | undefined> => {
    try {
      const [service] = await ecs.describeServices([ref], signal);
      if (service === undefined) return undefined;
      last = service;
    } catch (thrown) {
      if (thrown instanceof CloudFailure && mayPass(thrown.kind)) return undefined;
      throw thrown;
    }
    const name = revisionName(last.taskDefinition);
    if (last.desired === desired) taken = 'seen';
    if (last.desired === desired && isSteady(last))
      return { outcome: 'succeeded', reason: `${last.running} of ${desired} tasks run ${name}`, diagnosis: [] };
    // A read from before the update shows the count of before; any other count is somebody else's.
    const foreign = last.desired !== desired && (taken === 'seen' || last.desired !== before.desired);
    return foreign
      ? { outcome: 'superseded', reason: changedBySomebody(last.desired, desired), diagnosis: [] }
      : undefined;
  };
  log.info(`Waiting for ${ref.service} to run ${desired} tasks`);
  try {
    return await until(clock, { every: LOOK_EVERY, deadline, signal }, look);
  } catch (thrown) {
    if (!(thrown instanceof DeadlinePassed)) throw thrown;
    const reason = `${last.running} of ${desired} tasks run at the deadline, ${last.pending} pending`;
    return { outcome: 'timed-out', reason, diagnosis: diagnose({ tasks: [], service: last, after: { startedAt } }) };
  }
}

const changedBySomebody = (now: number, desired: number): string =>
  `the desired count was set to ${desired} and is ${now} now: somebody else changed it; autoscaling does, when a policy of it speaks`;
