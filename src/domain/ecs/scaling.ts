import type { FailureFacts } from '../failure.ts';
import type { EcsServiceRef } from './service.ts';

/** A scalable target: between which counts Application Auto Scaling keeps a service, and what of it is switched off. */
export interface ScalingLimits {
  readonly min: number;
  readonly max: number;
  readonly suspended: readonly ('scaling in' | 'scaling out' | 'scheduled scaling')[];
}

export type ScalingDecision =
  | { readonly kind: 'free' }
  | { readonly kind: 'refuse'; readonly facts: FailureFacts }
  | { readonly kind: 'change'; readonly min: number; readonly max: number };

/** PURE. What the limits mean for a count that is asked for. */
export function decideScaling(
  limits: ScalingLimits | undefined,
  {
    ref,
    desired,
    onLimits,
  }: { readonly ref: EcsServiceRef; readonly desired: number; readonly onLimits: 'fail' | 'change' },
): ScalingDecision {
  if (limits === undefined || (desired >= limits.min && desired <= limits.max)) return { kind: 'free' };
  if (onLimits === 'change')
    return { kind: 'change', min: Math.min(limits.min, desired), max: Math.max(limits.max, desired) };
  return {
    kind: 'refuse',
    facts: {
      what: `Could not scale ECS service ${ref.service} in cluster ${ref.cluster} to ${desired}`,
      why: `Application Auto Scaling keeps it between ${limits.min} and ${limits.max}, and would set it back`,
      now: 'Nothing was changed',
      next: `Ask for ${limits.min} to ${limits.max}, or set on-limits to change`,
    },
  };
}

/** PURE. A line for people: `Application Auto Scaling keeps it between 2 and 10; scaling in is suspended`. */
export function describeLimits({ min, max, suspended }: ScalingLimits): string {
  const off = suspended.length === 0 ? '' : `; suspended: ${suspended.join(', ')}`;
  return `Application Auto Scaling keeps it between ${min} and ${max} tasks${off}`;
}
