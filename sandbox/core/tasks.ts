import { taskArn } from './arn.ts';
import { countFailure, countHealthy } from './failures.ts';
import { say } from './service-events.ts';
import { deregisterTarget, targetId } from './targets.ts';
import { newIp, newTaskId, putTask, type Turn, wake } from './turn.ts';
import type {
  ContainerTemplate,
  Event,
  JsonObject,
  LoadBalancerBinding,
  OneOff,
  StopCode,
  Task,
  TaskTemplate,
} from './types.ts';
import { events, stoppedReasons } from './wording.ts';

/** Stopped tasks are remembered for so long. */
const REMEMBERED = 3_600_000;

export interface NewTask {
  readonly cluster: string;
  readonly group: string;
  readonly serviceArn: string | undefined;
  readonly startedBy: string | undefined;
  readonly template: TaskTemplate;
  readonly loadBalancers: readonly LoadBalancerBinding[];
  readonly overrides: JsonObject;
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: JsonObject;
  readonly oneOff: OneOff | undefined;
}

export function createTask(turn: Turn, from: NewTask): Task {
  const id = newTaskId(turn);
  const main = mainContainer(from);
  return putTask(turn, {
    ...from,
    id,
    arn: taskArn(turn.state, from.cluster, id),
    mainContainer: main?.name ?? '',
    containerPort: from.loadBalancers[0]?.containerPort ?? main?.ports[0] ?? 80,
    registered: false,
    status: 'PROVISIONING',
    desiredStatus: 'RUNNING',
    ip: newIp(turn),
    address: undefined,
    createdAt: turn.now,
    pendingAt: undefined,
    startedAt: undefined,
    stoppingAt: undefined,
    executionStoppedAt: undefined,
    stoppedAt: undefined,
    stopCode: undefined,
    stoppedReason: undefined,
    exitCode: undefined,
    containerReason: undefined,
    dueAt: turn.now + turn.state.pace.provisioning,
    countedHealthy: false,
  });
}

/** The container behind the load balancer; else the first essential one. */
function mainContainer({ loadBalancers, template }: NewTask): ContainerTemplate | undefined {
  const served = template.containers.find(({ name }) => name === loadBalancers[0]?.containerName);
  return served ?? template.containers.find(({ essential }) => essential) ?? template.containers[0];
}

export function taskStarted(turn: Turn, event: Event & { readonly kind: 'task-started' }): void {
  const task = turn.state.tasks[event.id];
  if (task?.status !== 'PENDING') return;
  const dueAt = task.oneOff === undefined ? undefined : turn.now + task.oneOff.length;
  const running = putTask(turn, { ...task, status: 'RUNNING', address: event.address, startedAt: turn.now, dueAt });
  if (running.loadBalancers.length === 0) countHealthy(turn, running);
  wake(turn, running.serviceArn);
}

export function taskStartFailed(turn: Turn, event: Event & { readonly kind: 'task-start-failed' }): void {
  const task = turn.state.tasks[event.id];
  if (task?.status === 'STOPPING') deprovision(turn, task);
  if (task?.status !== 'PENDING') return;
  const failed = { ...ended(turn, task, 'TaskFailedToStart', event.reason), containerReason: event.reason };
  deprovision(turn, failed);
  countFailure(turn, failed, 'never-healthy');
}

/** The process is gone: by itself (then the whole task ends, for this container is essential) or because it was stopped. */
export function taskExited(turn: Turn, event: Event & { readonly kind: 'task-exited' }): void {
  const task = turn.state.tasks[event.id];
  if (task === undefined) return;
  const exitCode = event.code ?? signalCode(event.signal);
  switch (task.status) {
    case 'PENDING':
    case 'RUNNING': {
      const exited = ended(turn, { ...task, exitCode }, 'EssentialContainerExited', stoppedReasons.essentialExited);
      leaveTargetGroups(turn, exited);
      deprovision(turn, exited);
      sayLeft(turn, exited.serviceArn ?? '', [exited]);
      countFailure(turn, exited, exited.countedHealthy ? 'was-healthy' : 'never-healthy');
      return;
    }
    case 'DEACTIVATING':
    case 'STOPPING':
      deprovision(turn, { ...task, exitCode });
      return;
    case 'PROVISIONING':
    case 'DEPROVISIONING':
    case 'STOPPED':
      return;
  }
}

/** As Docker shows it: 128 and the number of the signal. */
function signalCode(signal: string | null | undefined): number {
  return signal === 'SIGTERM' ? 143 : 137;
}

export interface Stop {
  readonly code: StopCode;
  readonly reason: string;
  /** The scheduler lets the targets drain before SIGTERM; StopTask does not (containers-roadmap issue 576). */
  readonly drain: 'first' | 'none';
}

export function stopTask(turn: Turn, id: string, stop: Stop): void {
  const task = turn.state.tasks[id];
  if (task === undefined || task.desiredStatus === 'STOPPED') return;
  const stopping = ended(turn, task, stop.code, stop.reason);
  switch (task.status) {
    case 'PROVISIONING':
      deprovision(turn, stopping);
      return;
    case 'RUNNING': {
      const delay = leaveTargetGroups(turn, stopping);
      if (stop.drain === 'first' && delay > 0) {
        putTask(turn, { ...stopping, status: 'DEACTIVATING', dueAt: turn.now + delay });
        return;
      }
      terminate(turn, stopping);
      return;
    }
    default:
      terminate(turn, stopping);
  }
}

const ended = (turn: Turn, task: Task, stopCode: StopCode, stoppedReason: string): Task => ({
  ...task,
  desiredStatus: 'STOPPED',
  stopCode,
  stoppedReason,
  stoppingAt: turn.now,
});

/** Takes the task out of its target groups; returns the longest deregistration delay of those it was in. */
function leaveTargetGroups(turn: Turn, task: Task): number {
  let delay = 0;
  for (const { targetGroupArn, containerPort } of task.registered ? task.loadBalancers : []) {
    const left = deregisterTarget(turn, targetGroupArn, targetId(task.ip, containerPort));
    if (left === 'not-registered') continue;
    delay = Math.max(delay, turn.state.targetGroups[targetGroupArn]?.deregistrationDelay ?? 0);
  }
  return delay;
}

function terminate(turn: Turn, task: Task): void {
  putTask(turn, { ...task, status: 'STOPPING', dueAt: undefined });
  const grace = task.template.containers.find(({ name }) => name === task.mainContainer)?.stopTimeout ?? 30_000;
  turn.effects.push({ kind: 'stop-task', id: task.id, grace });
}

function deprovision(turn: Turn, task: Task): void {
  const dueAt = turn.now + turn.state.pace.deprovisioning;
  putTask(turn, { ...task, status: 'DEPROVISIONING', executionStoppedAt: turn.now, dueAt });
  wake(turn, task.serviceArn);
}

/** Moves every task on whose time has come. */
export function runTasks(turn: Turn): void {
  for (const task of Object.values(turn.state.tasks)) {
    if (task.dueAt === undefined || task.dueAt > turn.now) continue;
    switch (task.status) {
      case 'PROVISIONING':
        launch(turn, task);
        break;
      case 'RUNNING':
        endOneOff(turn, task);
        break;
      case 'DEACTIVATING':
        terminate(turn, task);
        break;
      case 'DEPROVISIONING':
        putTask(turn, { ...task, status: 'STOPPED', stoppedAt: turn.now, dueAt: turn.now + REMEMBERED });
        wake(turn, task.serviceArn);
        break;
      default:
        putTask(turn, { ...task, dueAt: undefined });
    }
  }
}

/** Its command came to its end; the shell clears away what stood for it. */
function endOneOff(turn: Turn, task: Task): void {
  const done = { ...task, exitCode: task.oneOff?.exitCode, dueAt: undefined };
  deprovision(turn, ended(turn, done, 'EssentialContainerExited', stoppedReasons.essentialExited));
  turn.effects.push({ kind: 'stop-task', id: task.id, grace: 0 });
}

function launch(turn: Turn, task: Task): void {
  const main = task.template.containers.find(({ name }) => name === task.mainContainer);
  putTask(turn, { ...task, status: 'PENDING', pendingAt: turn.now, dueAt: undefined });
  turn.effects.push({
    kind: 'start-task',
    id: task.id,
    image: main?.image ?? '',
    environment: { ...main?.environment, ...task.environment },
    containerPort: task.containerPort,
    oneOff: task.oneOff,
  });
}

export function forgetTasks(turn: Turn): void {
  const old = Object.values(turn.state.tasks).filter(
    ({ stoppedAt }) => stoppedAt !== undefined && stoppedAt + REMEMBERED <= turn.now,
  );
  if (old.length === 0) return;
  const tasks = { ...turn.state.tasks };
  for (const { id } of old) delete tasks[id];
  turn.state = { ...turn.state, tasks };
}

/** Says what a service's tasks that were just stopped did, the way the service says it: pending ones are only counted. */
export function sayStopped(turn: Turn, serviceArn: string, tasks: readonly Task[]): void {
  const service = turn.state.services[serviceArn];
  if (service === undefined) return;
  const running = tasks.filter(({ status }) => status === 'RUNNING');
  const pending = tasks.length - running.length;
  if (pending > 0) say(turn, serviceArn, events.stoppedPending(service.name, pending));
  if (running.length === 0) return;
  say(
    turn,
    serviceArn,
    events.stopped(
      service.name,
      running.map(({ id }) => id),
    ),
  );
  sayLeft(turn, serviceArn, running);
}

function sayLeft(turn: Turn, serviceArn: string, tasks: readonly Task[]): void {
  const name = turn.state.services[serviceArn]?.name ?? '';
  const left = tasks.filter((task) => task.registered && task.loadBalancers.length > 0);
  for (const [arn, count] of countBy(left.flatMap((task) => task.loadBalancers.map((one) => one.targetGroupArn))))
    say(turn, serviceArn, events.deregistered(name, count, arn));
  for (const [deployment, count] of countBy(left.map(({ startedBy }) => startedBy ?? '')))
    say(turn, serviceArn, events.draining(name, deployment, count));
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
