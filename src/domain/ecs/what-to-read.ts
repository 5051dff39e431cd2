import { type Duration, type Instant, minutes, seconds } from '../duration.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from './service.ts';
import { judgedByRecord } from './strategy.ts';

/*
 * A look costs one call and not two. The service lists counts, events and nearly every turn; ECS's record of the deployment
 * alone knows the judgement of alarms and native strategies. The one that shows the end is read at each look, the other where
 * something has changed or it has grown old.
 */

/** How old the record may get while the list of deployments, which shows the end by itself, shows nothing new. */
const RECORD_AGES: Duration = minutes(10);
/** The same where the record alone knows the end: one look may be made without it. */
const JUDGING_RECORD_AGES: Duration = seconds(8);
/** The service is read once in each span of this length, the same for all that are followed together: so that ten ride in one call. */
const SERVICE_EVERY: Duration = seconds(20);

export interface RecordQuestion {
  /** Just read. */
  readonly service: EcsService;
  readonly deploymentId: string | undefined;
  /** As it was read last; absent: it never was. */
  readonly record: ServiceDeployment | undefined;
  /** Since it was read, or since ours began. */
  readonly age: Duration;
}

/** Whether ECS's record has to be read too. It settles what the list leaves open: ours is not PRIMARY, not listed, or not in progress any more. */
export function needsRecord({ service, deploymentId, record, age }: RecordQuestion): boolean {
  if (record !== undefined && !isUnderWay(record)) return true;
  const ages = judgedByRecord(service) ? JUDGING_RECORD_AGES : RECORD_AGES;
  return primaryIs(service, deploymentId)?.rolloutState !== 'IN_PROGRESS' || age >= ages;
}

export interface FirstQuestion {
  /** As it was read last, and when; absent: it never was. */
  readonly service: { readonly seen: EcsService; readonly at: Instant } | undefined;
  readonly record: ServiceDeployment | undefined;
  readonly deploymentId: string | undefined;
  readonly now: Instant;
}

/** What a look reads first. The record where it alone knows the end, so long as the service was read lately. */
export function readsFirst({ service, record, deploymentId, now }: FirstQuestion): 'service' | 'record' {
  if (service === undefined || record === undefined || !judgedByRecord(service.seen)) return 'service';
  const ours = primaryIs(service.seen, deploymentId);
  const going = isUnderWay(record) && ours !== undefined && ours.rolloutState !== 'FAILED';
  return going && spanOf(service.at) === spanOf(now) ? 'record' : 'service';
}

/**
 * What a record that was just read says of the service that was read before it. `current`: nothing new. `next-look`: a new
 * stage began, whose events and counts can wait for one look. `now`: an end, a failed task, an alarm.
 */
export function serviceIsDue(
  before: ServiceDeployment,
  record: ServiceDeployment | undefined,
): 'current' | 'next-look' | 'now' {
  if (record === undefined || !isUnderWay(record) || record.status !== before.status) return 'now';
  const sameFailures = record.circuitBreaker?.failures === before.circuitBreaker?.failures;
  const sameAlarms = record.triggeredAlarms?.length === before.triggeredAlarms?.length;
  if (!sameFailures || !sameAlarms) return 'now';
  return record.lifecycleStage === before.lifecycleStage ? 'current' : 'next-look';
}

const spanOf = (at: Instant): number => Math.floor(at / SERVICE_EVERY);

const isUnderWay = ({ status }: ServiceDeployment): boolean => status === 'IN_PROGRESS' || status === 'PENDING';

const primaryIs = ({ deployments }: EcsService, deploymentId: string | undefined): EcsDeployment | undefined =>
  deployments.find(({ id, status }) => id === deploymentId && status === 'PRIMARY');
