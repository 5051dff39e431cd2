import type { EcsTask, Placement, VolumeConfiguration } from '../domain/ecs/service.ts';

export type { EcsTask } from '../domain/ecs/service.ts';

/** One task beside a service: a migration, a seed. */
export interface TaskOrder {
  readonly cluster: string;
  readonly taskDefinition: string;
  readonly placement: Placement;
  /** Absent members are not sent. */
  readonly volumes?: readonly VolumeConfiguration[];
  readonly propagateTags?: 'TASK_DEFINITION' | 'NONE';
  readonly managedTags?: boolean;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  /** Changes of one container for this task alone. */
  readonly override: {
    readonly container: string;
    readonly command?: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  };
  /** At most 128 of letters, digits, `-`, `_`, `/`: how the task is found again. */
  readonly startedBy: string;
  /** At most 64 characters. ECS starts one task for one token within 24 h, however often it is asked. */
  readonly clientToken: string;
}

/** Tasks of no service. Errors are CloudFailures, as those of the Ecs port. */
export interface EcsTasks {
  /** The task that was started, or the one that was started by the same token before. */
  run(order: TaskOrder, signal: AbortSignal): Promise<EcsTask>;
  /** undefined: ECS knows it no more (it forgets a stopped task after about an hour). */
  describe(task: { readonly cluster: string; readonly arn: string }, signal: AbortSignal): Promise<EcsTask | undefined>;
  /** Running ones and those that stopped within about an hour. */
  find(by: { readonly cluster: string; readonly startedBy: string }, signal: AbortSignal): Promise<readonly EcsTask[]>;
}
