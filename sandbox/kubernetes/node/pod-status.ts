import { type ContainerNow, statusOf } from './container.ts';
import type { Pod } from './types.ts';

/** What a kubelet would say about a pod whose containers are so. */
export interface PodNow {
  readonly pod: Pod;
  readonly ip: string;
  readonly hostIp: string;
  readonly startedAt: string;
  readonly init: readonly ContainerNow[];
  readonly containers: readonly ContainerNow[];
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

const exitOf = ({ state }: ContainerNow): number | undefined =>
  'terminated' in state ? state.terminated.exitCode : undefined;

const isRunning = ({ state }: ContainerNow): boolean => 'running' in state;

function phaseOf({ pod, init, containers }: PodNow): Phase {
  const isOver = pod.spec.restartPolicy === 'Never' || pod.spec.restartPolicy === 'OnFailure';
  if (isOver && init.some((each) => (exitOf(each) ?? 0) !== 0) && pod.spec.restartPolicy === 'Never') return 'Failed';
  const exits = containers.map(exitOf);
  if (isOver && exits.every((code) => code !== undefined)) {
    if (exits.every((code) => code === 0)) return 'Succeeded';
    if (pod.spec.restartPolicy === 'Never') return 'Failed';
  }
  // A container that waits for its restart belongs to a pod that runs.
  const hasStarted = containers.some(
    (each) => isRunning(each) || each.last !== undefined || exitOf(each) !== undefined,
  );
  return hasStarted ? 'Running' : 'Pending';
}

/** The whole of `status`, for a merge patch. */
export function podStatus(now: PodNow): Readonly<Record<string, unknown>> {
  const { pod, init, containers, ip, hostIp, startedAt } = now;
  const phase = phaseOf(now);
  const isInitialized = init.every((each) => exitOf(each) === 0);
  const isReady = phase === 'Running' && containers.every(({ ready }) => ready);
  const unready = containers.filter(({ ready }) => !ready).map(({ container }) => container.name);
  const condition = (type: string, status: boolean, more: object = {}): object => ({
    type,
    status: status ? 'True' : 'False',
    lastTransitionTime: startedAt,
    ...more,
  });
  const why =
    isReady || phase === 'Succeeded'
      ? {}
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  return {
    phase,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    podIP: ip,
    podIPs: [{ ip }],
    startTime: startedAt,
    conditions: [
      condition('PodScheduled', true),
      condition('Initialized', isInitialized),
      condition('ContainersReady', isReady, why),
      condition('Ready', isReady, why),
    ],
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map(statusOf) }),
    containerStatuses: containers.map(statusOf),
    observedGeneration: (pod.metadata as { readonly generation?: number }).generation,
  };
}
