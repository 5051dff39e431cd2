import { createHash } from 'node:crypto';
import type {
  Deployment,
  Effect,
  EpochMs,
  Service,
  ServiceDeployment,
  ServiceRevision,
  State,
  Task,
  TargetGroup,
} from './types.ts';

/**
 * One step while it is made: every part of the state is replaced, never changed in place, so that the state a step began
 * with stays as it was. A Turn does not outlive its step.
 */
export interface Turn {
  state: State;
  readonly now: EpochMs;
  readonly effects: Effect[];
  /** Target groups whose targets the load balancers have to be told. */
  readonly changedGroups: Set<string>;
}

export const begin = (state: State, now: EpochMs): Turn => ({ state, now, effects: [], changedGroups: new Set() });

export function putTask(turn: Turn, task: Task): Task {
  turn.state = { ...turn.state, tasks: { ...turn.state.tasks, [task.id]: task } };
  return task;
}

export function putService(turn: Turn, service: Service): Service {
  turn.state = { ...turn.state, services: { ...turn.state.services, [service.arn]: service } };
  return service;
}

export function changeDeployment(
  turn: Turn,
  serviceArn: string,
  id: string,
  change: (deployment: Deployment) => Deployment,
): void {
  const service = turn.state.services[serviceArn];
  if (service === undefined) return;
  const deployments = service.deployments.map((one) => (one.id === id ? { ...change(one), updatedAt: turn.now } : one));
  putService(turn, { ...service, deployments });
}

export function putRevision(turn: Turn, revision: ServiceRevision): ServiceRevision {
  turn.state = { ...turn.state, revisions: { ...turn.state.revisions, [revision.arn]: revision } };
  return revision;
}

export function putServiceDeployment(turn: Turn, deployment: ServiceDeployment): ServiceDeployment {
  const all = { ...turn.state.serviceDeployments, [deployment.arn]: { ...deployment, updatedAt: turn.now } };
  turn.state = { ...turn.state, serviceDeployments: all };
  return deployment;
}

export function putTargetGroup(turn: Turn, group: TargetGroup): TargetGroup {
  turn.state = { ...turn.state, targetGroups: { ...turn.state.targetGroups, [group.arn]: group } };
  turn.changedGroups.add(group.arn);
  return group;
}

/** The scheduler looks at the service after the pace's delay; an earlier look stays. */
export function wake(turn: Turn, serviceArn: string | undefined): void {
  const service = serviceArn === undefined ? undefined : turn.state.services[serviceArn];
  if (service === undefined || service.status === 'INACTIVE') return;
  // At least 1 ms: a service that wakes itself must not be due again in the same step.
  const at = turn.now + Math.max(1, turn.state.pace.scheduling);
  if (service.scheduleAt === undefined || service.scheduleAt > at) putService(turn, { ...service, scheduleAt: at });
}

function nextHash(turn: Turn, kind: string): Buffer {
  const { world, counter } = turn.state;
  turn.state = { ...turn.state, counter: counter + 1 };
  return createHash('sha256')
    .update(`${world.seed}/${world.account}/${world.region}/${kind}/${counter + 1}`)
    .digest();
}

export const newTaskId = (turn: Turn): string => nextHash(turn, 'task').toString('hex').slice(0, 32);

/** 19 digits, the first of them not 0: the form of deployment and service revision ids. */
export function newNumber(turn: Turn, kind: string): string {
  const floor = 10n ** 18n;
  return String(floor + (nextHash(turn, kind).readBigUInt64BE() % (9n * floor)));
}

export const newServiceDeploymentId = (turn: Turn): string =>
  nextHash(turn, 'service-deployment').toString('base64url').slice(0, 21);

export function newEventId(turn: Turn): string {
  const hex = nextHash(turn, 'event').toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** 10.0.0.0/16 without the first addresses, which AWS keeps; starts over after some 62,000 tasks. */
export function newIp(turn: Turn): string {
  const index = turn.state.addresses;
  turn.state = { ...turn.state, addresses: index + 1 };
  return `10.0.${1 + (Math.floor(index / 250) % 250)}.${4 + (index % 250)}`;
}
