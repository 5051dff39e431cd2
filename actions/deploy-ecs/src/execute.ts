import { type Instant, after, minutes } from '../../../src/domain/duration.ts';
import type { RolloutResult } from '../../../src/domain/ecs/result.ts';
import type { Preflight } from '../../../src/domain/ecs/preflight.ts';
import type { Moment } from '../../../src/domain/ecs/one-off-task.ts';
import { type Situation, candidateOf } from '../../../src/domain/ecs/start.ts';
import type { TaskWish } from '../../../src/domain/ecs/task-wish.ts';
import type { ServiceStatus } from '../../../src/domain/ecs/status.ts';
import { type Checking, verifyRelease } from '../../../src/engine/checks/verify-release.ts';
import { type CleanUpResult, cleanUp, planCleanUp } from '../../../src/engine/ecs-rollout/clean-up.ts';
import { deployImage } from '../../../src/engine/ecs-rollout/deploy-image.ts';
import { readSituation } from '../../../src/engine/ecs-rollout/read-situation.ts';
import { goBackOnDemand, planGoBack } from '../../../src/engine/ecs-rollout/go-back.ts';
import { inspectPrepared, preflight } from '../../../src/engine/ecs-rollout/preflight.ts';
import { rollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import {
  type OneOffOrder,
  type OneOffTools,
  describeOneOff,
  runOnce,
} from '../../../src/engine/ecs-rollout/run-once.ts';
import type {
  DefinitionSource,
  DeployImageRequest,
  Following,
  RolloutTools,
  Verification,
} from '../../../src/engine/ecs-rollout/rollout.ts';
import { readLimits, readScalable, scaleService } from '../../../src/engine/ecs-rollout/scale-service.ts';
import type { Sha256 } from '../../../src/ports/digest.ts';
import type { AutoscalingLimits } from '../../../src/ports/autoscaling.ts';
import type { DeployConditions } from '../../../src/ports/deploy-conditions.ts';
import type { EcsTasks } from '../../../src/ports/ecs-tasks.ts';
import type { Ecs, EcsServiceRef } from '../../../src/ports/ecs.ts';
import { type Plan, type PlannedTasks, planOf, planOfCleanUp, planOfGoBack, planOfScale, wishOf } from './decide.ts';
import type { CleanUpRequest, DeployRequest, RollbackRequest, ScaleToRequest, SingleRequest } from './inputs.ts';

export type { Checking };

export interface Context extends RolloutTools {
  readonly tasks: EcsTasks;
  readonly conditions: DeployConditions;
  readonly autoscaling: AutoscalingLimits;
  readonly sha256: Sha256;
  /** `<run id>/<attempt>`. */
  readonly run: string;
  readonly commit: string;
  readonly checking: Checking | undefined;
  readonly definition: DefinitionSource | undefined;
  /** Told before the first write. */
  readonly onWrite: () => void;
  /** Told what there is to undo. */
  readonly onFollowing: (standing: readonly Standing[]) => void;
}

/** What this run brought to a service: in flight, or serving while its group is not judged yet. */
export interface Standing {
  readonly following: Following;
  readonly stands: 'in-flight' | 'serves';
}

const refOf = ({ cluster, service }: SingleRequest): EcsServiceRef => ({ cluster, service });

/** Reads and plans; writes nothing. */
export async function plan(
  request: Exclude<SingleRequest, { mode: 'status' }>,
  context: Context,
  signal: AbortSignal,
): Promise<Plan> {
  const ref = refOf(request);
  switch (request.mode) {
    case 'deploy':
      return (await lookAhead(request, context, signal)).plan;
    case 'rollback': {
      const to = request.to === undefined ? {} : { to: request.to };
      const { service, decision } = await planGoBack({ ref, run: context.run, ...to }, context, signal);
      return planOfGoBack(service, decision);
    }
    case 'scale': {
      const deadline = context.clock.now();
      const service = await readScalable({ ref, deadline, onConflict: 'fail' }, context, signal);
      return planOfScale(service, request, await readLimits(ref, context, signal));
    }
    case 'cleanup':
      return planOfCleanUp(await planCleanUp({ ref, keep: request.keep }, context, signal), request.keep);
  }
}

/** A release that was looked at and not begun, and what it was planned from. */
export interface Ahead {
  readonly plan: Plan;
  readonly situation: Situation;
  readonly seen: Preflight;
  /** When the situation was read. */
  readonly at: Instant;
}

/** Reads and plans; writes nothing. */
export async function lookAhead(request: DeployRequest, context: Context, signal: AbortSignal): Promise<Ahead> {
  const at = context.clock.now();
  const situation = await readSituation({ ref: refOf(request), ...definitionOf(context) }, context, signal);
  const tasks = plannedTasks(situation, request, context);
  const body = candidateOf(situation.base ?? situation.current, wishOf(request));
  const { timeout, desired } = request;
  const seen = await preflight({ ...situation, body, timeout, desired }, context.conditions, signal);
  return { plan: planOf(situation, request, { run: context.run, tasks, seen }), situation, seen, at };
}

/** A line for each task of the release, by the images it would have. */
function plannedTasks(situation: Situation, request: DeployRequest, context: Context): PlannedTasks {
  const { service, current } = situation;
  const body = candidateOf(situation.base ?? current, wishOf(request));
  const shown = (moment: Moment, wish: TaskWish | undefined): readonly string[] =>
    wish === undefined
      ? []
      : [
          describeOneOff(
            { ...orderOf(request, context), service, definition: { arn: current.arn, body }, moment, wish },
            context,
          ),
        ];
  return { before: shown('pre-deploy', request.before), after: shown('post-deploy', request.after) };
}

export async function deploy(request: DeployRequest, context: Context, signal: AbortSignal): Promise<RolloutResult> {
  const order: DeployImageRequest = {
    ...orderFor(request, context),
    onFollowing: (following) =>
      context.onFollowing(following === undefined ? [] : [{ following, stands: 'in-flight' }]),
    ...verifyBy(context, request),
  };
  return deployImage(order, toolsOf(context), signal);
}

/** What is to be done to the service, whoever watches over it. */
export function orderFor(request: DeployRequest, context: Context): DeployImageRequest {
  const { clock, run, commit } = context;
  return {
    ref: refOf(request),
    ...wishOf(request),
    ...definitionOf(context),
    ...(request.desired === undefined ? {} : { desired: request.desired }),
    tags: commit === '' ? {} : { 'sluice:commit': commit },
    writer: { release: request.release, run },
    deadline: after(clock.now(), request.timeout),
    timeout: request.timeout,
    onFailure: request.onFailure,
    onConflict: request.onConflict,
    onOutdated: request.onOutdated,
    failedRevision: 'deregister',
    inspect: (prepared, inner) =>
      inspectPrepared({ ...prepared, timeout: request.timeout, desired: request.desired }, context, inner),
    ...beforeBy(request, context),
  };
}

export async function goBack(request: RollbackRequest, context: Context, signal: AbortSignal): Promise<RolloutResult> {
  return goBackOnDemand(
    {
      ref: refOf(request),
      ...(request.to === undefined ? {} : { to: request.to }),
      run: context.run,
      deadline: after(context.clock.now(), request.timeout),
      ...verifyBy(context),
    },
    toolsOf(context),
    signal,
  );
}

export async function scale(request: ScaleToRequest, context: Context, signal: AbortSignal): Promise<RolloutResult> {
  const { desired, onConflict, onLimits } = request;
  const deadline = after(context.clock.now(), request.timeout);
  const tools = { ...toolsOf(context), autoscaling: tellingLimits(context) };
  return scaleService({ ref: refOf(request), desired, deadline, onConflict, onLimits }, tools, signal);
}

const tellingLimits = ({ autoscaling, onWrite }: Context): AutoscalingLimits => ({
  ...autoscaling,
  setLimits(...call) {
    onWrite();
    return autoscaling.setLimits(...call);
  },
});

export async function discardOld(
  request: CleanUpRequest,
  context: Context,
  signal: AbortSignal,
): Promise<CleanUpResult> {
  const deadline = after(context.clock.now(), request.timeout);
  return cleanUp({ ref: refOf(request), keep: request.keep, deadline }, toolsOf(context), signal);
}

const definitionOf = ({ definition }: Context): { readonly definition?: DefinitionSource } =>
  definition === undefined ? {} : { definition };

/** Reads only. */
export async function lookAt(request: SingleRequest, context: Context, signal: AbortSignal): Promise<ServiceStatus> {
  const { ecs } = context;
  const ref = refOf(request);
  const { service, current } = await readSituation({ ref }, { ecs }, signal);
  const record = service.currentServiceDeployment;
  const [serviceDeployment] = record === undefined ? [] : await ecs.describeServiceDeployments([record], signal);
  const successful = await ecs.listServiceDeployments(ref, signal, { status: 'SUCCESSFUL' });
  const limits = await readLimits(ref, context, signal);
  const scaling = limits === undefined ? {} : { limits };
  return {
    service,
    current,
    successful,
    ...scaling,
    ...(serviceDeployment === undefined ? {} : { serviceDeployment }),
  };
}

/** GitHub ends the post steps of a cancelled job after 5 minutes. */
export const POST_HAS = minutes(4);

/** What `post` does about a deployment that its main left behind. */
export async function undo(following: Following, tools: RolloutTools, signal: AbortSignal): Promise<RolloutResult> {
  const deadline = after(tools.clock.now(), POST_HAS);
  return rollBack({ following, deadline, reason: 'the run ended before the deployment did' }, tools, signal);
}

/** The task before the service changes. */
function beforeBy(request: DeployRequest, context: Context): Pick<DeployImageRequest, 'before'> {
  const { before: wish } = request;
  if (wish === undefined) return {};
  return {
    before: (revision, signal) =>
      runOnce({ ...orderOf(request, context), ...revision, moment: 'pre-deploy', wish }, oneOffTools(context), signal),
  };
}

/** The task after the deployment, then the checks: what makes a steady revision a good one. */
function verifyBy(
  context: Context,
  request?: DeployRequest,
): { readonly verify?: (signal: AbortSignal) => Promise<Verification> } {
  const { checking } = context;
  const wish = request?.after;
  if (checking === undefined && wish === undefined) return {};
  return {
    async verify(signal) {
      const prepared: Verification =
        request === undefined || wish === undefined ? GOOD : await afterwards({ request, wish }, context, signal);
      return prepared.kind === 'bad' || checking === undefined ? prepared : verifyRelease(checking, context, signal);
    },
  };
}

const GOOD: Verification = { kind: 'good' };

/** By the revision that serves by now. */
export async function afterwards(
  { request, wish }: { readonly request: DeployRequest; readonly wish: TaskWish },
  context: Context,
  signal: AbortSignal,
): Promise<Verification> {
  const { service, current } = await readSituation({ ref: refOf(request) }, context, signal);
  const order = { ...orderOf(request, context), service, definition: current, moment: 'post-deploy', wish } as const;
  return runOnce(order, oneOffTools(context), signal);
}

const orderOf = (
  { container, settings }: DeployRequest,
  { run }: Context,
): Pick<OneOffOrder, 'container' | 'run' | 'settings'> => ({
  run,
  ...(settings === undefined ? {} : { settings }),
  ...(container === undefined ? {} : { container }),
});

function oneOffTools(context: Context): OneOffTools {
  const { tasks, sha256, onWrite } = context;
  const run: EcsTasks['run'] = (order, signal) => {
    onWrite();
    return tasks.run(order, signal);
  };
  return { ...toolsOf(context), sha256, tasks: { ...tasks, run } };
}

export const toolsOf = ({ ecs, clock, log, logs, sayWait, onWrite }: Context): RolloutTools => ({
  ecs: tellingWrites(ecs, onWrite),
  clock,
  log,
  ...(logs === undefined ? {} : { logs }),
  ...(sayWait === undefined ? {} : { sayWait }),
});

function tellingWrites(ecs: Ecs, onWrite: () => void): Ecs {
  const told =
    <A extends readonly unknown[], R>(write: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      onWrite();
      return write(...args);
    };
  return {
    ...ecs,
    registerTaskDefinition: told(ecs.registerTaskDefinition),
    deregisterTaskDefinition: told(ecs.deregisterTaskDefinition),
    updateService: told(ecs.updateService),
    stopServiceDeployment: told(ecs.stopServiceDeployment),
    tagService: told(ecs.tagService),
    untagService: told(ecs.untagService),
  };
}
