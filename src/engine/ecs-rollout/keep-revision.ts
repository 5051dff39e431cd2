import { after } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import { readJournal, sameRelease, writerOf } from '../../domain/ecs/journal.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import { type Situation, type Start, primaryOf } from '../../domain/ecs/start.ts';
import type { EcsDeployment, EcsService } from '../../domain/ecs/service.ts';
import { attachTo } from './begin.ts';
import { ROLL_BACK_WITHIN } from './follow-deployment.ts';
import { closeJournal } from './close-journal.ts';
import { rollBack } from './roll-back.ts';
import { type DeployImageRequest, type RolloutTools, fromNow } from './rollout.ts';
import { settle } from './settle.ts';

interface Kept extends Situation {
  readonly start: Extract<Start, { kind: 'unchanged' | 'settle' | 'scale' }>;
}

/** What runs already is verified too. It is taken back only when an earlier run of this release deployed it and died before its own verdict. */
export async function keepVerified(
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
