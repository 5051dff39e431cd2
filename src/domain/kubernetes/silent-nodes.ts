import type { Instant } from '../duration.ts';
import { type KubeObject, listAt, numberAt, textAt } from './object.ts';
import { conditionOf } from './readiness-state.ts';

/** Nodes that do not answer, and what the others have of the version that is wanted. */
export interface SilentNodes {
  readonly names: readonly string[];
  /** Pods of this version that are available elsewhere. */
  readonly available: number;
}

export interface PodsOnNodes {
  /** All pods of the workload. */
  readonly all: readonly KubeObject[];
  /** Those of the version that is wanted. */
  readonly current: readonly KubeObject[];
}

/**
 * PURE. Whether a node answers, its pods say, for whoever may not read nodes: of a kubelet that is silent the node controller
 * marks pods as not ready and leaves alone what was said of their containers. A node that fell silent after `since` may have
 * done so because of what is rolled out: that one counts. undefined: there is none.
 */
export function silentNodes({ all, current }: PodsOnNodes, workload: KubeObject, now: Instant, since: Instant) {
  const names = new Set(all.filter((pod) => isMarked(pod, since)).flatMap((pod) => nodeOf(pod) ?? []));
  if (names.size === 0) return undefined;
  const leastReady = (numberAt(workload, 'spec', 'minReadySeconds') ?? 0) * 1_000;
  const available = current.filter((pod) => {
    const ready = conditionOf(pod, 'Ready');
    const stays = pod.metadata.deletionTimestamp === undefined && ready?.status === 'True';
    return stays && !names.has(nodeOf(pod) ?? '') && now - Date.parse(ready.lastTransitionTime ?? '') >= leastReady;
  });
  return { names: [...names].sort(), available: available.length } satisfies SilentNodes;
}

const nodeOf = (pod: KubeObject): string | undefined => textAt(pod, 'spec', 'nodeName');

function isMarked(pod: KubeObject, since: Instant): boolean {
  const ready = conditionOf(pod, 'Ready');
  // With gates of its own a pod is not ready beside containers that are.
  const isGated = listAt(pod, 'spec', 'readinessGates').length > 0;
  const isOne = !isGated && ready?.status === 'False' && conditionOf(pod, 'ContainersReady')?.status === 'True';
  return isOne && Date.parse(ready.lastTransitionTime ?? '') < since;
}
