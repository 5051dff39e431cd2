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

/** StopServiceDeployment: the answer comes at once, the rollback with the next round of the scheduler. */
export function requestStop(turn: Turn, arn: string): void {
  const one = turn.state.serviceDeployments[arn];
  if (one === undefined || (one.status !== 'PENDING' && one.status !== 'IN_PROGRESS')) return;
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
