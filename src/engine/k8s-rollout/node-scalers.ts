import { type Instant, between, seconds } from '../../domain/duration.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { type NodeScaling, isStranded, nodeScalingOf } from '../../domain/kubernetes/node-scaling.ts';
import type { KubeObject } from '../../domain/kubernetes/object.ts';
import { EVENTS } from '../../domain/kubernetes/resource.ts';
import type { K8sTools } from './rollout.ts';

/** Events are listed and not watched, for which the Role has no right; this often at most. */
const LOOK_EVERY = seconds(10);

export interface NodeScalers {
  /** Asks, where one of these pods has had no node for a while. */
  ask(pods: readonly KubeObject[], now: Instant, signal: AbortSignal): Promise<void>;
  /** What the last answer was. */
  of(pod: KubeObject): NodeScaling;
}

/** What node autoscalers say of pods that wait for a node. */
export function nodeScalers({ cluster, log }: Pick<K8sTools, 'cluster' | 'log'>): NodeScalers {
  const answers = new Map<string, { readonly at: Instant; readonly events: readonly KubeObject[] | undefined }>();
  const read = async (namespace: string, signal: AbortSignal): Promise<readonly KubeObject[] | undefined> => {
    try {
      return (await cluster.list(EVENTS, { namespace }, signal)).items;
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof KubeFailure)) throw thrown;
      log.debug(thrown.message);
      return undefined;
    }
  };
  return {
    async ask(pods, now, signal) {
      const stranded = pods.filter((pod) => isStranded(pod, now));
      for (const namespace of new Set(stranded.map(({ metadata }) => metadata.namespace ?? ''))) {
        const last = answers.get(namespace);
        if (last !== undefined && between(last.at, now) < LOOK_EVERY) continue;
        answers.set(namespace, { at: now, events: await read(namespace, signal) });
      }
    },
    of(pod) {
      const events = answers.get(pod.metadata.namespace ?? '')?.events;
      const said = nodeScalingOf(pod, events ?? []);
      return said === 'silent' && events === undefined ? 'unknown' : said;
    },
  };
}
