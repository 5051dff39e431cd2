import type { TargetReason } from './types.ts';

/**
 * Texts as the real services write them, taken from public DescribeServices, DescribeTasks and DescribeTargetHealth
 * output. Those for which no public sample was found are marked "own words".
 */
const listed = (taskIds: readonly string[]): string => taskIds.map((id) => `(task ${id})`).join(' ');

export const events = {
  started: (service: string, taskIds: readonly string[], replaced: number): string =>
    `(service ${service}) has started ${taskIds.length} tasks: ${listed(taskIds)}.` +
    (replaced > 0 ? ` Amazon ECS replaced ${replaced} tasks due to an unhealthy status.` : ''),
  stopped: (service: string, taskIds: readonly string[]): string =>
    `(service ${service}) has stopped ${taskIds.length} running tasks: ${listed(taskIds)}.`,
  stoppedPending: (service: string, count: number): string => `(service ${service}) stopped ${count} pending tasks.`,
  registered: (service: string, count: number, targetGroupArn: string): string =>
    `(service ${service}) registered ${count} targets in (target-group ${targetGroupArn})`,
  deregistered: (service: string, count: number, targetGroupArn: string): string =>
    `(service ${service}) deregistered ${count} targets in (target-group ${targetGroupArn})`,
  draining: (service: string, deployment: string, count: number): string =>
    `(service ${service}, taskSet ${deployment}) has begun draining connections on ${count} tasks.`,
  unhealthy: (
    service: string,
    task: { readonly id: string; readonly port: number },
    targetGroupArn: string,
    reason: string,
  ): string =>
    `(service ${service}) (task ${task.id}) (port ${task.port}) is unhealthy in (target-group ${targetGroupArn}) due to (reason ${reason}).`,
  completed: (service: string, deployment: string): string =>
    `(service ${service}) (deployment ${deployment}) deployment completed.`,
  steady: (service: string): string => `(service ${service}) has reached a steady state.`,
  failed: (service: string, deployment: string): string =>
    `(service ${service}) (deployment ${deployment}) deployment failed: tasks failed to start.`,
  rollingBack: (service: string, deployment: string): string =>
    `(service ${service}) rolling back to deployment ${deployment}.`,
  startImpaired: (service: string): string =>
    `(service ${service}) is unable to consistently start tasks successfully.`,
  stuck: (service: string): string =>
    `(service ${service}) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.`,
} as const;

export const rollout = {
  inProgress: (deployment: string): string => `ECS deployment ${deployment} in progress.`,
  completed: (deployment: string): string => `ECS deployment ${deployment} completed.`,
  breakerFailed: 'ECS deployment circuit breaker: tasks failed to start.',
  breakerRollingBack: (deployment: string): string =>
    `ECS deployment circuit breaker: rolling back to deploymentId ${deployment}.`,
  /** Own words. */
  alarmFailed: 'ECS deployment failed: alarm detected.',
  /** Own words. */
  alarmRollingBack: (deployment: string): string =>
    `ECS deployment alarm detected: rolling back to deploymentId ${deployment}.`,
  /** Own words. */
  userStopped: 'ECS deployment stopped by StopServiceDeployment.',
  /** Own words. */
  userRollingBack: (deployment: string): string =>
    `ECS deployment stopped by StopServiceDeployment: rolling back to deploymentId ${deployment}.`,
} as const;

export const serviceDeploymentReasons = {
  breakerRolledBack: 'Service deployment rolled back because the circuit breaker threshold was exceeded.',
  /** Own words, as all below. */
  breakerStopped: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
  breakerNothingToRollBackTo:
    'Service deployment stopped because the circuit breaker threshold was exceeded. There is no completed service revision to roll back to.',
  userRolledBack: 'Service deployment rolled back because of a StopServiceDeployment request.',
  userNothingToRollBackTo:
    'Service deployment could not be rolled back: there is no completed service revision to roll back to.',
  rollbackFailed: 'Service deployment rollback failed because the circuit breaker threshold was exceeded.',
  alarmRolledBack: 'Service deployment rolled back because of a CloudWatch alarm.',
  alarmStopped: 'Service deployment stopped because of a CloudWatch alarm.',
  alarmNothingToRollBackTo:
    'Service deployment stopped because of a CloudWatch alarm. There is no completed service revision to roll back to.',
  superseded: 'Service deployment stopped because a new service deployment was started.',
  serviceDeleted: 'Service deployment stopped because the service was deleted.',
} as const;

export const stoppedReasons = {
  essentialExited: 'Essential container in task exited',
  scaling: (deployment: string): string => `Scaling activity initiated by (deployment ${deployment})`,
  failedHealthChecks: (targetGroupArn: string): string =>
    `Task failed ELB health checks in (target-group ${targetGroupArn})`,
} as const;

/** Descriptions of the ELBv2 user guide ("Target health reason codes"); two of them depend on the answer. */
export const targetDescriptions: Readonly<Partial<Record<TargetReason, string>>> = {
  'Elb.RegistrationInProgress': 'Target registration is in progress',
  'Elb.InitialHealthChecking': 'Initial health checks in progress',
  'Target.Timeout': 'Request timed out',
  'Target.FailedHealthChecks': 'Health checks failed',
  'Target.NotRegistered': 'Target is not registered to the target group',
  'Target.NotInUse': 'Target group is not configured to receive traffic from the load balancer',
  'Target.DeregistrationInProgress': 'Target deregistration is in progress',
};

export const failedWithCode = (status: number): string => `Health checks failed with these codes: [${status}]`;
