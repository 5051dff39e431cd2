import type { Address, TargetState } from '../plane/types.ts';
import type { EpochMs, Ms } from './types.ts';

export interface HealthCheck {
  readonly path: string;
  readonly interval: Ms;
  readonly timeout: Ms;
  /** For the way back from unhealthy; a new target is healthy after one good answer (ELBv2's user guide, "Health checks"). */
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** ELBv2's form: `200`, `200,301`, `200-299`. */
  readonly matcher: string;
}

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly port: number;
  readonly healthCheck: HealthCheck;
  readonly deregistrationDelay: Ms;
  /** By id `ip:port`, in the order of registration. */
  readonly targets: Readonly<Record<string, TargetEntry>>;
}

export type TargetReason =
  | 'Elb.RegistrationInProgress'
  | 'Elb.InitialHealthChecking'
  | 'Target.ResponseCodeMismatch'
  | 'Target.Timeout'
  | 'Target.FailedHealthChecks'
  | 'Target.NotRegistered'
  | 'Target.NotInUse'
  | 'Target.DeregistrationInProgress';

export interface TargetEntry {
  /** `10.0.1.7:80` */
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  /** Undefined for a target that is no task of this world: nothing answers there. */
  readonly address: Address | undefined;
  readonly state: TargetState;
  readonly reason: TargetReason | undefined;
  readonly description: string | undefined;
  readonly registeredAt: EpochMs;
  /** Answers in a row. */
  readonly good: number;
  readonly bad: number;
  readonly nextCheckAt: EpochMs | undefined;
  /** The check whose answer is awaited. */
  readonly check: number | undefined;
  readonly drainedAt: EpochMs | undefined;
}
