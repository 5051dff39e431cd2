import type { Scaling, Suspended } from '../domain/shift/scaling.ts';
import type { EcsServiceRef } from './ecs.ts';

/** What scales services by themselves. Errors are CloudFailures, as those of the Ecs port. */
export interface Autoscaling {
  /** In the order that was asked for; `none` for a service that autoscaling does not know. */
  read(refs: readonly EcsServiceRef[], signal: AbortSignal): Promise<readonly Scaling[]>;
  /** Sets what is suspended and changes nothing else: not the limits, not the policies. */
  suspend(ref: EcsServiceRef, suspended: Suspended, signal: AbortSignal): Promise<void>;
}
