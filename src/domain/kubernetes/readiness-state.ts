import type { Instant } from '../duration.ts';
import { type KubeObject, fieldAt, listAt, numberAt, textAt } from './object.ts';
import type { SilentNodes } from './silent-nodes.ts';

/** What one look says of one object. `bad` does not get better by waiting. */
export type Readiness =
  /** `unproven`: nothing gets better by waiting, and nobody knows whether it is well. */
  | { readonly kind: 'ready'; readonly note?: string; readonly unproven?: 'yes' }
  | { readonly kind: 'waiting'; readonly for: string }
  | { readonly kind: 'bad'; readonly why: string }
  /** Somebody else's change is rolled out in place of ours. */
  | { readonly kind: 'superseded'; readonly by: string };

export const READY: Readiness = { kind: 'ready' };
export const waiting = (what: string): Readiness => ({ kind: 'waiting', for: what });
export const bad = (why: string): Readiness => ({ kind: 'bad', why });

/** What is known of an object beside itself. */
export interface Surroundings {
  /** Generation that our write gave it; a status of an older one is about something else. */
  readonly generation: number | undefined;
  readonly now: Instant;
  /** When the wait for it began, which is after our write; absent: nobody waits, and the object is taken as it is. */
  readonly waitsSince?: Instant;
  /** Whether its kind has a status that a controller writes. */
  readonly status?: 'served';
  /** The object as our write left it. */
  readonly written?: KubeObject;
  /** The ReplicaSet that carries the template of a Deployment; absent on a way back, to which what it said before is no news. */
  readonly current?: KubeObject;
  /** Of a DaemonSet: its nodes that do not answer. */
  readonly silent?: SilentNodes;
}

export type Judge = (object: KubeObject, unobserved: string | undefined, around: Surroundings) => Readiness;

/** Some controllers write it as text (`"12"`). */
export function observedGenerationOf(object: KubeObject): number | undefined {
  const observed = fieldAt(object, 'status', 'observedGeneration');
  if (typeof observed === 'string' && /^\d+$/.test(observed)) return Number(observed);
  return typeof observed === 'number' ? observed : undefined;
}

export function notObserved(object: KubeObject, { generation }: Pick<Surroundings, 'generation'>): string | undefined {
  const observed = observedGenerationOf(object);
  const wanted = Math.max(generation ?? 0, object.metadata.generation ?? 0);
  return observed !== undefined && observed >= wanted ? undefined : 'its controller to see the change';
}

export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339; of a Deployment alone. */
  readonly lastUpdateTime?: string;
  /** RFC 3339 */
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const found = listAt(object, 'status', 'conditions').find((each) => textAt(each, 'type') === type);
  if (found === undefined) return undefined;
  const lastUpdateTime = textAt(found, 'lastUpdateTime');
  const lastTransitionTime = textAt(found, 'lastTransitionTime');
  const observedGeneration = numberAt(found, 'observedGeneration');
  return {
    status: textAt(found, 'status') ?? '',
    reason: textAt(found, 'reason') ?? '',
    message: textAt(found, 'message') ?? '',
    ...(lastUpdateTime === undefined ? {} : { lastUpdateTime }),
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}

export const said = ({ reason, message }: Condition): string =>
  [reason, message].filter((text) => text !== '').join(': ');
export const count = (object: KubeObject, ...path: string[]): number => numberAt(object, ...path) ?? 0;
