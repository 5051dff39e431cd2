import type { FargateKind } from '../domain/ecs/capacity.ts';

/** `unknown`: it could not be asked; `why` is a clause. */
export type Presence =
  | { readonly kind: 'there' }
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface AlarmState {
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | (string & {});
}

export interface Unknown {
  readonly kind: 'unknown';
  readonly why: string;
}

/** vCPU of Fargate that the account may run in the region, and as much as it runs; without `used` that is not known. */
export interface FargateQuota {
  readonly quota: number;
  readonly used?: number;
  /** `L-3032A538` */
  readonly code: string;
}

/** What a deployment needs and ECS finds out only when a task starts. Reads; what may not be read is an answer. */
export interface DeployConditions {
  /** A secret or a parameter, as `valueFrom` names it. Its value is never read. */
  reference(valueFrom: string, signal: AbortSignal): Promise<Presence>;
  /** An image of the account's own kind of registry (ECR); undefined: in another registry, which is not asked. */
  image(reference: string, signal: AbortSignal): Promise<Presence | undefined>;
  alarms(names: readonly string[], signal: AbortSignal): Promise<readonly AlarmState[] | Unknown>;
  /** A role of IAM, by its ARN or its name. */
  role(role: string, signal: AbortSignal): Promise<Presence>;
  /** Addresses that are free in all of these subnets together. `missing`: one of them does not exist. */
  freeAddresses(
    subnets: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly free: number } | Exclude<Presence, { kind: 'there' }>>;
  fargateQuota(of: FargateKind, signal: AbortSignal): Promise<({ readonly kind: 'known' } & FargateQuota) | Unknown>;
}
