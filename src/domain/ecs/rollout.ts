import {
  type Duration,
  type Instant,
  after,
  between,
  formatDuration,
  milliseconds,
  minutes,
  seconds,
} from '../duration.ts';
import { fnv1a } from '../fingerprint.ts';
import { revisionName } from './arn.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from './service.ts';
import { judgedByRecord, movesTraffic, progressOf } from './strategy.ts';

/**
 * One deployment that is followed, and what earlier looks at it have shown. A value: each look gives the next one, so a
 * whole rollout can be replayed.
 */
export interface RolloutWatch {
  readonly taskDefinition: string;
  /** From the answer of UpdateService, or learnt from the first read that shows a new deployment of our revision. */
  readonly deploymentId?: string;
  /** Deployments that were there before ours. ECS is eventually consistent: a read that lists only these is an old one. */
  readonly earlierDeployments: readonly string[];
  readonly startedAt: Instant;
  readonly deadline: Instant;
  /** How long a way back that ECS began by itself may take. */
  readonly rollbackWithin: Duration;
  /** The earlier good revision. ECS's own roll back never ends without one, and leads to it. */
  readonly goesBackTo?: string;
  readonly memory: RolloutMemory;
}

export interface RolloutMemory {
  /** A read after the update listed ours. */
  readonly listed: boolean;
  /** Why ECS gave ours up; it stays known when ours is no longer listed. */
  readonly failure?: string;
  /** Reads in a row in which the counts were right: the fallback where ECS tells no rollout state. */
  readonly steadyReads: number;
  readonly missingSince?: Instant;
  readonly rollingBackSince?: Instant;
  /** First look at which the last stage, the bake of a native strategy, was under way. */
  readonly bakingSince?: Instant;
}

export const NOTHING_SEEN: RolloutMemory = { listed: false, steadyReads: 0 };

export interface RolloutSighting {
  readonly service: EcsService;
  /** Ours, when it is known and may be read. */
  readonly serviceDeployment?: ServiceDeployment;
}

/**
 * `rolling-back` and `in-progress` go on; the others are the end. `rolled-back` means that the earlier revision is steady
 * again, and is never a success of the release (a waiter that looks at counts alone says it is).
 */
export type RolloutState =
  | { readonly kind: 'in-progress'; readonly stage: string }
  | { readonly kind: 'rolling-back'; readonly reason: string; readonly until: Instant }
  | { readonly kind: 'succeeded'; readonly reason: string }
  | { readonly kind: 'rolled-back'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'superseded'; readonly reason: string }
  | { readonly kind: 'timed-out'; readonly reason: string };

export interface Look {
  readonly watch: RolloutWatch;
  readonly state: RolloutState;
}

/** Counts are believed after this many reads in a row. */
const STEADY_READS = 2;
/** Ours was listed and is gone: a lagging read would show it again within this time. */
const GONE_AFTER = seconds(30);
/** ECS's own rule for its circuit breaker: half of the desired count, at least 3, at most 200. */
const failureLimit = (desired: number): number => Math.min(200, Math.max(3, Math.ceil(desired / 2)));

/** Reads one sighting: what is true of our deployment now, and what to remember for the next look. */
export function look(before: RolloutWatch, sighting: RolloutSighting, now: Instant): Look {
  const ours = findOurs(before, sighting.service);
  const watch = rememberBake(remember(before, ours, sighting.service, now), sighting, now);
  const state = judge(watch, ours, sighting, now);
  if (state.kind !== 'rolling-back' || watch.memory.rollingBackSince !== undefined) return { watch, state };
  return { watch: { ...watch, memory: { ...watch.memory, rollingBackSince: now } }, state };
}

function findOurs(watch: RolloutWatch, service: EcsService): EcsDeployment | undefined {
  if (watch.deploymentId !== undefined) return service.deployments.find(({ id }) => id === watch.deploymentId);
  return service.deployments.find(
    ({ id, taskDefinition }) => taskDefinition === watch.taskDefinition && !watch.earlierDeployments.includes(id),
  );
}

function remember(
  watch: RolloutWatch,
  ours: EcsDeployment | undefined,
  service: EcsService,
  now: Instant,
): RolloutWatch {
  const { memory } = watch;
  if (ours === undefined) {
    const missingSince = memory.listed ? { missingSince: memory.missingSince ?? now } : {};
    const told = memory.failure ?? failureTold(watch.deploymentId, service);
    const failure = told === undefined ? {} : { failure: told };
    return { ...watch, memory: { ...memory, steadyReads: 0, ...missingSince, ...failure } };
  }
  const { missingSince: _, ...known } = memory;
  const failure = memory.failure ?? failureOf(ours, service);
  return {
    ...watch,
    deploymentId: ours.id,
    memory: {
      ...known,
      listed: true,
      steadyReads: countsAreRight(ours, service) ? memory.steadyReads + 1 : 0,
      ...(failure === undefined ? {} : { failure }),
    },
  };
}

function rememberBake(watch: RolloutWatch, { serviceDeployment }: RolloutSighting, now: Instant): RolloutWatch {
  const { bakingSince = now, ...memory } = watch.memory;
  return { ...watch, memory: serviceDeployment?.lifecycleStage === 'BAKE_TIME' ? { ...memory, bakingSince } : memory };
}

/** ECS's verdict, or, for a service without a circuit breaker, the same rule applied here: ECS would try for ever. */
function failureOf(ours: EcsDeployment, service: EcsService): string | undefined {
  if (ours.rolloutState === 'FAILED') return ours.rolloutStateReason ?? 'ECS marked the deployment as failed';
  // AWS's pages disagree on whether the breaker judges native strategies, so nothing is left to it there.
  const byBreaker = service.circuitBreaker?.enable === true && !movesTraffic(service);
  if (byBreaker || ours.rolloutState === 'COMPLETED') return undefined;
  const limit = failureLimit(ours.desired);
  return ours.failed >= limit
    ? `${ours.failed} tasks failed in a row (limit ${limit}; ${movesTraffic(service) ? `no circuit breaker is known to end the strategy ${service.strategy}` : 'the service has no circuit breaker of its own'})`
    : undefined;
}

/**
 * ECS's own words in an event (developerguide: service-event-messages). A way back that is over between two looks leaves
 * nothing else of the deployment that it took back, and its own would look like somebody else's.
 */
function failureTold(id: string | undefined, { events }: EcsService): string | undefined {
  const sign = `(deployment ${id}) deployment failed: `;
  const told = events.find(({ message }) => id !== undefined && message.includes(sign))?.message;
  return told && `ECS deployment failed: ${told.slice(told.indexOf(sign) + sign.length)}`;
}

const countsAreRight = (ours: EcsDeployment, service: EcsService): boolean =>
  ours.status === 'PRIMARY' && service.deployments.length === 1 && ours.running === ours.desired && ours.pending === 0;

function judge(
  watch: RolloutWatch,
  ours: EcsDeployment | undefined,
  sighting: RolloutSighting,
  now: Instant,
): RolloutState {
  const { status } = sighting.service;
  if (isDeleted(sighting.service)) return { kind: 'failed', reason: `the service was deleted (it is ${status})` };
  const told = judgeServiceDeployment(watch, sighting, now);
  if (told !== undefined) return told;
  const primary = sighting.service.deployments.find(({ status }) => status === 'PRIMARY');
  const seen =
    ours !== undefined && primary?.id === ours.id
      ? judgeOurs(watch, ours, sighting, now)
      : judgeWithoutOurs(watch, { ours, primary, service: sighting.service }, now);
  if (seen.kind !== 'in-progress' || now < watch.deadline) return seen;
  return {
    kind: 'timed-out',
    reason: `not steady after ${formatDuration(between(watch.startedAt, now))}: ${seen.stage}`,
  };
}

export const isDeleted = ({ status }: Pick<EcsService, 'status'>): boolean =>
  status === 'DRAINING' || status === 'INACTIVE';

/** The service deployment is one record of one deployment, so its verdict is not open to a stale list of deployments. */
function judgeServiceDeployment(
  watch: RolloutWatch,
  { service, serviceDeployment }: RolloutSighting,
  now: Instant,
): RolloutState | undefined {
  if (serviceDeployment === undefined) return undefined;
  const why = serviceDeployment.statusReason ?? watch.memory.failure;
  switch (serviceDeployment.status) {
    case 'SUCCESSFUL':
      return succeeded(service, watch);
    case 'ROLLBACK_SUCCESSFUL':
      return { kind: 'rolled-back', reason: why ?? 'ECS rolled the deployment back' };
    case 'ROLLBACK_FAILED':
      return {
        kind: 'failed',
        reason: `ECS could not roll the deployment back${why === undefined ? '' : ` (${why})`}`,
      };
    case 'ROLLBACK_REQUESTED':
    case 'ROLLBACK_IN_PROGRESS':
      return rollingBack(watch, why ?? 'ECS is rolling the deployment back', now);
    case 'STOPPED': {
      const newer = supersedingDeployment(watch, service);
      return newer
        ? superseded(newer, watch.memory.failure)
        : { kind: 'failed', reason: why ?? 'the deployment was stopped' };
    }
    default:
      return undefined;
  }
}

function judgeOurs(
  watch: RolloutWatch,
  ours: EcsDeployment,
  { service, serviceDeployment }: RolloutSighting,
  now: Instant,
): RolloutState {
  if (watch.memory.failure !== undefined) return judgeFailure(watch, watch.memory.failure, service, now);
  const stage = stageOf(ours, serviceDeployment);
  if (ours.rolloutState === 'IN_PROGRESS') return { kind: 'in-progress', stage };
  // The tasks are as wanted long before the traffic is, and before the alarms have had their time.
  if (judgedByRecord(service)) {
    const judge =
      serviceDeployment === undefined ? ", and ECS's record of its end cannot be read" : ', ECS still judges it';
    return {
      kind: 'in-progress',
      stage: ours.rolloutState === undefined && serviceDeployment !== undefined ? stage : `${stage}${judge}`,
    };
  }
  if (ours.rolloutState === 'COMPLETED') return succeeded(service, watch);
  return watch.memory.steadyReads >= STEADY_READS ? succeeded(service, watch) : { kind: 'in-progress', stage };
}

/** ECS gave ours up. Whether it goes back by itself depends on the service, and on there being something to go back to. */
function judgeFailure(watch: RolloutWatch, failure: string, service: EcsService, now: Instant): RolloutState {
  if (movesTraffic(service)) return { kind: 'failed', reason: failure };
  const byItself = service.circuitBreaker?.rollback === true || service.alarms?.rollback === true;
  return byItself && watch.goesBackTo !== undefined
    ? rollingBack(watch, failure, now)
    : { kind: 'failed', reason: failure };
}

interface WithoutOurs {
  readonly ours: EcsDeployment | undefined;
  readonly primary: EcsDeployment | undefined;
  readonly service: EcsService;
}

/** Another deployment is PRIMARY: an old read, ECS's way back, or somebody else's deployment. */
function judgeWithoutOurs(watch: RolloutWatch, { ours, primary, service }: WithoutOurs, now: Instant): RolloutState {
  const { memory } = watch;
  if (primary === undefined) return { kind: 'in-progress', stage: 'the service lists no deployment yet' };
  const earlier = watch.earlierDeployments.includes(primary.id);
  const gone = memory.missingSince !== undefined && between(memory.missingSince, now) >= GONE_AFTER;
  if (isWayBack(watch, primary) || (earlier && (ours !== undefined || gone)))
    return judgeWayBack(watch, primary, service, now);
  if (earlier)
    return { kind: 'in-progress', stage: `the service does not list ${revisionName(watch.taskDefinition)} yet` };
  return superseded(primary, memory.failure);
}

/** After ours failed, what ECS begins leads to the revision before, or says that it goes back; anything else is of somebody else. */
function isWayBack({ earlierDeployments, goesBackTo, memory }: RolloutWatch, primary: EcsDeployment): boolean {
  if (/roll(ing|ed)? ?back/i.test(primary.rolloutStateReason ?? '')) return true;
  return (
    memory.failure !== undefined && (earlierDeployments.includes(primary.id) || primary.taskDefinition === goesBackTo)
  );
}

function judgeWayBack(watch: RolloutWatch, primary: EcsDeployment, service: EcsService, now: Instant): RolloutState {
  const reason = watch.memory.failure ?? primary.rolloutStateReason ?? 'ECS rolled the deployment back';
  if (primary.rolloutState === 'FAILED')
    return { kind: 'failed', reason: `${reason}; the way back to ${revisionName(primary.taskDefinition)} failed too` };
  const steady =
    primary.rolloutState === 'COMPLETED' || (primary.rolloutState === undefined && countsAreRight(primary, service));
  return steady ? { kind: 'rolled-back', reason } : rollingBack(watch, reason, now);
}

function rollingBack(watch: RolloutWatch, reason: string, now: Instant): RolloutState {
  const until = after(watch.memory.rollingBackSince ?? now, watch.rollbackWithin);
  if (now < until) return { kind: 'rolling-back', reason, until };
  return {
    kind: 'timed-out',
    reason: `${reason}; the way back is not done after ${formatDuration(watch.rollbackWithin)}`,
  };
}

function supersedingDeployment(watch: RolloutWatch, service: EcsService): EcsDeployment | undefined {
  return service.deployments.find(
    (each) =>
      each.status === 'PRIMARY' &&
      each.id !== watch.deploymentId &&
      !watch.earlierDeployments.includes(each.id) &&
      !(watch.memory.failure !== undefined && isWayBack(watch, each)),
  );
}

const superseded = (by: EcsDeployment, failure: string | undefined): RolloutState => ({
  kind: 'superseded',
  reason: `another deployment took over: ${revisionName(by.taskDefinition)} (${by.id})${failure === undefined ? '' : `; ours had failed before (${failure.replace(/[.\s]+$/, '')})`}`,
});

function succeeded(service: EcsService, watch: RolloutWatch): RolloutState {
  const revision = revisionName(watch.taskDefinition);
  const reason =
    service.desired === 0
      ? `${revision} is deployed, but the service wants 0 tasks, so nothing runs`
      : `${service.running} of ${service.desired} tasks run ${revision}`;
  return { kind: 'succeeded', reason };
}

/** `2 of 3 running, 1 pending, 0 failed`: what a waiting line shows. */
export function stageOf(ours: EcsDeployment, serviceDeployment?: ServiceDeployment): string {
  const breaker = serviceDeployment?.circuitBreaker;
  const failed =
    breaker !== undefined && breaker.threshold > 0
      ? `${Math.max(ours.failed, breaker.failures)} failed (limit ${breaker.threshold})`
      : `${ours.failed} failed`;
  const progress = serviceDeployment === undefined ? '' : progressOf(serviceDeployment);
  return `${ours.running} of ${ours.desired} running, ${ours.pending} pending, ${failed}${progress === '' ? '' : `, ${progress}`}`;
}

/** A look may have come so long after the bake began, and ECS's clock may differ a little. */
const BAKE_SEEN_LATE: Duration = seconds(15);

/** While ECS bakes, a success cannot come: how long from now that is so. Absent or below zero: it may come at any time. */
export function quietFor({ memory }: RolloutWatch, service: EcsService, now: Instant): Duration | undefined {
  if (memory.bakingSince === undefined || service.pauses === undefined) return undefined;
  return milliseconds(memory.bakingSince + service.pauses.bake - BAKE_SEEN_LATE - now);
}

const SLOW_LOOK = seconds(10);

/**
 * Time to the next look; doubled for each throttled or failed read in a row, to 40 s. Chosen for two goals at once
 * (bench/deploy-ecs): the end is seen 3 s later on average at most, and a rollout costs no more than one call in 5 s and 8.
 * While nothing but a failure can come (`quiet`), it is 10 s. `spread` (0.97..1.03) keeps the jobs of one matrix from asking in step.
 */
export function pollInterval(
  age: Duration,
  unreadable: number,
  spread: number,
  quiet: Duration = seconds(0),
): Duration {
  const base = age < seconds(20) ? 5_000 : age < minutes(10) ? 5_700 : SLOW_LOOK;
  const wanted = Math.max(base, Math.min(quiet, SLOW_LOOK));
  return Math.min(wanted * 2 ** unreadable * spread, seconds(40)) as Duration;
}

/** A number in 0.97..1.03 that is the same for the same text (FNV-1a): spreads polls without chance, so that runs can be replayed. */
export const spreadOf = (text: string): number => 0.97 + (0.06 * fnv1a(text)) / 0xffffffff;
