import { type ApprovalDemand, requireApproval } from '../domain/approval/require.ts';
import { Failure } from '../domain/failure.ts';
import type { ActionTools } from './action.ts';

interface Demand {
  readonly approval: ApprovalDemand;
  readonly dryRun: 'yes' | 'no';
}

/** Before credentials are asked for, so before anything at all is touched. */
export async function checkApproval(
  { approval, dryRun }: Demand,
  { run, clock, log }: Pick<ActionTools, 'run' | 'clock' | 'log'>,
): Promise<void> {
  if (approval.kind === 'none') return;
  const { sha256 } = await import('../adapters/system/digest.ts');
  try {
    const grant = requireApproval(approval, { repository: run.repository, now: clock.now(), sha256 });
    if (grant !== undefined)
      log.info(`Approved for ${grant.environment} by grant ${grant.id}, until ${grant.expiresAt}`);
  } catch (thrown) {
    // What a plan shows is often what is asked approval for.
    if (!(thrown instanceof Failure) || dryRun === 'no') throw thrown;
    log.info(`A run would be refused now. ${thrown.message}`);
  }
}
