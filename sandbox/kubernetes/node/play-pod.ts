import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from '../kube-api.ts';
import { lifeOf } from './behaviour.ts';
import { type ContainerNow, after, waitingContainer } from './container.ts';
import type { Events } from './events.ts';
import { type PodNow, podStatus } from './pod-status.ts';
import { configProblem, mountProblem } from './references.ts';
import type { Container, Moment, Pod } from './types.ts';

export interface Stage {
  readonly api: KubeApi;
  readonly events: Events;
  /** Fires when the pod is gone or the node stops. */
  readonly signal: AbortSignal;
  /** Called with each new state, so that logs can be read. */
  readonly keep: (now: PodNow) => void;
}

/** How often what was missing is looked for again. */
const RETRY_MS = 1_000;

/** Plays one pod that a node has taken, from its first status until it ends or the signal fires. */
export async function playPod(pod: Pod, place: Pick<PodNow, 'ip' | 'hostIp'>, stage: Stage): Promise<void> {
  const startedAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  let now: PodNow = {
    pod,
    ...place,
    startedAt,
    init: (pod.spec.initContainers ?? []).map((each) => waitingContainer(each, 'PodInitializing')),
    containers: pod.spec.containers.map((each) => waitingContainer(each)),
  };
  const show = async (next: PodNow): Promise<void> => {
    now = next;
    stage.keep(now);
    await report(stage, now);
  };
  await show(now);
  await mounted(pod, stage);
  for (const [index, container] of (pod.spec.initContainers ?? []).entries())
    await live(container, { ...pod, spec: { ...pod.spec, restartPolicy: initPolicy(pod) } }, stage, (moment) =>
      show({ ...now, init: changed(now.init, index, moment) }),
    );
  if (now.init.some(({ state }) => !('terminated' in state) || state.terminated.exitCode !== 0)) return;
  await Promise.all(
    pod.spec.containers.map((container, index) =>
      live(container, pod, stage, (moment) => show({ ...now, containers: changed(now.containers, index, moment) })),
    ),
  );
}

/** An init container runs once, and again after a failure unless its pod is never restarted. */
const initPolicy = ({ spec }: Pod): 'Never' | 'OnFailure' => (spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure');

const changed = (all: readonly ContainerNow[], index: number, moment: Moment): readonly ContainerNow[] =>
  all.map((each, at) => (at === index ? after(each, moment, new Date()) : each));

/** Waits as long as a volume's Secret or ConfigMap is missing. */
async function mounted(pod: Pod, { api, events, signal }: Stage): Promise<void> {
  for (;;) {
    const problem = await mountProblem(api, pod);
    if (problem === undefined) return;
    await events.warn(pod, { reason: 'FailedMount', message: problem });
    await sleep(RETRY_MS, undefined, { signal });
  }
}

async function live(
  container: Container,
  pod: Pod,
  stage: Stage,
  enter: (moment: Moment) => Promise<void>,
): Promise<void> {
  for (;;) {
    const problem = await configProblem(stage.api, pod, container);
    if (problem === undefined) break;
    await enter({ after: 0, state: 'waiting', reason: 'CreateContainerConfigError', message: problem });
    await stage.events.warn(pod, { reason: 'Failed', message: `Error: ${problem}` });
    await sleep(RETRY_MS, undefined, { signal: stage.signal });
  }
  for (const moment of lifeOf(container, pod)) {
    if (moment.after > 0) await sleep(moment.after, undefined, { signal: stage.signal });
    if (moment.state !== 'pulling') await enter(moment);
    if (moment.event !== undefined) await stage.events.warn(pod, moment.event);
  }
}

/** A pod that is gone is no problem of the one who plays it. */
async function report({ api, signal }: Stage, now: PodNow): Promise<void> {
  if (signal.aborted) return;
  const { name, namespace, uid } = now.pod.metadata;
  const patch = { metadata: { uid }, status: podStatus(now) };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  const { status, body } = await api.request('PATCH', path, patch, 'application/merge-patch+json');
  if (status < 300 || status === 404 || status === 409) return;
  throw new Error(`the status of pod ${namespace}/${name} was refused with ${status}: ${JSON.stringify(body)}`);
}
