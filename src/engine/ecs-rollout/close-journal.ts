import { type ServiceJournal, endTags, mayWrite } from '../../domain/ecs/journal.ts';
import type { EcsService } from '../../domain/ecs/service.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Following, RolloutTools } from './rollout.ts';

/**
 * The deployment ended whether or not this can be written: told, not thrown. `seen` is a read of this very moment, when the
 * caller has one.
 */
export async function closeJournal(
  { ref, writer, earlierRun, deploymentId }: Pick<Following, 'ref' | 'writer' | 'earlierRun' | 'deploymentId'>,
  { phase, seen }: { readonly phase: ServiceJournal['phase']; readonly seen?: EcsService | undefined },
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  try {
    const [service] = seen === undefined ? await ecs.describeServices([ref], signal) : [seen];
    if (service !== undefined && mayWrite(service, writer.run, earlierRun))
      await ecs.tagService(service.arn, endTags(phase, deploymentId), signal);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    log.warning(`${thrown.message} The tags of ${ref.service} do not show the end of this run`);
  }
}
