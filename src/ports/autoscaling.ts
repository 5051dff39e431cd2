import type { EcsServiceRef } from '../domain/ecs/service.ts';
import type { ScalingLimits } from '../domain/ecs/scaling.ts';

export type { ScalingLimits } from '../domain/ecs/scaling.ts';

/** Application Auto Scaling of a service's desired count. */
export interface Autoscaling {
  /** undefined: nothing scales this service. A role that may not ask is an access-denied CloudFailure. */
  limits(ref: EcsServiceRef, signal: AbortSignal): Promise<ScalingLimits | undefined>;
  setLimits(
    ref: EcsServiceRef,
    limits: { readonly min: number; readonly max: number },
    signal: AbortSignal,
  ): Promise<void>;
}
