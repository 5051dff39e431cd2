import { revisionName } from '../../domain/ecs/arn.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { type Situation, type Start, type Wish, decideStart } from '../../domain/ecs/start.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import { unreachable } from '../../domain/unreachable.ts';
import { type Revision, type Update, attachTo, beginDeployment, revisionFor } from './begin.ts';
import { giveWay, stateBefore } from './give-way.ts';
import { keepVerified } from './keep-revision.ts';
import { readSituation } from './read-situation.ts';
import { seeThrough } from './see-through.ts';
import { type DeployImageRequest, type NewRevision, type RolloutTools, fromNow } from './rollout.ts';

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

const wishOf = ({ images, edits, roles, settings, desired, writer, onOutdated }: DeployImageRequest): Wish => ({
  ...writer,
  ...(roles === undefined ? {} : { roles }),
  ...(settings === undefined ? {} : { settings }),
  ...(onOutdated === undefined ? {} : { onOutdated }),
  ...(images === undefined ? {} : { images }),
  ...(edits === undefined ? {} : { edits }),
  ...(desired === undefined ? {} : { desired }),
});
