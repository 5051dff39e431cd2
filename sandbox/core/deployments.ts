import { serviceDeploymentArn, serviceRevisionArn } from './arn.ts';
import { settingsWith } from './deployed-settings.ts';
import { breakerThreshold } from './failures.ts';
import { idleSide, RECONCILING, shiftBack } from './native.ts';
import { finish, isOngoing } from './service-deployments.ts';
import { say } from './service-events.ts';
import {
  changeDeployment,
  newNumber,
  newServiceDeploymentId,
  putRevision,
  putService,
  putServiceDeployment,
  type Turn,
  wake,
} from './turn.ts';
import type { Deployment, Service, ServiceDeployment, ServiceRevision, ServiceSpec } from './types.ts';
import { events, rollout, serviceDeploymentReasons } from './wording.ts';

/** A new revision becomes PRIMARY; what was PRIMARY goes on as ACTIVE until its tasks are gone. */
export function deploy(turn: Turn, arn: string, spec: ServiceSpec): void {
  const service = turn.state.services[arn];
  if (service === undefined) return;
  const path = `${service.cluster}/${service.name}`;
  const revision = putRevision(turn, newRevision(turn, service, { path, spec }));
  const superseded = supersede(turn, service);
  const started = putServiceDeployment(turn, {
    arn: serviceDeploymentArn(turn.state, path, newServiceDeploymentId(turn)),
    serviceArn: arn,
    status: 'PENDING',
    statusReason: undefined,
    createdAt: turn.now,
    startedAt: undefined,
    finishedAt: undefined,
    stoppedAt: undefined,
    updatedAt: turn.now,
    sourceRevisionArns: service.deployments.map(({ revisionArn }) => revisionArn),
    targetRevisionArn: revision.arn,
    configuration: spec.configuration,
    failureCount: 0,
    threshold: breakerThreshold(spec.configuration.circuitBreaker, spec.desiredCount),
    rollback: undefined,
    ...(spec.configuration.strategy === undefined ? {} : { native: RECONCILING }),
    ignoredAlarms: namedAlarms(spec.configuration, turn.state.alarms),
    triggeredAlarms: [],
    alarmsUntil: undefined,
  });
  if (superseded?.native !== undefined) shiftBack(turn, service, superseded.targetRevisionArn);
  becomePrimary(turn, arn, { revision, serviceDeploymentArn: started.arn, reason: rollout.inProgress });
  const deployed = turn.state.services[arn];
  if (deployed !== undefined) putService(turn, { ...deployed, loadBalancers: spec.loadBalancers });
}

function newRevision(
  turn: Turn,
  service: Service,
  of: { readonly path: string; readonly spec: ServiceSpec },
): ServiceRevision {
  return {
    arn: serviceRevisionArn(turn.state, of.path, newNumber(turn, 'service-revision')),
    serviceArn: service.arn,
    createdAt: turn.now,
    template: of.spec.template,
    loadBalancers:
      of.spec.configuration.strategy === undefined ? of.spec.loadBalancers : idleSide(turn, service, of.spec),
    settings: of.spec.settings,
  };
}

function supersede(turn: Turn, service: Service): ServiceDeployment | undefined {
  const current = ongoingOf(turn, service);
  if (current === undefined) return undefined;
  return putServiceDeployment(turn, {
    ...current,
    status: 'STOP_REQUESTED',
    statusReason: serviceDeploymentReasons.superseded,
  });
}

interface Primary {
  readonly revision: ServiceRevision;
  readonly serviceDeploymentArn: string;
  readonly reason: (deployment: string) => string;
}

function becomePrimary(turn: Turn, serviceArn: string, primary: Primary): Deployment {
  const id = `ecs-svc/${newNumber(turn, 'deployment')}`;
  const deployment: Deployment = {
    id,
    status: 'PRIMARY',
    revisionArn: primary.revision.arn,
    serviceDeploymentArn: primary.serviceDeploymentArn,
    createdAt: turn.now,
    updatedAt: turn.now,
    failedTasks: 0,
    failureCount: 0,
    failedStarts: 0,
    restartAt: undefined,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: primary.reason(id),
  };
  const service = turn.state.services[serviceArn];
  if (service === undefined) return deployment;
  const older = service.deployments.map((one) => ({ ...one, status: 'ACTIVE' as const }));
  putService(turn, {
    ...service,
    deployments: [deployment, ...older],
    currentServiceDeployment: primary.serviceDeploymentArn,
    loadBalancers: primary.revision.loadBalancers,
    settings: settingsWith(service.settings, primary.revision.settings),
    steady: false,
  });
  wake(turn, serviceArn);
  return deployment;
}

export const ongoingOf = (turn: Turn, service: Service): ServiceDeployment | undefined => {
  const current = turn.state.serviceDeployments[service.currentServiceDeployment ?? ''];
  return current !== undefined && isOngoing(current) ? current : undefined;
};

/** What StopServiceDeployment and UpdateService asked for, done when the scheduler comes by. */
export function advanceServiceDeployments(turn: Turn, serviceArn: string): void {
  for (const one of Object.values(turn.state.serviceDeployments)) {
    if (one.serviceArn !== serviceArn) continue;
    if (one.status === 'PENDING') putServiceDeployment(turn, { ...one, status: 'IN_PROGRESS', startedAt: turn.now });
    if (one.status === 'STOP_REQUESTED') finish(turn, one, 'STOPPED', one.statusReason);
    if (one.status === 'ROLLBACK_REQUESTED') {
      rollBack(turn, serviceArn, {
        state: rollout.userStopped,
        reason: rollout.userRollingBack,
        statusReason: serviceDeploymentReasons.userRolledBack,
        nothing: { status: 'ROLLBACK_FAILED', statusReason: serviceDeploymentReasons.userNothingToRollBackTo },
      });
    }
  }
}

/** Ends the PRIMARY deployment when it failed too often. A rollback that fails is not rolled back again. */
export function judgeBreaker(turn: Turn, serviceArn: string): void {
  const service = turn.state.services[serviceArn];
  const primary = service?.deployments[0];
  if (service === undefined || primary === undefined || primary.rolloutState !== 'IN_PROGRESS') return;
  const { circuitBreaker, strategy } = service.configuration;
  // AWS's own pages disagree on whether the breaker judges native strategies: here it does not, which is the harder case.
  if (strategy !== undefined) return;
  const threshold = breakerThreshold(circuitBreaker, service.desiredCount);
  if (!circuitBreaker.enable || primary.failureCount < threshold) return;
  say(turn, serviceArn, events.failed(service.name, primary.id));
  const current = turn.state.serviceDeployments[primary.serviceDeploymentArn];
  if (current?.status === 'ROLLBACK_IN_PROGRESS') {
    setRollout(turn, serviceArn, primary.id, { state: 'FAILED', reason: rollout.breakerFailed });
    finish(turn, current, 'ROLLBACK_FAILED', serviceDeploymentReasons.rollbackFailed);
    return;
  }
  if (!circuitBreaker.rollback) {
    setRollout(turn, serviceArn, primary.id, { state: 'FAILED', reason: rollout.breakerFailed });
    if (current !== undefined) finish(turn, current, 'STOPPED', serviceDeploymentReasons.breakerStopped);
    return;
  }
  rollBack(turn, serviceArn, {
    state: rollout.breakerFailed,
    reason: rollout.breakerRollingBack,
    statusReason: serviceDeploymentReasons.breakerRolledBack,
    nothing: { status: 'STOPPED', statusReason: serviceDeploymentReasons.breakerNothingToRollBackTo },
  });
}

/** Ends a deployment whose alarm went off; without `rollback` what runs by then stays. */
export function judgeAlarms(turn: Turn, serviceArn: string): void {
  const service = turn.state.services[serviceArn];
  const primary = service?.deployments[0];
  const current = service === undefined ? undefined : ongoingOf(turn, service);
  if (service === undefined || primary === undefined || current?.status !== 'IN_PROGRESS') return;
  const triggeredAlarms = namedAlarms(service.configuration, turn.state.alarms).filter(
    (name) => !current.ignoredAlarms.includes(name),
  );
  if (triggeredAlarms.length === 0) return;
  const triggered = putServiceDeployment(turn, { ...current, triggeredAlarms });
  if (service.configuration.alarms?.rollback !== true) {
    setRollout(turn, serviceArn, primary.id, { state: 'FAILED', reason: rollout.alarmFailed });
    finish(turn, triggered, 'STOPPED', serviceDeploymentReasons.alarmStopped);
    return;
  }
  rollBack(turn, serviceArn, {
    state: rollout.alarmFailed,
    reason: rollout.alarmRollingBack,
    statusReason: serviceDeploymentReasons.alarmRolledBack,
    nothing: { status: 'STOPPED', statusReason: serviceDeploymentReasons.alarmNothingToRollBackTo },
  });
}

const namedAlarms = ({ alarms }: ServiceSpec['configuration'], inAlarm: readonly string[]): readonly string[] =>
  (alarms?.names ?? []).filter((name) => inAlarm.includes(name));

interface RollbackWords {
  readonly state: string;
  readonly reason: (deployment: string) => string;
  readonly statusReason: string;
  readonly nothing: { readonly status: 'STOPPED' | 'ROLLBACK_FAILED'; readonly statusReason: string };
}

/** The last completed revision becomes PRIMARY again, under a new deployment id and the same service deployment. */
function rollBack(turn: Turn, serviceArn: string, words: RollbackWords): void {
  const service = turn.state.services[serviceArn];
  const primary = service?.deployments[0];
  const current = turn.state.serviceDeployments[primary?.serviceDeploymentArn ?? ''];
  if (service === undefined || primary === undefined || current === undefined) return;
  setRollout(turn, serviceArn, primary.id, { state: 'FAILED', reason: words.state });
  const revision = turn.state.revisions[service.lastCompletedRevision ?? ''];
  if (revision === undefined) {
    finish(turn, current, words.nothing.status, words.nothing.statusReason);
    return;
  }
  putServiceDeployment(turn, {
    ...current,
    status: 'ROLLBACK_IN_PROGRESS',
    statusReason: words.statusReason,
    rollback: { reason: words.statusReason, startedAt: turn.now, revisionArn: revision.arn },
  });
  const primaryAgain = { revision, serviceDeploymentArn: current.arn, reason: words.reason };
  const back = current.native === undefined ? undefined : returnToLive(turn, service, primaryAgain);
  const { id } = back ?? becomePrimary(turn, serviceArn, primaryAgain);
  say(turn, serviceArn, events.rollingBack(service.name, id));
}

/** A native strategy has kept the tasks of before: traffic goes back to them, and their deployment is PRIMARY again. */
function returnToLive(turn: Turn, service: Service, primary: Primary): Deployment | undefined {
  shiftBack(turn, service, service.deployments[0]?.revisionArn ?? '');
  const changed = turn.state.services[service.arn] ?? service;
  const live = changed.deployments.find(({ revisionArn }) => revisionArn === primary.revision.arn);
  if (live === undefined) return undefined;
  const back: Deployment = {
    ...live,
    status: 'PRIMARY',
    serviceDeploymentArn: primary.serviceDeploymentArn,
    updatedAt: turn.now,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: primary.reason(live.id),
  };
  const others = changed.deployments.filter(({ id }) => id !== live.id);
  const left = others.map((one) => ({ ...one, status: 'ACTIVE' as const }));
  const settings = settingsWith(changed.settings, primary.revision.settings);
  putService(turn, { ...changed, deployments: [back, ...left], settings, steady: false });
  wake(turn, service.arn);
  return back;
}

/** All tasks of the PRIMARY are healthy and nobody else's are left. */
export function complete(turn: Turn, serviceArn: string): void {
  const service = turn.state.services[serviceArn];
  const primary = service?.deployments[0];
  if (service === undefined || primary === undefined) return;
  setRollout(turn, serviceArn, primary.id, { state: 'COMPLETED', reason: rollout.completed(primary.id) });
  const changed = turn.state.services[serviceArn];
  if (changed !== undefined) putService(turn, { ...changed, lastCompletedRevision: primary.revisionArn });
  say(turn, serviceArn, events.completed(service.name, primary.id));
  const current = turn.state.serviceDeployments[primary.serviceDeploymentArn];
  if (current === undefined || !isOngoing(current)) return;
  if (current.status === 'ROLLBACK_IN_PROGRESS') finish(turn, current, 'ROLLBACK_SUCCESSFUL', current.statusReason);
  else finish(turn, current, 'SUCCESSFUL', undefined);
}

interface RolloutChange {
  readonly state: Deployment['rolloutState'];
  readonly reason: string;
}

function setRollout(turn: Turn, serviceArn: string, id: string, change: RolloutChange): void {
  changeDeployment(turn, serviceArn, id, (one) => ({
    ...one,
    rolloutState: change.state,
    rolloutStateReason: change.reason,
  }));
}
