import type { FailureFacts } from '../failure.ts';
import { isPinned } from '../image-reference.ts';
import { revisionName } from './arn.ts';
import { isLeftAsFailed, whoseDeployment } from './in-flight.ts';
import { type Arrival, outdatedBy, readJournal, sameRelease, sameWorkflowRun } from './journal.ts';
import type { ContainerImages } from './result.ts';
import type { EcsDeployment, EcsService, ServiceDeployment, ServiceSettings, TaskDefinition } from './service.ts';
import { type ContainerEdits, withEdits } from './container-edits.ts';
import { diffDefinitions } from './definition-diff.ts';
import { type Roles, withRoles } from './roles.ts';
import { refuseVolumes, settingsChanges, settingsFor } from './service-settings.ts';
import { type Tags, type TaskDefinitionBody, imagesOf, sameDefinition, withImages } from './task-definition.ts';

/** What is asked for. */
export interface Wish {
  /** Of the base; absent: its own. */
  readonly images?: ContainerImages;
  readonly edits?: ContainerEdits;
  readonly roles?: Roles;
  /** Of the service; absent members stay as they are. */
  readonly settings?: ServiceSettings;
  readonly desired?: number;
  readonly release: string;
  readonly run: string;
  /** What becomes of a run that began before the one whose release serves. Absent: it goes on. */
  readonly onOutdated?: 'fail' | 'continue';
}

/** A revision that is registered, or a definition from a file, which has no ARN. */
export interface BaseDefinition {
  readonly arn?: string;
  readonly family: string;
  readonly body: TaskDefinitionBody;
  readonly tags: Tags;
  readonly status?: string;
}

/** What is true before anything was done. */
export interface Situation {
  readonly service: EcsService;
  /** The revision that the service's PRIMARY deployment has. */
  readonly current: TaskDefinition;
  /** What the new revision is made from. Absent: `current`. */
  readonly base?: BaseDefinition;
  /** Of the deployment in flight, when there is one and it may be read. */
  readonly serviceDeployment?: ServiceDeployment;
}

/** How a deployment begins; at most one of these, decided from what is there. */
export type Start =
  | { readonly kind: 'refuse'; readonly facts: FailureFacts }
  /** A deployment of the same images is in flight (a killed run, or another one): it is followed, not started again. */
  | { readonly kind: 'attach'; readonly deployment: EcsDeployment }
  | { readonly kind: 'conflict'; readonly with: string; readonly whose: string; readonly byUs: boolean }
  | { readonly kind: 'unchanged' }
  /** The images are there; the count is not. */
  | { readonly kind: 'scale'; readonly desired: number }
  | { readonly kind: 'settle' }
  /** The same revision has to be deployed again. */
  | { readonly kind: 'restart'; readonly why: string }
  | {
      readonly kind: 'deploy';
      readonly body: TaskDefinitionBody;
      /** Lines of what differs from the revision that runs. */
      readonly changes: readonly string[];
      /** A revision that is exactly this already: deployed as it is. */
      readonly existing?: string;
      /** What is in flight still, was given up by its own run, and is replaced. */
      readonly over?: string;
    };

/** PURE. Throws a Failure when a container of the wish does not exist. */
export function decideStart(situation: Situation, wish: Wish): Start {
  const { service, current } = situation;
  const refusal = refusalOf(service, 'deploy to');
  if (refusal) return { kind: 'refuse', facts: refusal };
  if (wish.desired !== undefined && service.schedulingStrategy === 'DAEMON')
    return { kind: 'refuse', facts: daemonCount(service) };
  const base = situation.base ?? current;
  const body = candidateOf(base, wish);
  const volumes = refuseVolumes(service, { body, current: current.body }, wish.settings);
  if (volumes) return { kind: 'refuse', facts: volumes };
  const sameBody = body === current.body || sameDefinition(body, current.body);
  const settings = settingsChanges(service, settingsFor(service, body, { wish: wish.settings }));
  const same = sameBody && settings.length === 0;
  const primary = primaryOf(service);
  const journal = readJournal(service);
  const moves = isInFlight(service, situation.serviceDeployment);
  const replaces = moves && !same && isLeftAsFailed(service, primary, situation.serviceDeployment);
  if (moves && !replaces) {
    const goingBack = isWayBack(primary, situation.serviceDeployment);
    if (same && primary !== undefined && !goingBack) return { kind: 'attach', deployment: primary };
    const running = `${goingBack ? 'a roll back to ' : 'the deployment of '}${revisionName(primary?.taskDefinition ?? service.taskDefinition)}`;
    const whose = whoseDeployment(service, primary);
    return { kind: 'conflict', with: running, whose, byUs: sameRelease(journal, wish.release) };
  }
  const newer = outdatedBy(journal, { ...wish, brings: bringsOf(situation, wish) });
  if (!same && wish.onOutdated === 'fail' && newer !== undefined)
    return { kind: 'refuse', facts: outdated(service, newer) };
  if (!sameBody) {
    // An INACTIVE revision cannot be deployed: its twin is registered.
    const existing = base.arn !== undefined && base.status !== 'INACTIVE' && sameDefinition(body, base.body);
    const changes = diffDefinitions(current.body, body);
    return {
      kind: 'deploy',
      body,
      changes,
      ...(existing && base.arn !== undefined ? { existing: base.arn } : {}),
      ...(replaces
        ? {
            over: `the deployment of ${revisionName(current.arn)}, which its own run gave up (${whoseDeployment(service, primary)})`,
          }
        : {}),
    };
  }
  // Tasks that run already keep what they began with.
  if (settings.length > 0) return { kind: 'restart', why: `the service changes (${settings.join('; ')})` };
  if (primary?.rolloutState === 'FAILED')
    return { kind: 'restart', why: `the last deployment of ${revisionName(current.arn)} failed` };
  const images = Object.values(typeof wish.images === 'string' ? imagesOf(current.body) : (wish.images ?? {}));
  const doneByThisRun = isDoneBy(wish, service);
  if (!doneByThisRun && !images.every(isPinned))
    return {
      kind: 'restart',
      why: 'the image is named by a tag, which may point elsewhere by now (a digest would be compared)',
    };
  if (wish.desired !== undefined && wish.desired !== service.desired) return { kind: 'scale', desired: wish.desired };
  return isSteady(service) ? { kind: 'unchanged' } : { kind: 'settle' };
}

/** This workflow run deployed it: to its verdict, or it serves and waits for one. */
function isDoneBy({ release, run }: Wish, service: EcsService): boolean {
  const journal = readJournal(service);
  if (journal === undefined || !sameRelease(journal, release) || !sameWorkflowRun(journal.run, run)) return false;
  const { phase, previousTaskDefinition: previous } = journal;
  // The tags are written before the update; that another revision was before shows that it was sent.
  return phase === 'done' || (phase === 'deploying' && previous !== undefined && previous !== service.taskDefinition);
}

const daemonCount = ({ ref }: EcsService): FailureFacts => ({
  what: `Could not deploy to ECS service ${ref.service} in cluster ${ref.cluster}`,
  why: 'a DAEMON service has a task on every instance and no count of its own, and desired-count is set',
  now: 'Nothing was changed',
  next: 'Leave desired-count out',
});

function bringsOf({ base }: Situation, { images, edits = {}, roles, settings }: Wish): Arrival['brings'] {
  const edited = Object.values(edits).flatMap((edit) => Object.keys(edit));
  const imaged = images !== undefined || edited.includes('image');
  const rest = base ?? roles ?? settings ?? edited.find((member) => member !== 'image');
  return imaged && rest === undefined ? 'software' : 'more';
}

const outdated = ({ ref }: EcsService, newer: string): FailureFacts => ({
  what: `Could not deploy to ECS service ${ref.service} in cluster ${ref.cluster}`,
  why: `${newer} serves there, and this run would put an older one over it`,
  now: 'Nothing was changed',
  next: 'Go back by mode: rollback, or set on-outdated to continue',
});

/** The definition that is wished for; the base itself when nothing is changed in it. */
export function candidateOf(
  base: BaseDefinition,
  { images, edits, roles }: Pick<Wish, 'images' | 'edits' | 'roles'>,
): TaskDefinitionBody {
  const imaged = images === undefined ? base.body : withImages(base.body, images, base.family).body;
  const edited = edits === undefined ? imaged : withEdits(imaged, edits, base.family);
  return roles === undefined ? edited : withRoles(edited, roles);
}

export const primaryOf = (service: EcsService): EcsDeployment | undefined =>
  service.deployments.find(({ status }) => status === 'PRIMARY');

/** Runs what it should: used where no deployment is followed. */
export function isSteady(service: EcsService): boolean {
  const [only, ...others] = service.deployments;
  return (
    only !== undefined &&
    others.length === 0 &&
    only.desired === service.desired &&
    service.running === service.desired &&
    service.pending === 0
  );
}

const MOVING = new Set(['PENDING', 'IN_PROGRESS', 'STOP_REQUESTED', 'ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS']);

export function isInFlight(service: EcsService, serviceDeployment?: ServiceDeployment): boolean {
  if (serviceDeployment !== undefined && MOVING.has(serviceDeployment.status)) return true;
  const primary = primaryOf(service);
  if (primary?.rolloutState !== undefined) return primary.rolloutState === 'IN_PROGRESS';
  // No rollout state behind a Classic Load Balancer: two deployments at once are a rollout.
  return service.deployments.length > 1;
}

export const isWayBack = (
  primary: EcsDeployment | undefined,
  serviceDeployment: ServiceDeployment | undefined,
): boolean =>
  serviceDeployment?.status.startsWith('ROLLBACK_') === true ||
  /roll(ing|ed)? ?back/i.test(primary?.rolloutStateReason ?? '');

/** Why this service cannot be changed at all; `act` completes "Could not ...". */
export function refusalOf(service: EcsService, act: 'deploy to' | 'roll back' | 'scale'): FailureFacts | undefined {
  const what = `Could not ${act} ECS service ${service.ref.service} in cluster ${service.ref.cluster}`;
  const now = 'Nothing was changed';
  if (service.status !== 'ACTIVE') {
    const next = 'Check the name; a service that was deleted has to be created again';
    return { what, why: `the service is ${service.status}, not ACTIVE`, now, next };
  }
  const controller = service.controller ?? 'ECS';
  if (controller !== 'ECS') {
    return {
      what,
      why: `its deployment controller ${controller} is not supported`,
      now,
      next: 'Use a service with the controller ECS',
    };
  }
  if (service.managedBy === 'ECS')
    return {
      what,
      why: 'Express services are not supported: they are updated by other calls',
      now,
      next: 'Use a service that is not managed by ECS Express mode',
    };
  return undefined;
}

/**
 * The revision to go back to: the newest successful deployment, else the PRIMARY one if it is complete. Never "one number
 * less", which may be a revision that failed.
 */
export function lastGood(
  service: EcsService,
  successful: readonly ServiceDeployment[],
  ours?: string,
): string | undefined {
  const recorded = successful.find(
    ({ status, taskDefinition }) => status === 'SUCCESSFUL' && taskDefinition !== undefined && taskDefinition !== ours,
  );
  if (recorded?.taskDefinition !== undefined) return recorded.taskDefinition;
  const complete = service.deployments.find(
    ({ taskDefinition, rolloutState }) =>
      taskDefinition !== ours && (rolloutState === 'COMPLETED' || (rolloutState === undefined && isSteady(service))),
  );
  return complete?.taskDefinition;
}
