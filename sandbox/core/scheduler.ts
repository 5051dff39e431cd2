import { awaitsAlarms } from './alarms.ts';
import { advanceServiceDeployments, complete, judgeAlarms, judgeBreaker, ongoingOf } from './deployments.ts';
import { countFailure, countHealthy } from './failures.ts';
import { advanceNative, keptRevision, nativeOf } from './native.ts';
import { bounds, isStuck, type Moves, pace, type Situation, type Tally } from './pacing.ts';
import { say } from './service-events.ts';
import { registerTarget, targetId } from './targets.ts';
import { createTask, sayStopped, type Stop, stopTask } from './tasks.ts';
import { putService, putTask, type Turn, wake } from './turn.ts';
import type { Service, State, Task, TargetEntry } from './types.ts';
import { events, stoppedReasons } from './wording.ts';

/** Looks at every service that is due. */
export function runServices(turn: Turn): void {
  for (const { arn, scheduleAt } of Object.values(turn.state.services)) {
    if (scheduleAt !== undefined && scheduleAt <= turn.now) schedule(turn, arn);
  }
}

function schedule(turn: Turn, arn: string): void {
  const due = turn.state.services[arn];
  if (due === undefined) return;
  putService(turn, { ...due, scheduleAt: undefined });
  advanceServiceDeployments(turn, arn);
  registerTasks(turn, arn);
  for (const task of tasksOf(turn.state, arn)) if (healthOf(turn, task) === 'healthy') countHealthy(turn, task);
  judgeBreaker(turn, arn);
  judgeAlarms(turn, arn);
  advanceNative(turn, arn, healthyOf(turn, arn));
  dropFinished(turn, arn);
  move(turn, arn);
  conclude(turn, arn);
}

/** Tasks of the service that are not over. */
export const tasksOf = (state: State, serviceArn: string): readonly Task[] =>
  Object.values(state.tasks).filter((task) => task.serviceArn === serviceArn && task.status !== 'STOPPED');

/** A running task joins the target groups of its revision, once. */
function registerTasks(turn: Turn, arn: string): void {
  const counts = new Map<string, number>();
  for (const task of tasksOf(turn.state, arn)) {
    if (task.status !== 'RUNNING' || task.registered) continue;
    for (const { targetGroupArn, containerPort } of task.loadBalancers) {
      registerTarget(turn, targetGroupArn, { ip: task.ip, port: containerPort, address: task.address });
      counts.set(targetGroupArn, (counts.get(targetGroupArn) ?? 0) + 1);
    }
    putTask(turn, { ...task, registered: true });
  }
  const name = turn.state.services[arn]?.name ?? '';
  for (const [group, count] of counts) say(turn, arn, events.registered(name, count, group));
}

export type TaskHealth = 'healthy' | 'warming' | 'unhealthy';

/** What the scheduler thinks of a task that should run. Within the grace period a failed health check is not looked at. */
export function healthOf(turn: Pick<Turn, 'state' | 'now'>, task: Task): TaskHealth {
  if (task.status !== 'RUNNING') return 'warming';
  const targets = targetsOfTask(turn.state, task);
  const grace = turn.state.services[task.serviceArn ?? '']?.healthCheckGracePeriod ?? 0;
  const looked = (task.startedAt ?? turn.now) + grace <= turn.now;
  if (looked && targets.some((target) => target?.state === 'unhealthy')) return 'unhealthy';
  return targets.every((target) => target?.state === 'healthy') ? 'healthy' : 'warming';
}

const targetsOfTask = (state: State, task: Task): readonly (TargetEntry | undefined)[] =>
  task.loadBalancers.map(
    ({ targetGroupArn, containerPort }) =>
      state.targetGroups[targetGroupArn]?.targets[targetId(task.ip, containerPort)],
  );

/** Deployments that still have processes. */
function busyDeployments(state: State, arn: string): ReadonlySet<string | undefined> {
  const alive = tasksOf(state, arn).filter(({ status }) => status !== 'DEPROVISIONING');
  return new Set(alive.map(({ startedBy }) => startedBy));
}

/** An old deployment goes with its last task; a failed one is shown until what replaces it has completed. */
function dropFinished(turn: Turn, arn: string): void {
  const service = turn.state.services[arn];
  if (service === undefined) return;
  const busy = busyDeployments(turn.state, arn);
  const going = service.deployments[0]?.rolloutState === 'IN_PROGRESS';
  const deployments = service.deployments.filter(
    ({ id, status, rolloutState }) => status === 'PRIMARY' || busy.has(id) || (going && rolloutState === 'FAILED'),
  );
  if (deployments.length < service.deployments.length) putService(turn, { ...service, deployments });
}

/** Tasks of the PRIMARY that may get traffic. */
function healthyOf(turn: Turn, arn: string): number {
  const primary = turn.state.services[arn]?.deployments[0]?.id;
  const own = tasksOf(turn.state, arn).filter(({ startedBy }) => startedBy === primary);
  return sortByHealth(turn, own).healthy.length;
}

interface Sorted {
  readonly healthy: readonly Task[];
  readonly warming: readonly Task[];
  readonly unhealthy: readonly Task[];
}

function sortByHealth(turn: Turn, tasks: readonly Task[]): Sorted {
  const wanted = tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
  const of = (health: TaskHealth) => wanted.filter((task) => healthOf(turn, task) === health);
  return { healthy: of('healthy'), warming: of('warming'), unhealthy: of('unhealthy') };
}

const tallyOf = (sorted: Sorted): Tally => ({
  healthy: sorted.healthy.length,
  warming: sorted.warming.length,
  unhealthy: sorted.unhealthy.length,
});

function move(turn: Turn, arn: string): void {
  const service = turn.state.services[arn];
  const primary = service?.deployments[0];
  if (service === undefined || primary === undefined) return;
  const tasks = tasksOf(turn.state, arn);
  const keptArn = keptRevision(turn, service);
  const kept = service.deployments.find(({ id, revisionArn }) => id !== primary.id && revisionArn === keptArn)?.id;
  const mine = sortByHealth(
    turn,
    tasks.filter(({ startedBy }) => startedBy === primary.id),
  );
  const old = sortByHealth(
    turn,
    tasks.filter(({ startedBy }) => startedBy !== primary.id && startedBy !== kept),
  );
  const situation = situationOf(turn, service, { primary: tallyOf(mine), old: tallyOf(old) });
  const moves = pace(situation);
  sayStuck(turn, service, situation);
  carryOut(turn, service, { moves, mine, old });
  lookAgain(turn, arn, tasks);
}

function situationOf(turn: Turn, service: Service, tallies: Pick<Situation, 'primary' | 'old'>): Situation {
  const primary = service.deployments[0];
  const failed = primary?.rolloutState === 'FAILED' && service.status === 'ACTIVE';
  const paused = primary?.restartAt !== undefined && primary.restartAt > turn.now;
  return {
    desired: service.desiredCount,
    ...bounds(service.desiredCount, service.configuration),
    ...tallies,
    starts: failed ? 'ended' : paused ? 'paused' : 'allowed',
  };
}

interface Plan {
  readonly moves: Moves;
  readonly mine: Sorted;
  readonly old: Sorted;
}

function carryOut(turn: Turn, service: Service, { moves, mine, old }: Plan): void {
  const unfinished = [...old.warming, ...old.unhealthy].slice(0, moves.stopOldUnfinished);
  const scaledIn = [
    ...old.healthy.slice(0, moves.stopOldHealthy),
    ...lastOf(mine.warming, moves.stopWarming),
    ...lastOf(mine.healthy, moves.stopHealthy),
  ];
  const unhealthy = mine.unhealthy.slice(0, moves.stopUnhealthy);
  const stopped = [...unfinished, ...scaledIn, ...unhealthy];
  if (moves.start + stopped.length === 0) return;
  start(turn, service, { count: moves.start, replaced: Math.min(moves.start, mine.unhealthy.length) });
  for (const task of unhealthy) stopUnhealthy(turn, service, task);
  for (const task of [...unfinished, ...scaledIn]) stopTask(turn, task.id, scalingStop(task));
  sayStopped(turn, service.arn, stopped);
  unsettle(turn, service.arn);
}

/** The youngest go first when a service is scaled in. */
const lastOf = (tasks: readonly Task[], count: number): readonly Task[] => tasks.slice(tasks.length - count);

const scalingStop = (task: Task): Stop => ({
  code: 'ServiceSchedulerInitiated',
  reason: stoppedReasons.scaling(task.startedBy ?? ''),
  drain: 'first',
});

function start(turn: Turn, service: Service, of: { readonly count: number; readonly replaced: number }): void {
  const primary = service.deployments[0];
  const revision = turn.state.revisions[primary?.revisionArn ?? ''];
  if (of.count === 0 || primary === undefined || revision === undefined) return;
  const started = Array.from({ length: of.count }, () =>
    createTask(turn, {
      cluster: service.cluster,
      group: `service:${service.name}`,
      serviceArn: service.arn,
      startedBy: primary.id,
      template: revision.template,
      loadBalancers: revision.loadBalancers,
      overrides: {},
      environment: {},
      tags: service.settings['propagateTags'] === 'SERVICE' ? service.tags : {},
      settings: revision.settings,
      oneOff: undefined,
    }),
  );
  say(
    turn,
    service.arn,
    events.started(
      service.name,
      started.map(({ id }) => id),
      of.replaced,
    ),
  );
}

function stopUnhealthy(turn: Turn, service: Service, task: Task): void {
  const index = targetsOfTask(turn.state, task).findIndex((target) => target?.state === 'unhealthy');
  const binding = task.loadBalancers[index];
  const target = targetsOfTask(turn.state, task)[index];
  if (binding === undefined || target === undefined) return;
  const group = binding.targetGroupArn;
  const named = { id: task.id, port: binding.containerPort };
  say(turn, service.arn, events.unhealthy(service.name, named, group, target.description ?? ''));
  countFailure(turn, task, 'unhealthy');
  const reason = stoppedReasons.failedHealthChecks(group);
  stopTask(turn, task.id, { code: 'ServiceSchedulerInitiated', reason, drain: 'first' });
}

function sayStuck(turn: Turn, service: Service, situation: Situation): void {
  const message = events.stuck(service.name);
  const since = service.deployments[0]?.createdAt ?? 0;
  const said = service.events.some((event) => event.at >= since && event.message === message);
  if (!said && isStuck(situation)) say(turn, service.arn, message);
}

function unsettle(turn: Turn, arn: string): void {
  const service = turn.state.services[arn];
  if (service !== undefined) putService(turn, { ...service, steady: false });
  wake(turn, arn);
}

/** Sets the next look for what no event announces: the end of a pause between starts, and of a grace period. */
function lookAgain(turn: Turn, arn: string, tasks: readonly Task[]): void {
  const service = turn.state.services[arn];
  if (service === undefined) return;
  const grace = tasks
    .filter((task) => targetsOfTask(turn.state, task).some((target) => target?.state === 'unhealthy'))
    .map((task) => (task.startedAt ?? turn.now) + service.healthCheckGracePeriod);
  const judged = ongoingOf(turn, service);
  const moments = [
    service.scheduleAt,
    service.deployments[0]?.restartAt,
    judged?.native?.until,
    judged?.alarmsUntil,
    ...grace,
  ].filter((at) => at !== undefined && at > turn.now);
  if (moments.length === 0) return;
  putService(turn, { ...service, scheduleAt: Math.min(...(moments as readonly number[])) });
}

/** Whether a deployment whose tasks are as wanted goes on all the same: stages of a native strategy, then alarms. */
function isJudged(turn: Turn, service: Service): boolean {
  const native = nativeOf(turn, service);
  return (native !== undefined && native.stage !== 'CLEAN_UP') || awaitsAlarms(turn, service, ongoingOf(turn, service));
}

/** Says what is reached: a deployment completed, a steady state, a service that is gone. */
function conclude(turn: Turn, arn: string): void {
  const service = turn.state.services[arn];
  const primary = service?.deployments[0];
  if (service === undefined || primary === undefined) return;
  const tasks = tasksOf(turn.state, arn);
  if (service.status === 'DRAINING') {
    if (tasks.length === 0)
      putService(turn, { ...service, status: 'INACTIVE', deployments: [], scheduleAt: undefined });
    return;
  }
  const wanted = tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
  const busy = busyDeployments(turn.state, arn);
  const settled =
    service.deployments.every(({ id, status }) => status === 'PRIMARY' || !busy.has(id)) &&
    wanted.length === service.desiredCount &&
    wanted.every((task) => healthOf(turn, task) === 'healthy');
  if (!settled || primary.rolloutState === 'FAILED' || isJudged(turn, service)) return;
  if (primary.rolloutState === 'IN_PROGRESS') complete(turn, arn);
  dropFinished(turn, arn);
  const done = turn.state.services[arn];
  if (done === undefined || done.steady) return;
  putService(turn, { ...done, steady: true });
  say(turn, arn, events.steady(service.name));
}
