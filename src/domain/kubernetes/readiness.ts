import { rollout } from './argo-rollout.ts';
import { makesItsRoom } from './capacity.ts';
import { customReadiness, route } from './custom-readiness.ts';
import { type KubeObject, fieldAt, groupOf, listAt, numberAt, textAt } from './object.ts';
import {
  type Condition,
  type Judge,
  READY,
  type Readiness,
  type Surroundings,
  bad,
  conditionOf,
  count,
  notObserved,
  said,
  waiting,
} from './readiness-state.ts';
import type { SilentNodes } from './silent-nodes.ts';

export { type Readiness, type Surroundings, conditionOf } from './readiness-state.ts';

/** PURE. Judges the object as a whole, never an event: an event may be late, the object is what it is. */
export function readinessOf(object: KubeObject, around: Surroundings): Readiness {
  // What has ended has, also when its ttl takes it away.
  if (object.metadata.deletionTimestamp !== undefined && !hasEnded(object)) return waiting('its deletion');
  const unobserved = notObserved(object, around);
  const judge = JUDGES[`${groupOf(object.apiVersion)}/${object.kind}`];
  if (judge !== undefined) return judge(object, unobserved, around);
  return BUILT_IN_GROUPS.test(groupOf(object.apiVersion)) ? READY : customReadiness(object, unobserved, around);
}

const BUILT_IN_GROUPS = /^$|^(?:apps|batch|autoscaling|policy|extensions)$|\.k8s\.io$(?<!gateway\.networking\.k8s\.io)/;

/**
 * Whether a condition was there before the change that our write made. The controller keeps a passed progress deadline until
 * a change gets on, also when it has seen that change, and that pods could not be made until the ReplicaSet that failed is
 * at none: of a way back they would say that it failed before it began.
 */
function isOfBefore(condition: Condition, type: string, written: KubeObject | undefined): boolean {
  if (written === undefined || notObserved(written, { generation: written.metadata.generation }) === undefined)
    return false;
  const before = conditionOf(written, type);
  return before?.reason === condition.reason && before.lastUpdateTime === condition.lastUpdateTime;
}

/**
 * Whether pods of this version cannot be made. The controller leaves the condition alone while its reason is the same, so a
 * quota that was full before our write and refuses our pods too is told apart from one that has room now by the new
 * ReplicaSet alone.
 */
function cannotMakePods(object: KubeObject, failure: Condition, { written, current }: Surroundings): boolean {
  if (!isOfBefore(failure, 'ReplicaFailure', written)) return true;
  if (current === undefined || notObserved(current, { generation: undefined }) !== undefined) return false;
  // Its own may be of before too, until it has been given the count that is wanted now.
  const given = textAt(current, 'metadata', 'annotations', 'deployment.kubernetes.io/desired-replicas');
  if (given !== String(numberAt(object, 'spec', 'replicas') ?? 1)) return false;
  return conditionOf(current, 'ReplicaFailure')?.status === 'True';
}

/**
 * Whether its own rollout makes the room that a quota has not: old pods end, and the ReplicaSet tries again. Until the last
 * of them has ended there may be none that counts as old; from then on its progress deadline judges.
 */
function waitsForRoom(object: KubeObject, { message }: Condition): boolean {
  const isFirst = object.metadata.annotations?.['deployment.kubernetes.io/revision'] === '1';
  if (isFirst || !message.includes('exceeded quota') || !makesItsRoom(object)) return false;
  const old = count(object, 'status', 'replicas') - count(object, 'status', 'updatedReplicas');
  return old > 0 || conditionOf(object, 'Progressing')?.reason !== 'NewReplicaSetAvailable';
}

function deployment(object: KubeObject, unobserved: string | undefined, around: Surroundings): Readiness {
  if (fieldAt(object, 'spec', 'paused') === true) return bad('it is paused, so nothing is rolled out');
  if (unobserved !== undefined) return waiting(unobserved);
  const progress = conditionOf(object, 'Progressing');
  if (progress?.status === 'False' && progress.reason === 'ProgressDeadlineExceeded')
    if (!isOfBefore(progress, 'Progressing', around.written)) return bad(said(progress));
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status === 'True' && cannotMakePods(object, failure, around))
    return waitsForRoom(object, failure) ? waiting(`room as old pods end (${said(failure)})`) : bad(said(failure));
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const updated = count(object, 'status', 'updatedReplicas');
  const all = count(object, 'status', 'replicas');
  const available = count(object, 'status', 'availableReplicas');
  if (updated < wanted) return waiting(`new pods: ${updated} of ${wanted} are made`);
  if (all > updated) return waiting(`${all - updated} old pods to end`);
  if (available < updated) return waiting(`${available} of ${updated} new pods available`);
  return READY;
}

/** What is left to somebody: it is as the manifest wants it, and nothing of this version is seen to run. */
const unproven = (note: string): Readiness => ({ kind: 'ready', note, unproven: 'yes' });

/** Of OnDelete: those of an older version stay until somebody deletes them; undefined: there are none. */
function leftToBeDeleted(object: KubeObject, all: number, updated: number): Readiness | undefined {
  if (textAt(object, 'spec', 'updateStrategy', 'type') !== 'OnDelete' || all <= updated) return undefined;
  return unproven(`${all - updated} of ${all} pods are of an older version until somebody deletes them: OnDelete`);
}

function statefulSet(object: KubeObject, unobserved: string | undefined): Readiness {
  if (unobserved !== undefined) return waiting(unobserved);
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const updated = count(object, 'status', 'updatedReplicas');
  const ready = count(object, 'status', 'readyReplicas');
  const all = count(object, 'status', 'replicas');
  const toUpdate = Math.max(0, wanted - partition);
  const left = leftToBeDeleted(object, all, updated);
  if (left !== undefined) return left;
  if (updated < toUpdate) return waiting(`${updated} of ${toUpdate} pods updated`);
  if (ready < wanted) return waiting(`${ready} of ${wanted} pods ready`);
  if (all > wanted) return waiting(`${all - wanted} pods to end`);
  const [current, update] = [textAt(object, 'status', 'currentRevision'), textAt(object, 'status', 'updateRevision')];
  if (current === update) return READY;
  if (wanted > 0 && toUpdate === 0)
    return unproven(`none of its ${wanted} pods is of the new version: partition ${partition}`);
  // With OnDelete the controller never makes it the current one.
  const inOrder = partition === 0 && textAt(object, 'spec', 'updateStrategy', 'type') !== 'OnDelete';
  return inOrder ? waiting('the new revision to become the current one') : READY;
}

function daemonSet(object: KubeObject, unobserved: string | undefined, { silent }: Surroundings): Readiness {
  if (unobserved !== undefined) return waiting(unobserved);
  const wanted = count(object, 'status', 'desiredNumberScheduled');
  const updated = count(object, 'status', 'updatedNumberScheduled');
  const available = count(object, 'status', 'numberAvailable');
  const left = leftToBeDeleted(object, count(object, 'status', 'currentNumberScheduled'), updated);
  if (left !== undefined) return left;
  if (silent !== undefined && silent.names.length < wanted) return onOtherNodes(silent, wanted);
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods updated`);
  return available < wanted ? waiting(`${available} of ${wanted} pods available`) : READY;
}

/** A node that is dead keeps no release from being good where it runs. */
function onOtherNodes({ names, available }: SilentNodes, wanted: number): Readiness {
  const others = wanted - names.length;
  const dead = `${names.join(', ')}, ${names.length === 1 ? 'a node that does' : 'nodes that do'} not answer`;
  if (available < others) return waiting(`${available} of ${others} pods available (not counted: ${dead})`);
  return unproven(`its pods are available but for ${dead}`);
}

/** Of a Job: for good or ill. */
export const hasEnded = (object: KubeObject): boolean =>
  groupOf(object.apiVersion) === 'batch' &&
  object.kind === 'Job' &&
  ['Complete', 'Failed'].some((type) => conditionOf(object, type)?.status === 'True');

function job(object: KubeObject): Readiness {
  if (conditionOf(object, 'Complete')?.status === 'True') return READY;
  const failed = [conditionOf(object, 'Failed'), conditionOf(object, 'FailureTarget')].find(
    (condition) => condition?.status === 'True',
  );
  if (failed !== undefined) return bad(said(failed));
  // A running job is not ready: others call it so, and go on beside a migration that has not ended.
  if (fieldAt(object, 'spec', 'suspend') === true) return unproven('it is suspended, so it does not run');
  return waiting(`its end (${count(object, 'status', 'active')} active, ${count(object, 'status', 'failed')} failed)`);
}

function claim(object: KubeObject): Readiness {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Bound') return READY;
  if (phase === 'Lost') return bad('its volume is lost');
  // With WaitForFirstConsumer it is bound when a pod comes; the pod's own wait will tell.
  return { kind: 'ready', note: `not bound yet (${phase ?? 'new'})` };
}

function service(object: KubeObject): Readiness {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return READY;
  const entries = listAt(object, 'status', 'loadBalancer', 'ingress');
  const reached = entries.some((entry) => textAt(entry, 'ip') !== undefined || textAt(entry, 'hostname') !== undefined);
  return reached ? READY : waiting('an address of its load balancer');
}

function pod(object: KubeObject): Readiness {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Succeeded') return READY;
  if (phase === 'Failed')
    return bad(textAt(object, 'status', 'message') ?? textAt(object, 'status', 'reason') ?? 'it failed');
  return conditionOf(object, 'Ready')?.status === 'True' ? READY : waiting('it to be ready');
}

function definition(object: KubeObject): Readiness {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return bad(said(names));
  return conditionOf(object, 'Established')?.status === 'True' && names?.status === 'True'
    ? READY
    : waiting('it to be established');
}

function autoscaler(object: KubeObject): Readiness {
  const active = conditionOf(object, 'ScalingActive');
  // Metrics of new pods come a minute late, and ScalingDisabled is somebody's wish: said, never fatal.
  return active?.status === 'False' ? { kind: 'ready', note: `does not scale yet (${said(active)})` } : READY;
}

function disruptionBudget(object: KubeObject): Readiness {
  const [healthy, wanted] = [count(object, 'status', 'currentHealthy'), count(object, 'status', 'desiredHealthy')];
  return healthy < wanted ? { kind: 'ready', note: `${healthy} of ${wanted} pods healthy` } : READY;
}

function namespace(object: KubeObject): Readiness {
  return textAt(object, 'status', 'phase') === 'Terminating' ? bad('it is being deleted') : READY;
}

/** Without a Deployment around it. */
function replicaSet(object: KubeObject, unobserved: string | undefined): Readiness {
  if (unobserved !== undefined) return waiting(unobserved);
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const available = count(object, 'status', 'availableReplicas');
  return available < wanted ? waiting(`${available} of ${wanted} pods available`) : READY;
}

function apiService(object: KubeObject): Readiness {
  const available = conditionOf(object, 'Available');
  return available?.status === 'True' ? READY : waiting(available === undefined ? 'its service' : said(available));
}

function snapshot(object: KubeObject): Readiness {
  const error = textAt(object, 'status', 'error', 'message');
  if (fieldAt(object, 'status', 'readyToUse') === true) return READY;
  return waiting(error === undefined ? 'its snapshot to be made' : `its snapshot (${error})`);
}

const JUDGES: Readonly<Record<string, Judge>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'batch/Job': job,
  '/PersistentVolumeClaim': claim,
  '/Service': service,
  '/Pod': pod,
  '/Namespace': namespace,
  '/ReplicationController': replicaSet,
  'apps/ReplicaSet': replicaSet,
  'apiregistration.k8s.io/APIService': apiService,
  'snapshot.storage.k8s.io/VolumeSnapshot': snapshot,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'policy/PodDisruptionBudget': disruptionBudget,
  'gateway.networking.k8s.io/HTTPRoute': route,
  'gateway.networking.k8s.io/GRPCRoute': route,
  'gateway.networking.k8s.io/TCPRoute': route,
  'gateway.networking.k8s.io/TLSRoute': route,
  'gateway.networking.k8s.io/UDPRoute': route,
  'argoproj.io/Rollout': rollout,
};

/** Kinds that bring pods of their own, so pods and their events are watched beside them. */
export const makesPods = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean =>
  (groupOf(apiVersion) === 'apps' && /^(?:Deployment|StatefulSet|DaemonSet)$/.test(kind)) ||
  (groupOf(apiVersion) === 'batch' && kind === 'Job') ||
  (groupOf(apiVersion) === 'argoproj.io' && kind === 'Rollout');
