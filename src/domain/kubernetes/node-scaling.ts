import { type Duration, type Instant, instant, minutes, seconds } from '../duration.ts';
import { conditionOf } from './readiness.ts';
import { type KubeObject, listAt, textAt } from './object.ts';

/**
 * What the node autoscalers of a cluster said of a pod that no node takes: one is `coming`, there will be `none`, or nobody
 * said anything. `unknown`: events may not be read.
 */
export type NodeScaling = 'coming' | 'none' | 'silent' | 'unknown';

/** Cluster Autoscaler and Karpenter. */
const COMING = /^(?:TriggeredScaleUp|Nominated)$/;
const NONE = /^NotTriggerScaleUp$/;
/** Karpenter says so by the scheduler's reason. */
const REFUSES = /^FailedScheduling$/;

/** PURE. The latest word counts: a group of nodes that is full now may be given more. */
export function nodeScalingOf(pod: KubeObject, events: readonly KubeObject[]): NodeScaling {
  // The scheduler ends others to make room for it.
  if (textAt(pod, 'status', 'nominatedNodeName') !== undefined) return 'coming';
  const said = events
    .filter((event) => textAt(event, 'involvedObject', 'uid') === pod.metadata.uid)
    .flatMap((event) => {
      const word = wordOf(event);
      return word === undefined ? [] : [{ word, at: timeOf(event) }];
    })
    .sort((a, b) => b.at - a.at);
  return said[0]?.word ?? 'silent';
}

function wordOf(event: KubeObject): 'coming' | 'none' | undefined {
  const reason = textAt(event, 'reason') ?? '';
  const by = `${textAt(event, 'source', 'component') ?? ''} ${textAt(event, 'reportingComponent') ?? ''}`;
  if (COMING.test(reason)) return 'coming';
  return NONE.test(reason) || (REFUSES.test(reason) && by.includes('karpenter')) ? 'none' : undefined;
}

function timeOf(event: KubeObject): number {
  const texts = [
    textAt(event, 'series', 'lastObservedTime'),
    textAt(event, 'lastTimestamp'),
    textAt(event, 'eventTime'),
    event.metadata.creationTimestamp,
  ];
  return Math.max(0, ...texts.map((text) => Date.parse(text ?? '')).filter((time) => !Number.isNaN(time)));
}

/** What passes by itself: others' pods end, a node that has joined gets ready, a volume is made. */
const MAY_PASS =
  /Insufficient |Too many pods|free ports|node\.kubernetes\.io\/|uninitialized|unbound immediate PersistentVolumeClaims/;
const NO_NODE_FITS = seconds(60);
const NO_ROOM = minutes(5);

/** How long a pod is given, by what the scheduler says of it; undefined: as long as the release has. */
export function patienceOf(message: string, scaling: NodeScaling): Duration | undefined {
  if (scaling === 'coming') return undefined;
  if (scaling === 'none') return NO_NODE_FITS;
  return scaling === 'unknown' || MAY_PASS.test(message) ? NO_ROOM : NO_NODE_FITS;
}

/** How long no node has taken a pod, and what the scheduler says; undefined: one has, or nobody has looked yet. */
export function strandedFor(
  pod: KubeObject,
  now: Instant,
): { readonly waits: number; readonly message: string } | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const entry = listAt(pod, 'status', 'conditions').find((each) => textAt(each, 'type') === 'PodScheduled');
  const since = Date.parse(textAt(entry, 'lastTransitionTime') ?? pod.metadata.creationTimestamp ?? '');
  return { waits: Number.isNaN(since) ? 0 : now - instant(since), message: scheduled.message };
}

/** Whether it is time to ask what autoscalers say of it. */
export const isStranded = (pod: KubeObject, now: Instant): boolean =>
  (strandedFor(pod, now)?.waits ?? 0) > NO_NODE_FITS;
