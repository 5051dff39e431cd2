import type { EpochMs, Event, State } from '../../core/types.ts';

/** What the ECS API needs of the shell around it. */
export interface EcsContext {
  /** The state of the caller's account and region, now. */
  state(): State;
  /** Feeds the event to the core at once, synchronously; the effects are carried out afterwards. Returns the new state. */
  apply(event: Event): State;
  now(): EpochMs;
  /** The `taskDefinition` of moto's DescribeTaskDefinition, as it is; undefined when there is none. `ref` is an ARN, `family:revision` or `family`. */
  taskDefinition(ref: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** An error of the API: the shell sends `{"__type": code, "message": message}` with `status`. */
export interface AwsError {
  readonly kind: 'error';
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

export interface EcsOutput {
  readonly kind: 'output';
  readonly output: Readonly<Record<string, unknown>>;
}

/** `operation` is the word after the dot of X-Amz-Target (`CreateService`). */
export type HandleEcs = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
  context: EcsContext,
) => Promise<EcsOutput | AwsError>;
