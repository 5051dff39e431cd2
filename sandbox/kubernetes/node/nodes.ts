import { setTimeout as sleep } from 'node:timers/promises';
import type { Authority } from '../../tls/certificates.ts';
import type { KubeApi } from '../kube-api.ts';
import { isUnschedulable } from './behaviour.ts';
import type { ContainerNow } from './container.ts';
import { type Events, eventsOf } from './events.ts';
import { type KubeletServer, serveKubelet } from './kubelet-server.ts';
import { playPod } from './play-pod.ts';
import type { PodNow } from './pod-status.ts';
import type { Pod } from './types.ts';
import { watchLoop } from './watch-loop.ts';

export interface FakeNodes {
  stop(): Promise<void>;
}

const NODES = ['node-1', 'node-2', 'node-3'];
/** Between the wish to delete a pod and its end: a process that needs a moment to stop. */
const STOP_MS = 30;

interface Played {
  readonly stopping: AbortController;
  readonly done: Promise<void>;
  now: PodNow | undefined;
  isEnding: boolean;
}

/**
 * Three machines that do not exist: pods are bound to them as a scheduler would, and played as the ends of their image
 * tags say (behaviour.ts). Readers of logs reach them through the API server.
 */
export async function startNodes(api: KubeApi, authority: Authority): Promise<FakeNodes> {
  const played = new Map<string, Played>();
  const stopping = new AbortController();
  const events = eventsOf(api);
  const server = await serveKubelet(authority.issue({ name: 'system:node:sandbox', hosts: ['127.0.0.1'] }), (at) =>
    findContainer(played, at),
  );
  await Promise.all(NODES.map((name) => registerNode(api, name, server)));
  const crew = { api, events, played, turn: 0, addresses: 0 };
  const watching = watchLoop(api, '/api/v1/pods', {
    signal: stopping.signal,
    seen: (pod: Pod) => see(crew, pod),
    gone: ({ metadata }: Pod) => forget(played, metadata.uid),
  });
  return {
    async stop() {
      stopping.abort();
      for (const uid of played.keys()) forget(played, uid);
      await Promise.all([watching, server.close()]);
    },
  };
}

interface Crew {
  readonly api: KubeApi;
  readonly events: Events;
  readonly played: Map<string, Played>;
  turn: number;
  addresses: number;
}

async function registerNode(api: KubeApi, name: string, { port }: KubeletServer): Promise<void> {
  const capacity = { cpu: '64', memory: '256Gi', pods: '500' };
  await api.create('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
  });
  await api.merge(`/api/v1/nodes/${name}/status`, {
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the sandbox plays it' }],
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: '127.0.0.1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  await api.merge(`/api/v1/nodes/${name}`, { spec: { taints: null } });
}

function see(crew: Crew, pod: Pod): void {
  const { uid } = pod.metadata;
  const known = crew.played.get(uid);
  if (pod.metadata.deletionTimestamp !== undefined) return end(crew, pod, known);
  if (pod.spec.nodeName === undefined) {
    if (known === undefined)
      crew.played.set(
        uid,
        begin(async (signal) => schedule(crew, pod, signal)),
      );
    return;
  }
  if (known?.now !== undefined || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
  crew.played.set(uid, play(crew, pod));
}

function begin(work: (signal: AbortSignal) => Promise<void>): Played {
  const stopping = new AbortController();
  const done = work(stopping.signal).catch((problem: unknown) => {
    if (!stopping.signal.aborted) process.stderr.write(`sandbox node: ${String(problem)}\n`);
  });
  return { stopping, done, now: undefined, isEnding: false };
}

function play(crew: Crew, pod: Pod): Played {
  crew.addresses += 1;
  const { addresses } = crew;
  const ip = `10.244.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 2}`;
  const hostIp = '127.0.0.1';
  const one = begin(async (signal) => {
    // The record that `keep` writes to is complete only after this turn.
    await Promise.resolve();
    const keep = (now: PodNow): void => void (one.now = now);
    await playPod(pod, { ip, hostIp }, { api: crew.api, events: crew.events, signal, keep });
  });
  one.now = { pod, ip, hostIp, startedAt: '', init: [], containers: [] };
  return one;
}

/** What the scheduler does: DaemonSets name their node, the others are dealt out in turn. */
async function schedule(crew: Crew, pod: Pod, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  if (isUnschedulable(pod)) return refuse(crew, pod, signal);
  crew.turn += 1;
  const target = wantedNode(pod) ?? NODES[crew.turn % NODES.length];
  await crew.api.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: target },
  });
}

const NO_ROOM =
  '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.';
const ASK_AGAIN_MS = 5_000;

async function refuse({ api, events }: Crew, pod: Pod, signal: AbortSignal): Promise<void> {
  const { name, namespace } = pod.metadata;
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: NO_ROOM };
  await api.request(
    'PATCH',
    `/api/v1/namespaces/${namespace}/pods/${name}/status`,
    {
      status: { conditions: [{ ...condition, lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') }] },
    },
    'application/merge-patch+json',
  );
  while (!signal.aborted) {
    await events.warn(pod, { reason: 'FailedScheduling', message: NO_ROOM }, 'default-scheduler');
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly {
        readonly matchFields?: readonly { readonly key: string; readonly values?: readonly string[] }[];
      }[];
    };
  };
}

function wantedNode({ spec }: Pod): string | undefined {
  const terms = (spec.affinity as Affinity | undefined)?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const fields = (terms?.nodeSelectorTerms ?? []).flatMap(({ matchFields = [] }) => matchFields);
  return fields.find(({ key }) => key === 'metadata.name')?.values?.[0];
}

/** The pod was told to end: its process does, and the API server may forget it. */
function end(crew: Crew, pod: Pod, known: Played | undefined): void {
  if (known?.isEnding === true) return;
  known?.stopping.abort();
  const { name, namespace, uid } = pod.metadata;
  const one = begin(async (signal) => {
    await sleep(STOP_MS, undefined, { signal });
    await crew.api.request('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      preconditions: { uid },
    });
  });
  one.isEnding = true;
  one.now = known?.now;
  crew.played.set(uid, one);
}

function forget(played: Map<string, Played>, uid: string): void {
  played.get(uid)?.stopping.abort();
  played.delete(uid);
}

function findContainer(
  played: ReadonlyMap<string, Played>,
  at: { readonly namespace: string; readonly pod: string; readonly container: string },
): ContainerNow | undefined {
  const pods = [...played.values()].flatMap(({ now }) => (now === undefined ? [] : [now]));
  const found = pods.find(({ pod }) => pod.metadata.name === at.pod && pod.metadata.namespace === at.namespace);
  return [...(found?.containers ?? []), ...(found?.init ?? [])].find(
    ({ container }) => container.name === at.container,
  );
}
