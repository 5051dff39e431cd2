import { type Instant, formatInstant, formatTimeOfDay } from '../duration.ts';
import { revisionName } from './arn.ts';
import { releaseBelow } from './go-back.ts';
import { readJournal } from './journal.ts';
import { releaseStack } from './release-history.ts';
import { type ScalingLimits, describeLimits } from './scaling.ts';
import type { EcsDeployment, EcsService, ServiceDeployment, TaskDefinition } from './service.ts';
import { imagesOf } from './task-definition.ts';

export interface ServiceStatus {
  readonly service: EcsService;
  readonly current: TaskDefinition;
  /** ECS's record of the last deployment, when it may be read. */
  readonly serviceDeployment?: ServiceDeployment;
  /** Newest first. */
  readonly successful: readonly ServiceDeployment[];
  /** Of Application Auto Scaling, when it scales the service and may be asked. */
  readonly limits?: ScalingLimits;
}

const LAST_EVENTS = 3;

/** Where a roll back would lead now; undefined: nowhere. */
export function rollbackTarget({
  service,
  successful,
}: Pick<ServiceStatus, 'service' | 'successful'>): string | undefined {
  return service.status === 'ACTIVE' ? releaseBelow(service, releaseStack(successful)) : undefined;
}

/** PURE. What is live, a line each, the most asked for first. */
export function describeStatus(status: ServiceStatus): readonly string[] {
  const { service, current } = status;
  const images = Object.entries(imagesOf(current.body)).map(([container, image]) => `  ${container}: ${image}`);
  const back = rollbackTarget(status);
  const counts = `${service.running} of ${service.desired} tasks running, ${service.pending} pending`;
  const last = revisionName(service.taskDefinition);
  return [
    service.status === 'ACTIVE'
      ? `${service.ref.service} is ACTIVE and runs ${last}: ${counts}`
      : `${service.ref.service} is ${service.status}: it was deleted and has to be created again; its last revision was ${last}, ${counts}`,
    ...images,
    ...(status.limits === undefined ? [] : [describeLimits(status.limits)]),
    ...service.deployments.map(describeDeployment),
    ...describeRecord(status.serviceDeployment),
    ...describeJournal(service),
    back === undefined ? 'A roll back would lead nowhere' : `A roll back would lead to ${revisionName(back)}`,
    ...describeBreaker(service),
    ...service.events.slice(0, LAST_EVENTS).map(({ at, message }) => `${formatTimeOfDay(at)} UTC ${message}`),
  ];
}

function describeDeployment({
  status,
  taskDefinition,
  desired,
  running,
  pending,
  failed,
  ...more
}: EcsDeployment): string {
  const state = more.rolloutState === undefined ? '' : `, ${more.rolloutState}`;
  const since = more.createdAt === undefined ? '' : `, since ${formatInstant(more.createdAt)}`;
  const counts = `${running} of ${desired} running, ${pending} pending, ${failed} failed`;
  return `Deployment ${status} of ${revisionName(taskDefinition)}: ${counts}${state}${since}`;
}

function describeRecord(record: ServiceDeployment | undefined): readonly string[] {
  if (record === undefined) return [];
  const until = (at: Instant | undefined): string => (at === undefined ? '' : `, ended ${formatInstant(at)}`);
  const why = record.statusReason === undefined ? '' : ` (${record.statusReason})`;
  const stage = record.lifecycleStage === undefined ? '' : ` at ${record.lifecycleStage}`;
  return [`ECS's record of the last deployment: ${record.status}${stage}${why}${until(record.finishedAt)}`];
}

function describeJournal(service: EcsService): readonly string[] {
  const journal = readJournal(service);
  if (journal === undefined) return ['No release of this action is noted in its tags'];
  return [`Last release of this action: ${journal.release}, ${journal.phase}, by run ${journal.run}`];
}

function describeBreaker({ circuitBreaker }: EcsService): readonly string[] {
  if (circuitBreaker?.enable !== true) return ['The deployment circuit breaker is off'];
  return circuitBreaker.rollback
    ? []
    : ['The deployment circuit breaker stops a bad deployment and does not roll it back'];
}
