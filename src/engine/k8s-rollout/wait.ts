import { type Instant, between, formatDuration, milliseconds, seconds } from '../../domain/duration.ts';
import { hasOtherPods } from '../../domain/kubernetes/as-intended.ts';
import { type KubeObject, describeObject, keyOf, numberAt, refOf } from '../../domain/kubernetes/object.ts';
import {
  type PodTrouble,
  currentReplicaSet,
  leftToItsJob,
  newPodsOf,
  ownedBy,
  troublesOf,
} from '../../domain/kubernetes/pods.ts';
import { type Readiness, makesPods, readinessOf } from '../../domain/kubernetes/readiness.ts';
import { silentNodes } from '../../domain/kubernetes/silent-nodes.ts';
import { PODS, REPLICA_SETS, type Resource } from '../../domain/kubernetes/resource.ts';
import { inParallel } from '../in-parallel.ts';
import { type NodeScalers, nodeScalers } from './node-scalers.ts';
import { AT_ONCE, type K8sTools } from './rollout.ts';
import { type WatchedObjects, watchObjects } from './watch-objects.ts';

/** One object that is waited for, as our write left it. */
export interface Target {
  readonly resource: Resource;
  readonly object: KubeObject;
  /** What we sent; absent: only what the server made of it is known. */
  readonly intent?: KubeObject;
}

/** A target that is not ready, with what its pods say. */
export interface Unready {
  readonly target: Target;
  /** As it is now; absent: it is gone. */
  readonly live: KubeObject | undefined;
  readonly state: Exclude<Readiness, { kind: 'ready' }>;
  readonly troubles: readonly PodTrouble[];
  readonly pods: readonly KubeObject[];
}

export type WaitEnd =
  /** `unproven`: objects of which nobody knows whether they are well, each with why. */
  | { readonly kind: 'ready'; readonly notes: readonly string[]; readonly unproven: readonly string[] }
  | { readonly kind: 'bad' | 'timed-out' | 'superseded'; readonly unready: readonly Unready[] };

export interface Waiting {
  readonly targets: readonly Target[];
  readonly deadline: Instant;
  /** Whether what is waited for is new, or what served before. */
  readonly way: 'there' | 'back';
}

/** Looks again at least this often, for what only time brings (a pod that stays unschedulable). */
const LOOK_EVERY = seconds(5);
const SAY_EVERY = seconds(30);

/** Waits until all are ready, one is bad, or the deadline is there. One LIST and WATCH per kind and namespace. */
export async function waitReady(
  { targets, deadline, way }: Waiting,
  tools: Pick<K8sTools, 'cluster' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<WaitEnd> {
  const { clock } = tools;
  const waitsSince = clock.now();
  const pending = targets.filter((target) => needsLook(target, waitsSince));
  const idle = tellReady(
    targets.filter((target) => !pending.includes(target)).map((each) => readyAtOnce(each, waitsSince)),
  );
  if (pending.length === 0) return idle;
  const over = new AbortController();
  const watchSignal = AbortSignal.any([signal, over.signal]);
  try {
    const view = await openView(pending, tools, watchSignal);
    const end = await look({ pending, deadline, way, waitsSince, view, scalers: nodeScalers(tools) }, tools, signal);
    // What the others noted may be over by now (a claim that was not bound yet); what they do not prove stays so.
    return end.kind === 'ready' ? { ...end, unproven: [...idle.unproven, ...end.unproven] } : end;
  } finally {
    over.abort();
  }
}

/** Ready at once, and nothing that may still turn: config, roles, what did not change and is well. */
const needsLook = (target: Target, now: Instant): boolean => stateAtOnce(target, now).kind !== 'ready';

const stateAtOnce = ({ object, resource }: Target, now: Instant): Readiness =>
  readinessOf(object, { generation: object.metadata.generation, now, waitsSince: now, ...statusOf(resource) });

function readyAtOnce(target: Target, now: Instant): Look {
  const state = stateAtOnce(target, now);
  return state.kind === 'ready' ? readyLook(target.object, state) : { ready: true };
}

const statusOf = ({ status }: Resource): Pick<Resource, 'status'> => (status === undefined ? {} : { status });

interface View {
  find(target: Target): KubeObject | undefined;
  /** One that is gone, as it was seen last. */
  last(target: Target): KubeObject | undefined;
  /** Of the revision that it wants. */
  podsOf(workload: KubeObject): readonly KubeObject[];
  /** Of any revision. */
  allPodsOf(workload: KubeObject): readonly KubeObject[];
  /** Of a Deployment. */
  replicaSetOf(workload: KubeObject): KubeObject | undefined;
  /** Resolves at the next change, rejects when a watch cannot go on. */
  next(): Promise<void>;
}

async function openView(
  pending: readonly Target[],
  tools: Pick<K8sTools, 'cluster' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<View> {
  let wake = Promise.withResolvers<void>();
  wake.promise.catch(() => undefined);
  const hooks = {
    signal,
    changed: () => wake.resolve(),
    failed: (cause: unknown) => wake.reject(cause),
  };
  const watched = new Map<string, { readonly resource: Resource; readonly namespace: string | undefined }>();
  const keyFor = ({ apiVersion, kind }: Resource, namespace = ''): string => `${apiVersion} ${kind} ${namespace}`;
  const add = (resource: Resource, namespace: string | undefined): unknown =>
    watched.set(keyFor(resource, namespace), { resource, namespace });
  for (const { resource, object } of pending) {
    const { namespace } = object.metadata;
    add(resource, namespace);
    if (!makesPods(object)) continue;
    add(PODS, namespace);
    if (object.kind === 'Deployment' || object.kind === 'Rollout') add(REPLICA_SETS, namespace);
  }
  const opened = await inParallel([...watched], AT_ONCE, async ([key, { resource, namespace }]) => {
    return [key, await watchObjects({ resource, scope: { namespace } }, tools, hooks)] as const;
  });
  const views = new Map<string, WatchedObjects>(opened);
  const all = (resource: Resource, namespace: string | undefined): readonly KubeObject[] =>
    views.get(keyFor(resource, namespace))?.all() ?? [];
  const viewOf = ({ resource, object }: Target) => views.get(keyFor(resource, object.metadata.namespace));
  return {
    find: (target) => viewOf(target)?.get(keyOf(refOf(target.object))),
    last: (target) => viewOf(target)?.last(keyOf(refOf(target.object))),
    podsOf(workload) {
      const { namespace } = workload.metadata;
      return newPodsOf(workload, { pods: all(PODS, namespace), replicaSets: all(REPLICA_SETS, namespace) });
    },
    allPodsOf: (workload) => all(PODS, workload.metadata.namespace).filter(ownedBy(workload)),
    replicaSetOf: (workload) => currentReplicaSet(workload, all(REPLICA_SETS, workload.metadata.namespace)),
    async next() {
      await wake.promise;
      wake = Promise.withResolvers();
      wake.promise.catch(() => undefined);
    },
  };
}

interface Looking extends Pick<Waiting, 'deadline' | 'way'> {
  readonly waitsSince: Instant;
  readonly pending: readonly Target[];
  readonly view: View;
  readonly scalers: NodeScalers;
}

async function look(
  { pending, deadline, way, waitsSince, view, scalers }: Looking,
  tools: Pick<K8sTools, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<WaitEnd> {
  const { clock } = tools;
  const say = sayer(tools, deadline);
  for (;;) {
    signal.throwIfAborted();
    const now = clock.now();
    await scalers.ask(
      pending.flatMap((target) => podsOf(view.find(target), view)),
      now,
      signal,
    );
    const looks = pending.map((target) => lookAt(target, { view, way, waitsSince, scalers, now }));
    const unready = looks.filter((each): each is Unready => 'state' in each);
    say(pending, unready);
    const end = endOf(unready);
    if (end !== undefined) return end;
    if (unready.length === 0) return tellReady(looks);
    const left = between(now, deadline);
    if (left <= 0) return { kind: 'timed-out', unready };
    const over = new AbortController();
    const slept = clock.sleep(milliseconds(Math.min(left, LOOK_EVERY)), AbortSignal.any([signal, over.signal]));
    slept.catch(() => undefined);
    try {
      await Promise.race([view.next(), slept]);
    } finally {
      over.abort();
    }
  }
}

function endOf(unready: readonly Unready[]): WaitEnd | undefined {
  const superseded = unready.filter(({ state }) => state.kind === 'superseded');
  if (superseded.length > 0) return { kind: 'superseded', unready: superseded };
  const isBad = ({ state, troubles }: Unready): boolean => state.kind === 'bad' || troubles.some(({ fatal }) => fatal);
  const bad = unready.filter(isBad);
  return bad.length > 0 ? { kind: 'bad', unready: bad } : undefined;
}

type Look = Unready | { readonly note: string } | { readonly unproven: string } | { readonly ready: true };

function podsOf(live: KubeObject | undefined, view: View): readonly KubeObject[] {
  if (live === undefined) return [];
  return makesPods(live) ? view.podsOf(live) : live.kind === 'Pod' ? [live] : [];
}

function lookAt(
  target: Target,
  { view, way, waitsSince, scalers, now }: Omit<Looking, 'pending' | 'deadline'> & { readonly now: Instant },
): Look {
  const live = view.find(target);
  const nothing = { target, live, troubles: [], pods: [] };
  if (live === undefined) return gone(target, view.last(target), now);
  if (live.metadata.uid !== target.object.metadata.uid)
    return { ...nothing, state: { kind: 'superseded', by: 'somebody deleted it and made it again' } };
  if (makesPods(live) && hasOtherPods(live, { written: target.object, intent: target.intent }))
    return {
      ...nothing,
      state: { kind: 'superseded', by: `somebody changed its pods (generation ${live.metadata.generation ?? 0})` },
    };
  const { generation } = target.object.metadata;
  const current = way === 'there' && live.kind === 'Deployment' ? view.replicaSetOf(live) : undefined;
  const silent =
    live.kind === 'DaemonSet'
      ? silentNodes({ all: view.allPodsOf(live), current: view.podsOf(live) }, live, now, waitsSince)
      : undefined;
  const state = readinessOf(live, {
    generation,
    now,
    waitsSince,
    written: target.object,
    ...statusOf(target.resource),
    ...(current === undefined ? {} : { current }),
    ...(silent === undefined ? {} : { silent }),
  });
  if (state.kind === 'ready') return readyLook(live, state);
  const pods = podsOf(live, view);
  const troubles = pods.flatMap((pod) => troublesOf(pod, now, scalers.of(pod)));
  return { target, live, state, pods, troubles: live.kind === 'Job' ? troubles.map(leftToItsJob) : troubles };
}

function readyLook(object: KubeObject, { note, unproven }: Extract<Readiness, { kind: 'ready' }>): Look {
  if (note === undefined) return { ready: true };
  const name = describeObject(object);
  return unproven === undefined ? { note: `${name}: ${note}` } : { unproven: `${name} (${note})` };
}

const tellReady = (looks: readonly Look[]): Extract<WaitEnd, { kind: 'ready' }> => ({
  kind: 'ready',
  notes: looks.flatMap((each) => ('note' in each ? [each.note] : [])),
  unproven: looks.flatMap((each) => ('unproven' in each ? [each.unproven] : [])),
});

/** A Job that has ended goes by itself where it has a ttl: how it ended is what its last look says. */
function gone(target: Target, last: KubeObject | undefined, now: Instant): Look {
  const { metadata, kind } = target.object;
  const nothing = { target, live: undefined, troubles: [], pods: [] };
  const ended = last !== undefined && last.metadata.uid === metadata.uid && kind === 'Job';
  const state = ended ? readinessOf(last, { generation: metadata.generation, now }) : undefined;
  if (state?.kind === 'ready') return { ready: true };
  if (state?.kind === 'bad') return { ...nothing, state };
  const ttl = numberAt(target.object, 'spec', 'ttlSecondsAfterFinished');
  const unseen = `it is gone (ttlSecondsAfterFinished: ${ttl}), and how it ended was not seen; give it more seconds`;
  return { ...nothing, state: { kind: 'bad', why: ttl === undefined ? 'somebody deleted it' : unseen } };
}

/** One line per change, and one now and then while nothing changes. */
function sayer({ clock, log }: Pick<K8sTools, 'clock' | 'log'>, deadline: Instant) {
  const said = new Map<string, string>();
  let at = clock.now();
  return (pending: readonly Target[], unready: readonly Unready[]): void => {
    const open = new Map(unready.map((each) => [keyOf(refOf(each.target.object)), each]));
    for (const { object } of pending) {
      const key = keyOf(refOf(object));
      const line = lineOf(object, open.get(key));
      if (said.get(key) === line) continue;
      // What a pod or a controller says is not ours.
      said.set(key, line);
      log.info(line.replaceAll(/[\r\n]+/g, ' ').replaceAll('::', ': :'));
      at = clock.now();
    }
    if (between(at, clock.now()) < SAY_EVERY || unready.length === 0) return;
    at = clock.now();
    log.info(`Waiting for ${unready.length} objects, ${formatDuration(between(at, deadline))} at most`);
  };
}

function lineOf(object: KubeObject, open: Unready | undefined): string {
  const name = describeObject(object);
  if (open === undefined) return `${name} is ready`;
  const { state, troubles } = open;
  const what = state.kind === 'waiting' ? `waits for ${state.for}` : state.kind === 'bad' ? state.why : state.by;
  // Every pod is not ready for a moment; that is what is waited for.
  const first = troubles.find(({ reason }) => reason !== 'NotReady');
  return `${name} ${what}${first === undefined ? '' : ` (${first.container ?? first.pod}: ${first.text})`}`;
}
