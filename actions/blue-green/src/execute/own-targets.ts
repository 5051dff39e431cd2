import type { TargetHealth } from '../../../../src/domain/shift/live-color.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { Acting } from './acting.ts';

/**
 * Targets of the candidate that its own deployment brought, asked for while a first step waits for them: a target of
 * another service in the same group, or a task of before, says nothing of what is released. What cannot be read is an
 * error, not a guess. undefined: not asked for, or there is no service whose tasks could be known.
 */
export async function ownTargets(
  record: ShiftRecord | undefined,
  { ports, release, memory }: Acting,
  signal: AbortSignal,
): Promise<TargetHealth | undefined> {
  const { ecs, goal } = release;
  if (record === undefined || ecs === undefined || goal.deploy === 'none' || memory.engaged === 'no') return undefined;
  const isDeployed = record.phase === 'preparing' && memory.deployed?.kind === 'good';
  const isNext = record.phase === 'prepared' && goal.mode !== 'prepare';
  if (!isDeployed && !isNext) return undefined;
  const ref = { cluster: ecs.cluster, service: ecs.services[record.candidate] };
  const [service] = await ports.ecs.describeServices([ref], signal);
  const deployment = service?.deployments.find(({ status }) => status === 'PRIMARY');
  const places = deployment === undefined ? [] : await ports.ecs.placesOf(ref, deployment.id, signal);
  if (places.length === 0)
    return { healthy: 0, total: 0, reasons: [`${ref.service} has no running task of its deployment`] };
  return ports.targets.health(record.candidate, signal, places);
}
