import { formatInstant } from '../duration.ts';
import { readJournal } from './journal.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from './service.ts';
import { movesTraffic } from './strategy.ts';

/** Whose deployment is in flight, as far as the service's tags and ECS know: `since ..., 4 tasks failed; ...`. */
export function whoseDeployment(service: EcsService, primary: EcsDeployment | undefined): string {
  const journal = readJournal(service);
  const by =
    journal === undefined
      ? 'the tags of the service name no release of this action'
      : `the tags of the service name release ${journal.release} of run ${journal.run}, ${journal.phase}`;
  const since = primary?.createdAt === undefined ? [] : [`since ${formatInstant(primary.createdAt)}`];
  const failed = primary === undefined || primary.failed === 0 ? [] : [`${primary.failed} tasks failed`];
  return [...since, ...failed, by].join(', ');
}

export const wayPast = (primary: EcsDeployment | undefined): string =>
  (primary?.failed ?? 0) > 0
    ? 'Where its tasks fail again and again it may have no end: take it back by mode: rollback, or set on-conflict to stop'
    : 'Wait for its end and re-run, or set on-conflict to wait or stop';

/**
 * A deployment that its own run gave up and left as it is (`on-failure: leave`): without a circuit breaker ECS would try for
 * ever, so the release that mends it does not wait. Only the very deployment that the tags name, and only where an update
 * may replace one that is in flight.
 */
export function isLeftAsFailed(
  service: EcsService,
  primary: EcsDeployment | undefined,
  record: ServiceDeployment | undefined,
): boolean {
  const journal = readJournal(service);
  const named = journal?.phase === 'failed' && primary !== undefined && journal.failedDeployment === primary.id;
  const ends = record !== undefined && record.status !== 'IN_PROGRESS';
  return named && !ends && !movesTraffic(service);
}
