import { putServiceDeployment, type Turn, wake } from './turn.ts';
import type { ServiceDeployment, ServiceDeploymentStatus } from './types.ts';
import { serviceDeploymentReasons } from './wording.ts';

const RUNNING: readonly ServiceDeploymentStatus[] = [
  'PENDING',
  'IN_PROGRESS',
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
];
export const isOngoing = ({ status }: ServiceDeployment): boolean => RUNNING.includes(status);

export function finish(
  turn: Turn,
  one: ServiceDeployment,
  status: ServiceDeploymentStatus,
  statusReason: string | undefined,
): void {
  const stoppedAt = status === 'STOPPED' ? turn.now : one.stoppedAt;
  putServiceDeployment(turn, { ...one, status, statusReason, finishedAt: turn.now, stoppedAt });
}

/** Once the old tasks go there is nothing to shift back to: the sandbox's reading, for AWS does not say. */
export const isStoppable = ({ status, native }: ServiceDeployment): boolean =>
  (status === 'PENDING' || status === 'IN_PROGRESS') && native?.stage !== 'CLEAN_UP';

/** StopServiceDeployment: the answer comes at once, the rollback with the next round of the scheduler. */
export function requestStop(turn: Turn, arn: string): void {
  const one = turn.state.serviceDeployments[arn];
  if (one === undefined || !isStoppable(one)) return;
  putServiceDeployment(turn, { ...one, status: 'ROLLBACK_REQUESTED', startedAt: one.startedAt ?? turn.now });
  wake(turn, one.serviceArn);
}

/** DeleteService ends what runs. */
export function abandon(turn: Turn, serviceArn: string): void {
  for (const one of Object.values(turn.state.serviceDeployments)) {
    if (one.serviceArn === serviceArn && isOngoing(one))
      finish(turn, one, 'STOPPED', serviceDeploymentReasons.serviceDeleted);
  }
}
