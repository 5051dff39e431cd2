/** `unknown`: it could not be asked; `why` is a clause. */
export type Presence =
  | { readonly kind: 'there' }
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface AlarmState {
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | (string & {});
}

/** What a deployment needs and ECS finds out only when a task starts. Reads; what may not be read is an answer. */
export interface DeployConditions {
  /** A secret or a parameter, as `valueFrom` names it. Its value is never read. */
  reference(valueFrom: string, signal: AbortSignal): Promise<Presence>;
  /** An image of the account's own kind of registry (ECR); undefined: in another registry, which is not asked. */
  image(reference: string, signal: AbortSignal): Promise<Presence | undefined>;
  alarms(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly AlarmState[] | { readonly kind: 'unknown'; readonly why: string }>;
}
