import { isOngoing } from './service-deployments.ts';
import { say } from './service-events.ts';
import { changeDeployment, putServiceDeployment, putTask, type Turn, wake } from './turn.ts';
import type { CircuitBreaker, Task } from './types.ts';
import { events } from './wording.ts';

/** So many failures end a deployment: half of the desired count by default, between 3 and 200. */
export function breakerThreshold({ threshold }: CircuitBreaker, desiredCount: number): number {
  const share = Math.ceil((desiredCount * threshold.value) / 100);
  switch (threshold.type) {
    case 'COUNT':
      return Math.max(1, threshold.value);
    case 'UNBOUNDED_PERCENT':
      return Math.max(1, share);
    case 'BOUNDED_PERCENT':
      return Math.min(200, Math.max(3, share));
  }
}

export type FailureKind = 'never-healthy' | 'was-healthy' | 'unhealthy';

/**
 * Counts a task that ended against its deployment while that is in progress: one that never became healthy, and one that
 * failed its health checks. A task that was healthy and exited is replaced without being counted.
 */
export function countFailure(turn: Turn, task: Task, kind: FailureKind): void {
  const service = turn.state.services[task.serviceArn ?? ''];
  const deployment = service?.deployments.find(({ id }) => id === task.startedBy);
  if (service === undefined || deployment === undefined || kind === 'was-healthy') return;
  const { restart, restartLimit } = turn.state.pace;
  // Tasks that fail together are one try.
  const again = deployment.restartAt === undefined || deployment.restartAt <= turn.now;
  const failedStarts = deployment.failedStarts + (again ? 1 : 0);
  const pause = Math.min(restartLimit, restart * 2 ** (failedStarts - 1));
  const counted = deployment.rolloutState === 'IN_PROGRESS' ? 1 : 0;
  changeDeployment(turn, service.arn, deployment.id, (one) => ({
    ...one,
    failedTasks: one.failedTasks + counted,
    failureCount: one.failureCount + counted,
    failedStarts,
    restartAt: again ? turn.now + pause : one.restartAt,
  }));
  noteFailures(turn, service.arn, deployment.id);
  // AWS does not say when it calls a service impaired; three tries in a row is the sandbox's choice.
  if (again && failedStarts === 3) say(turn, service.arn, events.startImpaired(service.name));
  wake(turn, service.arn);
}

/** A healthy task starts the count anew (`resetOnHealthyTask`, on by default). */
export function countHealthy(turn: Turn, task: Task): void {
  if (task.countedHealthy) return;
  putTask(turn, { ...task, countedHealthy: true });
  const service = turn.state.services[task.serviceArn ?? ''];
  if (service === undefined || task.startedBy === undefined) return;
  const reset = service.configuration.circuitBreaker.resetOnHealthyTask ? { failedTasks: 0, failureCount: 0 } : {};
  changeDeployment(turn, service.arn, task.startedBy, (one) => ({
    ...one,
    ...reset,
    failedStarts: 0,
    restartAt: undefined,
  }));
  noteFailures(turn, service.arn, task.startedBy);
}

function noteFailures(turn: Turn, serviceArn: string, id: string): void {
  const service = turn.state.services[serviceArn];
  const deployment = service?.deployments.find((one) => one.id === id);
  const current = turn.state.serviceDeployments[deployment?.serviceDeploymentArn ?? ''];
  if (service === undefined || deployment === undefined || current === undefined || !isOngoing(current)) return;
  // A rollback's reader wants to see what it was for.
  if (current.status === 'ROLLBACK_IN_PROGRESS') return;
  const threshold = breakerThreshold(service.configuration.circuitBreaker, service.desiredCount);
  putServiceDeployment(turn, { ...current, failureCount: deployment.failureCount, threshold });
}
