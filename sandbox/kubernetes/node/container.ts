import { createHash } from 'node:crypto';
import type { Container, ContainerState, Moment, Terminated } from './types.ts';

/** What a container is now, and what was before its last restart. */
export interface ContainerNow {
  readonly container: Container;
  readonly state: ContainerState;
  readonly last?: Terminated;
  readonly ready: boolean;
  readonly restarts: number;
  /** Lines of the running or last ended process, and of the one before. */
  readonly log: readonly string[];
  readonly previousLog?: readonly string[];
}

export const waitingContainer = (container: Container, reason = 'ContainerCreating'): ContainerNow => ({
  container,
  state: { waiting: { reason } },
  ready: false,
  restarts: 0,
  log: [],
});

/** The container after a moment of its life. */
export function after(before: ContainerNow, moment: Moment, now: Date): ContainerNow {
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  switch (moment.state) {
    case 'pulling':
      return before;
    case 'waiting':
      return { ...before, ...ended(before), state: { waiting: waitingFor(moment) }, ready: false };
    case 'running':
      return running(before, moment, time);
    case 'terminated':
      return {
        ...before,
        ready: false,
        log: [...before.log, ...(moment.log ?? [])],
        state: {
          terminated: {
            exitCode: moment.exitCode ?? 0,
            reason: moment.reason ?? 'Completed',
            startedAt: 'running' in before.state ? before.state.running.startedAt : time,
            finishedAt: time,
            containerID: containerId(before),
          },
        },
      };
  }
}

const waitingFor = ({ reason = 'ContainerCreating', message }: Moment): { reason: string; message?: string } =>
  message === undefined ? { reason } : { reason, message };

const ended = ({ state }: ContainerNow): Pick<ContainerNow, 'last'> =>
  'terminated' in state ? { last: state.terminated } : {};

function running(before: ContainerNow, { ready = false, log = [] }: Moment, time: string): ContainerNow {
  if ('running' in before.state) return { ...before, ready, log: [...before.log, ...log] };
  const isRestart = before.last !== undefined || 'terminated' in before.state;
  return {
    ...before,
    ...ended(before),
    state: { running: { startedAt: time } },
    ready,
    restarts: before.restarts + (isRestart ? 1 : 0),
    log,
    ...(isRestart ? { previousLog: before.log } : {}),
  };
}

const containerId = ({ container, restarts }: ContainerNow): string =>
  `containerd://${createHash('sha256').update(`${container.name} ${container.image} ${restarts}`).digest('hex')}`;

/** As it stands in `status.containerStatuses`. */
export function statusOf(now: ContainerNow): Readonly<Record<string, unknown>> {
  const { container, state, last, ready, restarts } = now;
  const isRunning = 'running' in state;
  const digest = createHash('sha256').update(container.image).digest('hex');
  return {
    name: container.name,
    image: container.image,
    imageID: 'waiting' in state && last === undefined ? '' : `${container.image.split('@')[0]}@sha256:${digest}`,
    ready,
    started: isRunning,
    restartCount: restarts,
    state,
    lastState: last === undefined ? {} : { terminated: last },
    ...(isRunning ? { containerID: containerId(now) } : {}),
  };
}
