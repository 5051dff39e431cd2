import { after } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import { wayPast } from '../../domain/ecs/in-flight.ts';
import { readJournal, sameRelease, writerOf } from '../../domain/ecs/journal.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { type Situation, type Start, type Wish, decideStart, primaryOf } from '../../domain/ecs/start.ts';
import { Failure } from '../../domain/failure.ts';
import type { EcsDeployment, EcsService, EcsServiceRef } from '../../domain/ecs/service.ts';
import { type CloudErrorKind, CloudFailure } from '../../domain/retry-policy.ts';
import { unreachable } from '../../domain/unreachable.ts';
import { type Revision, type Update, attachTo, beginDeployment, revisionFor } from './begin.ts';
import { ROLL_BACK_WITHIN } from './follow-deployment.ts';
import { closeJournal } from './close-journal.ts';
import { readSituation } from './read-situation.ts';
import { rollBack } from './roll-back.ts';
import { seeThrough } from './see-through.ts';
import type { DeployImageRequest, NewRevision, RolloutTools } from './rollout.ts';
import { settle, waitForOthers } from './settle.ts';

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
  const situation = request.situation?.() ?? (await readSituation(request, tools, signal));
  const start = decideStart(situation, wishOf(request));
  const { service } = situation;
  switch (start.kind) {
    case 'refuse':
      throw new Failure({ ...start.facts, ...stateBefore(request) });
    case 'conflict':
      await giveWay({ conflict: start, service }, request, tools, signal);
      return deployImage(request, tools, signal);
    case 'unchanged':
    case 'settle':
    case 'scale':
      return keepVerified({ ...situation, start }, request, tools, signal);
    case 'attach':
      tools.log.info(
        `${revisionName(start.deployment.taskDefinition)} is being deployed to ${service.ref.service} already; following that deployment`,
      );
      return seeThrough(
        await attachTo({ service, deployment: start.deployment, phase: 'deploying' }, request, tools, signal),
        fromNow(request, tools),
        tools,
        signal,
      );
    case 'restart':
    case 'deploy':
      return deployRevision({ ...situation, start }, request, tools, signal);
    default:
      return unreachable(start);
  }
}

type Begins = Extract<Start, { kind: 'deploy' | 'restart' }>;

/** Inspects, makes the revision and what comes before, and deploys it. */
async function deployRevision(
  situation: Situation & { readonly start: Begins },
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const { service, current, start } = situation;
  const body = start.kind === 'deploy' ? start.body : current.body;
  await request.inspect?.({ service, current, body }, signal);
  if (request.prepared !== true) sayStart(start, current.arn, tools);
  const revision = await revisionOf(situation, request, tools, signal);
  if (request.before !== undefined) {
    const definition = { arn: revision.arn, body };
    const stopped = await prepare({ service, definition, origin: revision.origin }, request, tools, signal);
    // It took its time, and what was read before it is as old: another release may have come meanwhile.
    return stopped ?? deployImage(afterPreparing(request, revision), tools, signal);
  }
  // One that was found may be somebody else's.
  const discards = request.failedRevision === 'deregister' && revision.origin === 'registered';
  const update: Update = {
    service,
    taskDefinition: revision.arn,
    phase: 'deploying',
    ...(start.kind === 'deploy' ? { force: 'no', current } : { force: 'new-deployment' }),
    ...(discards ? { discards } : {}),
  };
  const timed = fromNow(request, tools);
  return seeThrough(await beginDeployment(update, timed, tools, signal), timed, tools, signal);
}

function sayStart(start: Begins, current: string, { log }: RolloutTools): void {
  if (start.kind === 'deploy' && start.over !== undefined) log.warning(`Replacing ${start.over}`);
  if (start.kind === 'restart') log.info(`Deploying ${revisionName(current)} again: ${start.why}`);
  else if (start.changes.length > 0) log.verbatim('Changes of the task definition', start.changes.join('\n'));
}

/** What is left to do once `before` was done and went well. */
function afterPreparing(
  { before: _before, inspect: _inspect, ...request }: DeployImageRequest,
  { arn, origin }: Revision,
): DeployImageRequest {
  return { ...request, prepared: true, ...(origin === 'registered' ? { registered: arn } : {}) };
}

/** Neither what came before nor the wait for somebody else's deployment takes from the time that the tasks have. */
const fromNow = (request: DeployImageRequest, { clock }: RolloutTools): DeployImageRequest =>
  request.timeout === undefined ? request : { ...request, deadline: after(clock.now(), request.timeout) };

async function revisionOf(
  { current, base, start }: Situation & { readonly start: Begins },
  { tags, registered }: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<Revision> {
  if (start.kind === 'restart') return { arn: current.arn, origin: 'found' };
  if (start.existing !== undefined) return { arn: start.existing, origin: 'found' };
  const revision = await revisionFor({ current: base ?? current, body: start.body, tags }, tools, signal);
  return revision.arn === registered ? { arn: registered, origin: 'registered' } : revision;
}

/** What was made ready before anything of the release came to the service. */
export interface Ready {
  /** The revision that was registered for it. */
  readonly registered?: string;
  /** What had to be done before went badly: the release ends, and the service stays as it is. */
  readonly stopped?: RolloutResult;
}

/** Does only what comes before the service changes: registers the revision and makes `before`. Again later it finds both. */
export async function makeReady(request: DeployImageRequest, tools: RolloutTools, signal: AbortSignal): Promise<Ready> {
  const situation = request.situation?.() ?? (await readSituation(request, tools, signal));
  const start = decideStart(situation, wishOf(request));
  const { service, current } = situation;
  if (start.kind !== 'deploy' && start.kind !== 'restart') return {};
  const revision = await revisionOf({ ...situation, start }, request, tools, signal);
  const definition = { arn: revision.arn, body: start.kind === 'deploy' ? start.body : current.body };
  const stopped = await prepare({ service, definition, origin: revision.origin }, request, tools, signal);
  return {
    ...(revision.origin === 'registered' ? { registered: revision.arn } : {}),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

/** What has to be done before the service changes. A result: it went badly, and the service stays as it is. */
async function prepare(
  { service, definition, origin }: NewRevision & Pick<Revision, 'origin'>,
  request: DeployImageRequest,
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult | undefined> {
  const verification = await request.before?.({ service, definition }, signal);
  if (verification === undefined || verification.kind === 'good') return undefined;
  if (request.failedRevision === 'deregister' && origin === 'registered') {
    try {
      await ecs.deregisterTaskDefinition(definition.arn, signal);
    } catch (thrown) {
      if (!(thrown instanceof CloudFailure)) throw thrown;
      log.warning(`${thrown.message} The revision stays registered; nothing runs it`);
    }
  }
  return {
    outcome: 'failed',
    taskDefinition: definition.arn,
    previousTaskDefinition: service.taskDefinition,
    reason: verification.reason,
    now: `The service was not touched and runs ${revisionName(service.taskDefinition)}.`,
    changed: true,
    diagnosis: verification.lines,
  };
}

const wishOf = ({ images, edits, desired, writer, onOutdated }: DeployImageRequest): Wish => ({
  ...writer,
  ...(onOutdated === undefined ? {} : { onOutdated }),
  ...(images === undefined ? {} : { images }),
  ...(edits === undefined ? {} : { edits }),
  ...(desired === undefined ? {} : { desired }),
});

interface InTheWay {
  readonly conflict: Extract<Start, { kind: 'conflict' }>;
  readonly service: EcsService;
}

/** A roll back or deployment that this release itself left behind is waited for; somebody else's as it is asked. */
async function giveWay(
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
const stateBefore = ({ prepared }: DeployImageRequest): { readonly now?: string } =>
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

interface Kept extends Situation {
  readonly start: Extract<Start, { kind: 'unchanged' | 'settle' | 'scale' }>;
}

/** What runs already is verified too. It is taken back only when an earlier run of this release deployed it and died before its own verdict. */
async function keepVerified(
  kept: Kept,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const result = await keepRevision(kept, fromNow(request, tools), tools, signal);
  if (request.endsAs === 'open') await answerFor(kept, request, tools, signal);
  if (result.outcome === 'timed-out') return result;
  const verification = (await request.verify?.(signal)) ?? { kind: 'good' };
  const deployment = unverified(kept.service, request);
  if (verification.kind === 'good') {
    if (deployment !== undefined && request.endsAs !== 'open') await closeFor(kept, request, tools, signal);
    return result;
  }
  const { reason, lines } = verification;
  if (deployment === undefined || request.onFailure === 'leave')
    return { ...result, outcome: 'failed', reason, diagnosis: lines };
  const phase = 'rolling-back' as const;
  const following = await attachTo({ service: kept.service, deployment, phase }, request, tools, signal);
  const deadline = after(tools.clock.now(), request.rollbackWithin ?? ROLL_BACK_WITHIN);
  const back = await rollBack({ following, deadline, reason }, tools, signal);
  request.onFollowing?.(undefined);
  return { ...back, diagnosis: lines };
}

/** The verdict that an earlier run of this release did not live to write: left open, the tags would call a good release unproven. */
async function closeFor(
  { service }: Kept,
  { ref, writer, endsAs }: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const earlier = writerOf(service);
  const whose = { ref, writer, ...(earlier === undefined ? {} : { earlierRun: earlier }) };
  await closeJournal(whose, { phase: endsAs === 'rolled-back' ? endsAs : 'done' }, tools, signal);
}

/** What an earlier run of this release brought, and nobody judged yet, is from now on this run's to take back. */
async function answerFor(
  { service }: Kept,
  request: DeployImageRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const deployment = unverified(service, request);
  if (deployment !== undefined) await attachTo({ service, deployment, phase: 'deploying' }, request, tools, signal);
}

/** The PRIMARY deployment, when the tags say that this release began it and not how it ended. */
function unverified(service: EcsService, { writer }: DeployImageRequest): EcsDeployment | undefined {
  const journal = readJournal(service);
  if (journal?.previousTaskDefinition === undefined || !sameRelease(journal, writer.release)) return undefined;
  const primary = primaryOf(service);
  // A way back that was written down and never sent: the revision to be taken back serves on.
  const unsent = journal.phase === 'rolling-back' && primary?.taskDefinition !== journal.previousTaskDefinition;
  return journal.phase === 'deploying' || unsent ? primary : undefined;
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
