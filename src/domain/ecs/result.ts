/** Image references: one for the only container of the task definition, or one for each container by name. */
export type ContainerImages = string | Readonly<Record<string, string>>;

/**
 * How a rollout ended, by what is true now:
 * - `succeeded`: the new revision serves, ECS reached its steady state.
 * - `unchanged`: the service already ran exactly this; nothing was deployed.
 * - `rolled-back`: the new revision failed and the earlier one serves again, verified.
 * - `failed`: the new revision failed and is still there (nothing to go back to, `leave`, or the way back failed too).
 * - `superseded`: somebody else deployed over ours; no verdict on our image.
 * - `timed-out`: the deadline passed and, as asked, everything was left as it is.
 */
export type RolloutOutcome = 'succeeded' | 'unchanged' | 'rolled-back' | 'failed' | 'superseded' | 'timed-out';

export interface RolloutResult {
  readonly outcome: RolloutOutcome;
  /** ARN of the revision that was to be deployed (of the one that runs, when unchanged). */
  readonly taskDefinition: string;
  /** ARN of the last good revision before; absent on a first deployment. */
  readonly previousTaskDefinition?: string;
  readonly serviceDeploymentArn?: string;
  /** One clause, for a headline: `3 of 3 tasks run revision web:8`, `tasks failed to start: exit code 1 in web`. */
  readonly reason: string;
  /** What is true now and what to do, where the outcome alone says it wrongly. A sentence. */
  readonly now?: string;
  /** Whether anything was written to the service. */
  readonly changed: boolean;
  /** What was seen and what to do about it, a line each; holds text of the cloud, so it is printed verbatim. Empty when all went well. */
  readonly diagnosis: readonly string[];
}
