import { type Instant, seconds } from '../../domain/duration.ts';
import { DeadlinePassed } from '../../domain/failure.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { type KubeObject, describeObject, numberAt } from '../../domain/kubernetes/object.ts';
import { blockedBy } from '../../domain/kubernetes/pods.ts';
import { PODS } from '../../domain/kubernetes/resource.ts';
import { until } from '../until.ts';
import type { HeldLease } from './lease.ts';
import type { K8sTools } from './rollout.ts';
import type { Target } from './wait.ts';

/**
 * A StatefulSet replaces its pods in order, and waits for one that is not ready also when the template has gone back: it would
 * stand for ever on the pod of the release that failed (kubernetes/kubernetes#67250; "forced rollback" in its documentation).
 * Those pods are deleted, which is what it would do next with them.
 */
export async function unblock(
  targets: readonly Target[],
  { deadline, lines, lease }: { readonly deadline: Instant; readonly lines: string[]; readonly lease: HeldLease },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  for (const target of targets.filter(({ object }) => object.kind === 'StatefulSet')) {
    const set = await observed(target, deadline, tools, signal);
    if (set === undefined) continue;
    try {
      const { items } = await tools.cluster.list(PODS, { namespace: set.metadata.namespace }, signal);
      for (const pod of blockedBy(set, items)) {
        await lease.guard();
        await end(pod, set, tools, signal);
      }
    } catch (thrown) {
      if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
      lines.push(`${describeObject(set)} may wait for a pod of the release before: ${thrown.message}`);
    }
  }
}

async function end(pod: KubeObject, set: KubeObject, { cluster, log }: K8sTools, signal: AbortSignal): Promise<void> {
  const uid = pod.metadata.uid ?? '';
  await cluster.delete(PODS, pod.metadata, { uid, children: 'background' }, signal);
  log.info(`Pod ${pod.metadata.name} deleted: ${describeObject(set)} would wait for it for ever`);
}

/** Its controller has seen the way back: the revision that it names is the one that is wanted. */
async function observed(
  { resource, object }: Target,
  deadline: Instant,
  { cluster, clock }: K8sTools,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return until(clock, { every: seconds(1), deadline, signal }, async () => {
    const live = await cluster.get(resource, object.metadata, signal);
    const seen = numberAt(live, 'status', 'observedGeneration') ?? 0;
    return live !== undefined && seen >= (object.metadata.generation ?? 0) ? live : undefined;
  }).catch((thrown: unknown) => {
    // The wait that comes after it tells what is not well.
    if (thrown instanceof DeadlinePassed) return undefined;
    throw thrown;
  });
}
