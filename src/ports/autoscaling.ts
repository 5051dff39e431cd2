import type { ScalingLimits } from '../domain/ecs/scaling.ts';
import type { EcsServiceRef } from '../domain/ecs/service.ts';
import type { Scaling, Suspended } from '../domain/shift/scaling.ts';

export type { ScalingLimits } from '../domain/ecs/scaling.ts';

/** What scales services by themselves. Errors are CloudFailures, as those of the Ecs port. */
export interface Autoscaling {
  /** In the order that was asked for; `none` for a service that autoscaling does not know. */
  read(refs: readonly EcsServiceRef[], signal: AbortSignal): Promise<readonly Scaling[]>;
  /** Sets what is suspended and changes nothing else: not the limits, not the policies. */
  suspend(ref: EcsServiceRef, suspended: Suspended, signal: AbortSignal): Promise<void>;
}

/** How many tasks autoscaling may choose between. */
export interface AutoscalingLimits {
  /** undefined: nothing scales this service. A role that may not ask is an access-denied CloudFailure. */
  limits(ref: EcsServiceRef, signal: AbortSignal): Promise<ScalingLimits | undefined>;
  setLimits(
    ref: EcsServiceRef,
    limits: { readonly min: number; readonly max: number },
    signal: AbortSignal,
  ): Promise<void>;
}
