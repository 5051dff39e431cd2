import { setAlarm } from './alarms.ts';
import { begin, type Turn } from './turn.ts';
import { requestStop } from './service-deployments.ts';
import { runServices } from './scheduler.ts';
import {
  createCluster,
  createService,
  deleteService,
  runTasksOnce,
  stopTaskByUser,
  tag,
  updateService,
} from './services.ts';
import {
  answerHealthCheck,
  changeLoadBalancer,
  configureTargetGroup,
  deleteTargetGroup,
  deregisterTarget,
  registerTarget,
  runTargets,
  targetId,
} from './targets.ts';
import { forgetTasks, runTasks, taskExited, taskStarted, taskStartFailed } from './tasks.ts';
import type { EpochMs, Event, Pace, State, Stepped, World } from './types.ts';

export { viewOf } from './services.ts';
export { type TargetHealth, targetHealthOf, targetsOf } from './targets.ts';

/** Delays of a rehearsal: short, but every state is there to be seen. */
export const REHEARSAL_PACE: Pace = {
  scheduling: 200,
  provisioning: 300,
  registering: 200,
  deprovisioning: 300,
  restart: 1_000,
  restartLimit: 30_000,
  stage: 2_000,
  alarmBake: 60_000,
};

export function createState(world: World, pace: Pace = REHEARSAL_PACE): State {
  return {
    world,
    counter: 0,
    addresses: 0,
    pace,
    clusters: {},
    services: {},
    revisions: {},
    serviceDeployments: {},
    tasks: {},
    targetGroups: {},
    loadBalancers: {},
    staleReads: 0,
    alarms: [],
  };
}

/**
 * PURE. The one way in which a state changes: the event, then all that is due at `now`. What happens by itself happens at
 * the `now` of the step that finds it due, so whoever owns the clock steps with a tick at each `nextDue`.
 */
export function step(state: State, event: Event, now: EpochMs): Stepped {
  const turn = begin(state, now);
  take(turn, event);
  settle(turn);
  forgetTasks(turn);
  const changed = [...turn.changedGroups].map(
    (targetGroupArn) => ({ kind: 'targets-changed', targetGroupArn }) as const,
  );
  // Load balancers first: a target leaves the rotation before its process gets SIGTERM.
  return { state: turn.state, effects: [...changed, ...turn.effects] };
}

/** Each part acts only on what is due and is then not due any more; so this ends. */
function settle(turn: Turn): void {
  for (;;) {
    const before = turn.state;
    runTasks(turn);
    runTargets(turn);
    runServices(turn);
    if (turn.state === before) return;
  }
}

/** When something happens by itself next (a tick at that moment makes it happen); undefined: nothing does. */
export function nextDue(state: State): EpochMs | undefined {
  const targets = Object.values(state.targetGroups).flatMap((group) => Object.values(group.targets));
  const moments = [
    ...Object.values(state.services).map(({ scheduleAt }) => scheduleAt),
    ...Object.values(state.tasks).map(({ dueAt }) => dueAt),
    ...targets.flatMap(({ nextCheckAt, drainedAt }) => [nextCheckAt, drainedAt]),
  ].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function take(turn: Turn, event: Event): void {
  switch (event.kind) {
    case 'tick':
      return;
    case 'task-started':
      return taskStarted(turn, event);
    case 'task-start-failed':
      return taskStartFailed(turn, event);
    case 'task-exited':
      return taskExited(turn, event);
    case 'health-answer':
      return answerHealthCheck(turn, event);
    case 'target-group-configured':
    case 'target-group-attributes-set':
    case 'target-group-deleted':
    case 'load-balancer-changed':
    case 'targets-registered':
    case 'targets-deregistered':
      return takeLoadBalancing(turn, event);
    case 'alarm-set':
      return setAlarm(turn, event);
    case 'stale-reads-set':
      turn.state = { ...turn.state, staleReads: event.count };
      return;
    case 'stale-read-answered':
      turn.state = { ...turn.state, staleReads: Math.max(0, turn.state.staleReads - 1) };
      return;
    default:
      return takeEcs(turn, event);
  }
}

type LoadBalancing = Event & {
  readonly kind: `target-group-${string}` | `targets-${string}` | 'load-balancer-changed';
};

function takeLoadBalancing(turn: Turn, event: LoadBalancing): void {
  switch (event.kind) {
    case 'target-group-configured':
      return configureTargetGroup(turn, event);
    case 'target-group-attributes-set': {
      const group = turn.state.targetGroups[event.targetGroupArn];
      if (group === undefined) return;
      const changed = { ...group, deregistrationDelay: event.deregistrationDelay };
      turn.state = { ...turn.state, targetGroups: { ...turn.state.targetGroups, [group.arn]: changed } };
      return;
    }
    case 'target-group-deleted':
      return deleteTargetGroup(turn, event.targetGroupArn);
    case 'load-balancer-changed':
      return changeLoadBalancer(turn, event.loadBalancerArn, event.targetGroupArns);
    case 'targets-registered':
      for (const target of event.targets) registerByHand(turn, event.targetGroupArn, target);
      return;
    case 'targets-deregistered': {
      const port = turn.state.targetGroups[event.targetGroupArn]?.port ?? 80;
      for (const target of event.targets)
        deregisterTarget(turn, event.targetGroupArn, targetId(target.ip, target.port ?? port));
      return;
    }
  }
}

type ByHand = (Event & { readonly kind: 'targets-registered' })['targets'][number];

function registerByHand(turn: Turn, targetGroupArn: string, { ip, port, address }: ByHand): void {
  const task = Object.values(turn.state.tasks).find((one) => one.ip === ip && one.status === 'RUNNING');
  const group = turn.state.targetGroups[targetGroupArn];
  registerTarget(turn, targetGroupArn, { ip, port: port ?? group?.port ?? 80, address: address ?? task?.address });
}

type Ecs = Exclude<
  Event,
  | LoadBalancing
  | {
      readonly kind:
        | 'tick'
        | 'task-started'
        | 'task-start-failed'
        | 'task-exited'
        | 'health-answer'
        | 'alarm-set'
        | 'stale-reads-set'
        | 'stale-read-answered';
    }
>;

function takeEcs(turn: Turn, event: Ecs): void {
  switch (event.kind) {
    case 'cluster-created':
      return createCluster(turn, event);
    case 'service-created':
      return createService(turn, event);
    case 'service-updated':
      return updateService(turn, event);
    case 'service-deleted':
      return deleteService(turn, event.serviceArn);
    case 'service-deployment-stop-requested':
      return requestStop(turn, event.serviceDeploymentArn);
    case 'tasks-run':
      return runTasksOnce(turn, event);
    case 'task-stop-requested':
      return stopTaskByUser(turn, event);
    case 'tagged':
      return tag(turn, event);
  }
}
