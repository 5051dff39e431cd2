import type { Instant } from '../../domain/duration.ts';
import { familyName, revisionName } from '../../domain/ecs/arn.ts';
import { readJournal } from '../../domain/ecs/journal.ts';
import { releaseStack } from '../../domain/ecs/release-history.ts';
import { type CleanUp, decideCleanUp } from '../../domain/ecs/revision-cleanup.ts';
import type { EcsServiceRef } from '../../domain/ecs/service.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure, mayPass, pauseBefore } from '../../domain/retry-policy.ts';
import type { RolloutTools } from './rollout.ts';

export interface CleanUpRequest {
  readonly ref: EcsServiceRef;
  /** Newest revisions that stay in any case. */
  readonly keep: number;
  readonly deadline: Instant;
}

export interface CleanUpPlan extends CleanUp {
  readonly family: string;
  /** ACTIVE revisions now. */
  readonly active: number;
  readonly taskDefinition: string;
}

export interface CleanUpResult extends CleanUpPlan {
  readonly deregistered: readonly string[];
}

/** The two last releases stay, the one that serves and the one that a roll back leads to, and one below for a second step. */
const RELEASES_KEPT = 3;

/** Reads only. */
export async function planCleanUp(
  { ref, keep }: Pick<CleanUpRequest, 'ref' | 'keep'>,
  { ecs }: Pick<RolloutTools, 'ecs'>,
  signal: AbortSignal,
): Promise<CleanUpPlan> {
  const [service] = await ecs.describeServices([ref], signal);
  if (service === undefined)
    throw new Failure({ what: `Could not find ECS service ${ref.service} in cluster ${ref.cluster}` });
  const family = familyName(service.taskDefinition);
  const successful = await ecs.listServiceDeployments(ref, signal, { status: 'SUCCESSFUL' });
  const noted = readJournal(service)?.previousTaskDefinition;
  const stack = releaseStack(successful);
  const releases = [...stack.slice(-RELEASES_KEPT), ...(noted === undefined ? [] : [noted])];
  const active = await ecs.listRevisions(family, signal);
  // Read last: a deployment that begins meanwhile uses one of the newest.
  const inUse = await ecs.revisionsInUse(family, signal);
  const decided = decideCleanUp({ active, inUse, record: stack.length === 0 ? 'empty' : 'read', releases, keep });
  return { ...decided, family, active: active.length, taskDefinition: service.taskDefinition };
}

/** Deregisters what nobody needs, oldest first. Stopped in the middle it has done less; the next run does the rest. */
export async function cleanUp(
  request: CleanUpRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<CleanUpResult> {
  const plan = await planCleanUp(request, tools, signal);
  const deregistered: string[] = [];
  for (const arn of plan.deregister) {
    await deregister(arn, { request, done: deregistered.length, of: plan.deregister.length }, tools, signal);
    tools.log.info(`Deregistered ${revisionName(arn)}`);
    deregistered.push(arn);
  }
  return { ...plan, deregistered };
}

interface Progress {
  readonly request: CleanUpRequest;
  readonly done: number;
  readonly of: number;
}

async function deregister(
  arn: string,
  { request, done, of }: Progress,
  { ecs, clock, log }: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ecs.deregisterTaskDefinition(arn, signal);
    } catch (thrown) {
      if (!(thrown instanceof CloudFailure)) throw thrown;
      if (!mayPass(thrown.kind) || clock.now() >= request.deadline) {
        const now = `${done} of ${of} revisions were deregistered; the others stay as they are, and a re-run goes on`;
        throw new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });
      }
      log.warning(`${thrown.message} Trying again`);
      await clock.sleep(pauseBefore(attempt), signal);
    }
  }
}
