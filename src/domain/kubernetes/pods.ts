import { canonicalJson } from '../canonical-json.ts';
import { type Instant, seconds } from '../duration.ts';
import { type NodeScaling, patienceOf, strandedFor } from './node-scaling.ts';
import { conditionOf, notObserved } from './readiness-state.ts';
import { type KubeObject, fieldAt, isFields, listAt, numberAt, textAt } from './object.ts';

/** Why a pod does not come up, most telling first. `fatal`: waiting longer does not help. */
export interface PodTrouble {
  readonly pod: string;
  readonly container?: string;
  /** `CrashLoopBackOff`, `ImagePullBackOff`, `OOMKilled`, `Unschedulable`: equal reasons are told once. */
  readonly reason: string;
  readonly text: string;
  readonly fatal: boolean;
  /** A container that ran before and whose earlier log tells why. */
  readonly log?: 'previous' | 'current';
}

const PULL_FAILS = /^(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)$/;
const FOR_EVER =
  /not found|manifest unknown|does not exist|unauthori[sz]ed|denied|forbidden|invalid reference|couldn't parse/i;
const CONFIG_FAILS = /^(?:CreateContainerConfigError|CreateContainerError|RunContainerError)$/;
/** Of a container that cannot be made: what no time mends. */
const NEVER_MADE =
  /runAsNonRoot|run as (?:non-)?root|non-root policy|executable file not found|no such file|permission denied|no command specified|invalid/i;
/** A busy node: kubelet and its runtime get over it without anybody (containerd/containerd#4604). */
const BUSY =
  /deadline exceeded|timed? ?out|reserve|try again|unavailable|connection (?:refused|reset)|transport|not yet been read/i;
/** Secrets that an operator makes for the set come some seconds after its pods; a key that is not in one is likelier a mistake. */
const COMES_WITHIN = seconds(120);
const KEY_COMES_WITHIN = seconds(60);
/** Restarts of a new pod until it counts as one that will not come up. */
const CRASHES = 3;

/** PURE. What is wrong with one pod of the new revision. `scaling`: what node autoscalers said of it. */
export function troublesOf(pod: KubeObject, now: Instant, scaling: NodeScaling = 'unknown'): readonly PodTrouble[] {
  const name = pod.metadata.name;
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ].filter(isFields);
  const waits = now - startedAt(pod, now);
  return [
    ...statuses.flatMap((status) => troubleOf(name, status, waits)),
    ...unschedulable(pod, now, scaling),
    ...evicted(pod),
  ];
}

/** Since when its containers could be made: it has a node, and its init containers have ended. */
function startedAt(pod: KubeObject, now: Instant): number {
  const times = listAt(pod, 'status', 'conditions')
    .filter((each) => /^(?:PodScheduled|Initialized)$/.test(textAt(each, 'type') ?? ''))
    .filter((each) => textAt(each, 'status') === 'True')
    .map((each) => Date.parse(textAt(each, 'lastTransitionTime') ?? ''));
  const known = [...times, Date.parse(pod.metadata.creationTimestamp ?? '')].filter((time) => !Number.isNaN(time));
  return known.length === 0 ? now : Math.max(...known);
}

/** Whether a container that could not be made for so long will not be. */
function isGivenUp(reason: string, message: string, waits: number): boolean {
  // Its process was made and did not start: that is tried again, and counted as a crash.
  if (reason === 'RunContainerError' || BUSY.test(message)) return false;
  return NEVER_MADE.test(message) || waits > (/couldn't find key/i.test(message) ? KEY_COMES_WITHIN : COMES_WITHIN);
}

function troubleOf(pod: string, status: unknown, waits: number): readonly PodTrouble[] {
  const container = textAt(status, 'name') ?? '';
  const restarts = numberAt(status, 'restartCount') ?? 0;
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? '';
  const message = textAt(status, 'state', 'waiting', 'message') ?? '';
  const running = isFields(fieldAt(status, 'state', 'running'));
  // Whatever it went through before, last month's crashes too, it is well now. An init container that has ended well is ready.
  const endedWell = numberAt(status, 'state', 'terminated', 'exitCode') === 0;
  if ((running || endedWell) && fieldAt(status, 'ready') === true) return [];
  const last = fieldAt(status, 'lastState', 'terminated') ?? fieldAt(status, 'state', 'terminated');
  const ended = isFields(last) ? endOf(last) : undefined;
  const told = (text: string, more: Partial<PodTrouble>): readonly PodTrouble[] => [
    { pod, container, reason: reason || (ended?.reason ?? ''), text, fatal: false, ...more },
  ];
  if (PULL_FAILS.test(reason)) {
    const image = textAt(status, 'image') ?? '';
    const why = message === '' ? image : message;
    return told(`${reason}: ${why}`, { fatal: reason === 'InvalidImageName' || FOR_EVER.test(message) });
  }
  if (CONFIG_FAILS.test(reason)) return told(`${reason}: ${message}`, { fatal: isGivenUp(reason, message, waits) });
  if (ended?.reason === 'OOMKilled')
    return told(`OOMKilled (exit code ${ended.exitCode}), ${restarts} restarts`, {
      fatal: !running && restarts >= 2,
      reason: 'OOMKilled',
      log: 'previous',
    });
  if (reason === 'CrashLoopBackOff' || (ended !== undefined && ended.exitCode !== 0 && restarts > 0)) {
    const how = ended === undefined ? message : ended.text;
    const text = `${reason || 'Error'}: ${how}, ${restarts} restarts`;
    return told(text, { fatal: !running && restarts >= CRASHES, log: reason === '' ? 'current' : 'previous' });
  }
  if (ended !== undefined && ended.exitCode !== 0 && restarts === 0)
    return told(`${ended.reason}: ${ended.text}`, { log: 'current' });
  const notReady = isFields(status) && status['ready'] === false;
  // Its probes say so; the event has the answer that they got.
  return running && notReady ? told('runs and is not ready', { reason: 'NotReady', log: 'current' }) : [];
}

/** A Job counts the tries of its pods itself (backoffLimit): a crash is no end of it, what no try mends is. */
export const leftToItsJob = (trouble: PodTrouble): PodTrouble =>
  trouble.log === undefined ? trouble : { ...trouble, fatal: false };

interface End {
  readonly reason: string;
  readonly exitCode: number;
  readonly text: string;
}

function endOf(terminated: unknown): End {
  const exitCode = numberAt(terminated, 'exitCode') ?? 0;
  const signal = numberAt(terminated, 'signal');
  const reason = textAt(terminated, 'reason') ?? 'Error';
  const message = textAt(terminated, 'message');
  const by = signal === undefined ? '' : `, signal ${signal}`;
  return { reason, exitCode, text: `exit code ${exitCode}${by}${message === undefined ? '' : ` (${message})`}` };
}

function unschedulable(pod: KubeObject, now: Instant, scaling: NodeScaling): readonly PodTrouble[] {
  const stranded = strandedFor(pod, now);
  if (stranded === undefined) return [];
  const patience = patienceOf(stranded.message, scaling);
  const text = `Unschedulable: ${stranded.message}${scaling === 'coming' ? ' (a node is being made)' : ''}`;
  const fatal = patience !== undefined && stranded.waits > patience;
  return [{ pod: pod.metadata.name, reason: 'Unschedulable', text, fatal }];
}

function evicted(pod: KubeObject): readonly PodTrouble[] {
  if (textAt(pod, 'status', 'phase') !== 'Failed') return [];
  const reason = textAt(pod, 'status', 'reason');
  if (reason === undefined) return [];
  return [
    { pod: pod.metadata.name, reason, text: `${reason}: ${textAt(pod, 'status', 'message') ?? ''}`, fatal: false },
  ];
}

/** What is around a workload, as the watches have it. */
export interface Family {
  readonly replicaSets: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
}

export const ownedBy = (owner: KubeObject) => (each: KubeObject) =>
  each.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;

/**
 * Pods of the revision that the workload wants; those of older ones do not count. A controller takes a moment to see a change,
 * and its own marks (a revision's number, an update revision) are of the release before until then: by them alone the pods
 * that a way back has just ended would be those it leads to.
 */
export function newPodsOf(workload: KubeObject, { replicaSets, pods }: Family): readonly KubeObject[] {
  if (workload.kind === 'Deployment') {
    const current = currentReplicaSet(workload, replicaSets);
    return current === undefined ? [] : pods.filter(ownedBy(current));
  }
  if (workload.kind === 'Rollout') return podsOfRollout(workload, { replicaSets, pods });
  const own = pods.filter(ownedBy(workload));
  if (workload.kind !== 'StatefulSet' && workload.kind !== 'DaemonSet') return own;
  if ((numberAt(workload, 'status', 'observedGeneration') ?? 0) < (workload.metadata.generation ?? 0)) return [];
  const revision =
    workload.kind === 'StatefulSet' ? textAt(workload, 'status', 'updateRevision') : daemonRevision(workload, own);
  return own.filter((each) => revisionOf(each) === revision);
}

/** Of Argo: its ReplicaSets and their pods carry the hash that its status names. */
function podsOfRollout(workload: KubeObject, { replicaSets, pods }: Family): readonly KubeObject[] {
  const hash = textAt(workload, 'status', 'currentPodHash');
  if (hash === undefined || notObserved(workload, { generation: undefined }) !== undefined) return [];
  const current = replicaSets
    .filter(ownedBy(workload))
    .find(({ metadata }) => metadata.labels?.['rollouts-pod-template-hash'] === hash);
  return current === undefined ? [] : pods.filter(ownedBy(current));
}

/** Pods of another revision that a StatefulSet waits for before it replaces them: only one that keeps an order does. */
export function blockedBy(set: KubeObject, pods: readonly KubeObject[]): readonly KubeObject[] {
  const policy = textAt(set, 'spec', 'podManagementPolicy');
  if (policy === 'Parallel' || textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return [];
  const revision = textAt(set, 'status', 'updateRevision');
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const ordinal = ({ metadata }: KubeObject): number => Number(metadata.name.split('-').at(-1));
  return pods
    .filter(ownedBy(set))
    .filter((pod) => revisionOf(pod) !== revision && ordinal(pod) >= partition)
    .filter((pod) => pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status !== 'True');
}

const revisionOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.['controller-revision-hash'];

/** No field of it names its revision; its pods carry the number of the template that they were made from. */
function daemonRevision({ metadata }: KubeObject, own: readonly KubeObject[]): string | undefined {
  const template = metadata.annotations?.['deprecated.daemonset.template.generation'];
  const made = own.find((each) => each.metadata.labels?.['pod-template-generation'] === template);
  return template === undefined || made === undefined ? 'none yet' : revisionOf(made);
}

/** The one that carries the workload's template, found as its controller finds it: of equal ones the oldest. */
export function currentReplicaSet(workload: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined {
  const wanted = templateOf(workload);
  return sets
    .filter(ownedBy(workload))
    .filter((each) => templateOf(each) === wanted)
    .sort(byAge)[0];
}

/** Without the label that the controller adds to a ReplicaSet's. */
function templateOf(object: KubeObject): string {
  const template = fieldAt(object, 'spec', 'template');
  const labels = fieldAt(template, 'metadata', 'labels');
  const { 'pod-template-hash': _hash, ...own } = isFields(labels) ? labels : {};
  const metadata = fieldAt(template, 'metadata');
  return canonicalJson({
    spec: fieldAt(template, 'spec'),
    metadata: { ...(isFields(metadata) ? metadata : {}), labels: own },
  });
}

const byAge = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;

/** At most `most` different ones, fatal first. */
export function distinct(troubles: readonly PodTrouble[], most: number): readonly PodTrouble[] {
  const sorted = [...troubles].sort((a, b) => Number(b.fatal) - Number(a.fatal));
  const seen = new Set<string>();
  return sorted
    .filter(({ container = '', reason }) => {
      const key = `${container}/${reason}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, most);
}

/** What an event may be about. Objects of several kinds often have one name: an autoscaler is called like its Deployment. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
  /** Pods of a StatefulSet come again with the name of those before them. */
  readonly uid?: string | undefined;
}

/**
 * Warning events about these, each once with its count: `FailedMount x3: ...`. Newest last, and those of pods after all
 * others: what a probe or a volume got is said of a pod.
 */
export function warningsAbout(
  subjects: readonly Subject[],
  events: readonly KubeObject[],
  most: number,
): readonly string[] {
  const isAbout = (event: KubeObject): boolean =>
    subjects.some(({ kind, name, uid }) => {
      const of = textAt(event, 'involvedObject', 'uid');
      const isSame = uid === undefined || of === undefined || uid === of;
      return isSame && kind === kindOf(event) && name === textAt(event, 'involvedObject', 'name');
    });
  return events
    .filter((event) => textAt(event, 'type') === 'Warning' && isAbout(event))
    .sort((a, b) => Number(kindOf(a) === 'Pod') - Number(kindOf(b) === 'Pod') || seenAt(a) - seenAt(b))
    .map((event) => {
      const times = numberAt(event, 'count') ?? numberAt(event, 'series', 'count') ?? 1;
      const of = textAt(event, 'involvedObject', 'name') ?? '';
      return `${textAt(event, 'reason') ?? ''}${times > 1 ? ` x${times}` : ''} (${of}): ${textAt(event, 'message') ?? ''}`;
    })
    .filter((line, index, all) => all.lastIndexOf(line) === index)
    .slice(-most);
}

const kindOf = (event: KubeObject): string | undefined => textAt(event, 'involvedObject', 'kind');

/** A list of events is in the order of their names, which says nothing of time. */
function seenAt(event: KubeObject): number {
  const times = [
    textAt(event, 'series', 'lastObservedTime'),
    textAt(event, 'lastTimestamp'),
    textAt(event, 'eventTime'),
    event.metadata.creationTimestamp,
  ].map((time) => Date.parse(time ?? ''));
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
