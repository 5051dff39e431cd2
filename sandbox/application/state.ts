import { type Chance, seededChance } from '../plane/chance.ts';
import type { TaskSpec } from '../plane/types.ts';
import { type Behaviour, behaviourOf } from './behaviour.ts';

/** One running task. `served`, `firstRequestAt` and `stopping` change; the rest is what the task was started with. */
export interface AppState {
  readonly task: string;
  readonly tag: string;
  readonly digest: string;
  readonly color: string | undefined;
  readonly behaviour: Behaviour;
  /** Another token that the API takes, from the task's environment (API_TOKEN). */
  readonly token: string | undefined;
  readonly startedAt: number;
  readonly chance: Chance;
  /** Requests that were no health checks. */
  served: number;
  firstRequestAt: number | undefined;
  /** SIGTERM came: no longer ready. */
  stopping: boolean;
}

/** Throws a Failure for settings that cannot be read, as a real application would end at start. */
export function newState(spec: TaskSpec, now: number): AppState {
  return {
    task: spec.id,
    tag: spec.tag,
    digest: spec.digest,
    color: spec.environment['COLOR'],
    behaviour: behaviourOf(spec.tag, spec.environment),
    token: spec.environment['API_TOKEN'],
    startedAt: now,
    chance: seededChance(spec.id),
    served: 0,
    firstRequestAt: undefined,
    stopping: false,
  };
}
