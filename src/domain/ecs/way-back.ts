import { type Duration, type Instant, between, formatDuration, seconds } from '../duration.ts';
import { revisionName } from './arn.ts';
import { mayWrite } from './journal.ts';
import type { EcsDeployment, EcsService, ServiceDeployment, ServiceSettings } from './service.ts';
import { primaryOf } from './start.ts';
import { movesTraffic, progressOf } from './strategy.ts';

/** What is to be undone. */
export interface Undoing {
  readonly taskDefinition: string;
  readonly previousTaskDefinition?: string;
  readonly previousDesired?: number;
  /** Of the service, from before, where they are others. */
  readonly previousSettings?: ServiceSettings;
  /** The revision is that of before, and its images are pinned: the settings alone are to be taken back. */
  readonly settingsAlone?: true;
  /** Absent: it is not known whether the update was ever taken. */
  readonly deploymentId?: string;
  readonly run: string;
  /** Whom the tags named before. */
  readonly earlierRun?: string;
  readonly startedAt: Instant;
  readonly deadline: Instant;
}

/** What this process did about it so far. */
export interface WayBackSteps {
  /** `refused`: ECS does not stop it (any more), so an update has to do it. */
  readonly stop: 'not-asked' | 'asked' | 'refused';
  /** Id of the deployment that leads back, once the update was sent; `unknown` while no read shows it. */
  readonly update?: string;
  readonly desired: 'not-asked' | 'asked';
  readonly settings: 'not-asked' | 'asked';
}

export interface WayBackSighting {
  readonly service: EcsService;
  /** The deployment that is undone. */
  readonly serviceDeployment?: ServiceDeployment;
  /** The one that leads back, where its record alone tells its end (domain/ecs/strategy.ts). */
  readonly wayBack?: ServiceDeployment;
}

export type WayBackDecision =
  | { readonly kind: 'stop' }
  /** `force`: the revision is the one that runs. */
  | { readonly kind: 'update'; readonly to: string; readonly desired?: number; readonly force?: true }
  | { readonly kind: 'restore-desired'; readonly desired: number }
  | { readonly kind: 'restore-settings'; readonly settings: ServiceSettings }
  | { readonly kind: 'wait'; readonly for: string }
  | {
      readonly kind: 'done';
      readonly outcome: 'rolled-back' | 'failed' | 'superseded' | 'timed-out';
      readonly reason: string;
    };

/** An update that was cut off may still arrive; a read that does not show it is believed after this time. */
const UPDATE_ARRIVES_WITHIN: Duration = seconds(10);

/**
 * PURE. One step of the way back. Safe to call from any state: before the update, in the middle of ECS's own roll back, and
 * after the end of it.
 */
export function decideWayBack(
  undoing: Undoing,
  steps: WayBackSteps,
  sighting: WayBackSighting,
  now: Instant,
): WayBackDecision {
  const { service, serviceDeployment } = sighting;
  if (!mayWrite(service, undoing.run, undoing.earlierRun))
    return { kind: 'done', outcome: 'superseded', reason: 'another run has taken the service over' };
  const decision =
    steps.update === undefined
      ? beforeUpdate(undoing, steps, sighting, now)
      : afterUpdate(undoing, steps.update, sighting);
  if (
    decision.kind === 'done' &&
    decision.outcome === 'rolled-back' &&
    undoing.previousDesired !== undefined &&
    steps.desired === 'not-asked' &&
    service.desired !== undoing.previousDesired
  ) {
    return { kind: 'restore-desired', desired: undoing.previousDesired };
  }
  const left = decision.kind === 'done' && decision.outcome === 'rolled-back' ? tagSettingsLeft(undoing, service) : {};
  if (Object.keys(left).length > 0 && steps.settings === 'not-asked')
    return { kind: 'restore-settings', settings: left };
  if (decision.kind !== 'wait' || now < undoing.deadline) return decision;
  const status = serviceDeployment === undefined ? '' : ` (service deployment ${serviceDeployment.status})`;
  return {
    kind: 'done',
    outcome: 'timed-out',
    reason: `the way back is not done after ${formatDuration(between(undoing.startedAt, now))}${status}`,
  };
}

function beforeUpdate(
  undoing: Undoing,
  { stop }: WayBackSteps,
  { service, serviceDeployment, wayBack }: WayBackSighting,
  now: Instant,
): WayBackDecision {
  const { previousTaskDefinition: previous } = undoing;
  const primary = primaryOf(service);
  switch (serviceDeployment?.status) {
    case 'ROLLBACK_REQUESTED':
    case 'ROLLBACK_IN_PROGRESS':
    case 'STOP_REQUESTED':
      return { kind: 'wait', for: `ECS's roll back (${serviceDeployment.status})` };
    case 'ROLLBACK_SUCCESSFUL':
      return {
        kind: 'done',
        outcome: 'rolled-back',
        reason: `ECS went back to ${revisionName(primary?.taskDefinition ?? service.taskDefinition)}`,
      };
    case 'PENDING':
    case 'IN_PROGRESS':
      if (previous === undefined) return nothingToGoBackTo(undoing);
      if (stop === 'not-asked') return { kind: 'stop' };
      if (stop === 'asked') return { kind: 'wait', for: 'ECS to take up the roll back' };
      return byUpdate(undoing, service);
    default:
      break;
  }
  if (primary?.taskDefinition === undoing.taskDefinition && !isWayBackAgain(undoing, primary))
    return byUpdate(undoing, service);
  if (undoing.deploymentId === undefined && between(undoing.startedAt, now) < UPDATE_ARRIVES_WITHIN) {
    return { kind: 'wait', for: `the update to ${revisionName(undoing.taskDefinition)}, should it still arrive` };
  }
  if (primary === undefined || (previous !== undefined && primary.taskDefinition !== previous)) {
    return {
      kind: 'done',
      outcome: 'superseded',
      reason: `another deployment took over: ${revisionName(primary?.taskDefinition ?? service.taskDefinition)}`,
    };
  }
  const own = serviceDeployment?.status === 'ROLLBACK_FAILED' ? serviceDeployment : undefined;
  return whenSteady(primary.id, { service, wayBack: wayBack ?? own });
}

/** ECS's own roll back leaves them, for they are of no service revision; a change of them starts no deployment. */
function tagSettingsLeft({ previousSettings = {} }: Undoing, { settings = {} }: EcsService): ServiceSettings {
  const { propagateTags, managedTags } = previousSettings;
  return {
    ...(propagateTags === undefined || propagateTags === (settings.propagateTags ?? 'NONE') ? {} : { propagateTags }),
    ...(managedTags === undefined || managedTags === (settings.managedTags ?? false) ? {} : { managedTags }),
  };
}

/** The way back has the same revision, so that its deployment alone tells that it was begun. */
const isWayBackAgain = ({ settingsAlone, deploymentId }: Undoing, { id }: EcsDeployment): boolean =>
  settingsAlone === true && deploymentId !== undefined && id !== deploymentId;

function byUpdate(undoing: Undoing, service: EcsService): WayBackDecision {
  const { previousTaskDefinition: previous, previousDesired, settingsAlone } = undoing;
  const same = previous === undoing.taskDefinition;
  // The same revision once more would start the same image again: only ECS's own roll back knows the bytes of before.
  if (previous === undefined || (same && settingsAlone === undefined)) return nothingToGoBackTo(undoing);
  const desired =
    previousDesired !== undefined && previousDesired !== service.desired ? { desired: previousDesired } : {};
  return { kind: 'update', to: previous, ...desired, ...(same ? { force: true } : {}) };
}

function afterUpdate(undoing: Undoing, id: string, { service, wayBack }: WayBackSighting): WayBackDecision {
  const back = service.deployments.find(
    (deployment) =>
      deployment.id === id ||
      (id === 'unknown' &&
        deployment.status === 'PRIMARY' &&
        deployment.id !== undoing.deploymentId &&
        deployment.taskDefinition === undoing.previousTaskDefinition),
  );
  if (back === undefined) return { kind: 'wait', for: 'the service to list the way back' };
  if (back.status !== 'PRIMARY')
    return { kind: 'done', outcome: 'superseded', reason: 'another deployment took over the way back' };
  return whenSteady(back.id, { service, wayBack });
}

interface Leading {
  readonly service: EcsService;
  readonly wayBack: ServiceDeployment | undefined;
}

function whenSteady(id: string, { service, wayBack }: Leading): WayBackDecision {
  const back = service.deployments.find((deployment) => deployment.id === id);
  if (back === undefined) return { kind: 'wait', for: 'the service to list the way back' };
  const name = revisionName(back.taskDefinition);
  if (back.rolloutState === 'FAILED')
    return {
      kind: 'done',
      outcome: 'failed',
      reason: `the way back to ${name} failed: ${back.rolloutStateReason ?? 'ECS says no more'}`,
    };
  if (movesTraffic(service)) return whenShifted(back, wayBack);
  const alone = service.deployments.length === 1 && back.running === back.desired && back.pending === 0;
  const steady = back.rolloutState === 'COMPLETED' || (back.rolloutState === undefined && alone);
  if (steady)
    return {
      kind: 'done',
      outcome: 'rolled-back',
      reason: `${back.running} of ${back.desired} tasks run ${name} again`,
    };
  return { kind: 'wait', for: `${name}: ${back.running} of ${back.desired} running, ${back.pending} pending` };
}

/** The tasks of before run long before they have the traffic again. */
function whenShifted(back: EcsDeployment, record: ServiceDeployment | undefined): WayBackDecision {
  const name = revisionName(back.taskDefinition);
  const progress = record === undefined ? "ECS's record of it" : `${record.status} ${progressOf(record)}`.trim();
  switch (record?.status) {
    case 'SUCCESSFUL':
      return {
        kind: 'done',
        outcome: 'rolled-back',
        reason: `${back.running} of ${back.desired} tasks run ${name} again and have the traffic`,
      };
    case 'STOPPED':
    case 'ROLLBACK_SUCCESSFUL':
    case 'ROLLBACK_FAILED':
      return {
        kind: 'done',
        outcome: 'failed',
        reason: `the way back to ${name} failed: ${record.statusReason ?? record.status}`,
      };
    default:
      return { kind: 'wait', for: `${name}: ${back.running} of ${back.desired} running, ${progress}` };
  }
}

const nothingToGoBackTo = (undoing: Undoing): WayBackDecision => ({
  kind: 'done',
  outcome: 'failed',
  reason:
    undoing.previousTaskDefinition === undefined
      ? 'there is nothing to go back to: no earlier deployment of this service was successful'
      : `there is nothing to go back to: ${revisionName(undoing.taskDefinition)} was deployed before too, and once more it would start the same images${undoing.previousSettings === undefined ? '' : ', whatever their tag names by now; the settings stay as they were given'}`,
});
