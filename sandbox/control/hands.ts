import { targetsOf } from '../core/core.ts';
import type { Effect, Event } from '../core/types.ts';
import type { CheckHealth, LoadBalancers, TaskExit, TaskRunner } from '../plane/types.ts';
import type { ImageStore } from './images.ts';
import type { CarryOut } from './region.ts';

export interface Hands {
  readonly runner: TaskRunner;
  readonly balancers: LoadBalancers;
  readonly checkHealth: CheckHealth;
  readonly images: ImageStore;
  readonly region: string;
  /** ECS's own change of a listener rule. */
  shift(ruleArn: string, weights: Readonly<Record<string, number>>): Promise<void>;
  /** Tells the core what happened by itself. */
  tell(event: Event): void;
}

type StartTask = Extract<Effect, { kind: 'start-task' }>;
type TaskState = 'starting' | 'running' | 'one-off' | 'stopped-early';

/** The core's effects on processes and sockets that really exist. */
export function carryingOut(hands: Hands): CarryOut {
  const tasks = new Map<string, TaskState>();

  async function start({ id, image, environment, containerPort, oneOff }: StartTask): Promise<Event | undefined> {
    tasks.set(id, 'starting');
    const found = await hands.images.resolve(image, hands.region);
    if (tasks.get(id) === 'stopped-early') return gone(id);
    if (found.kind === 'missing') {
      tasks.delete(id);
      return { kind: 'task-start-failed', id, reason: found.reason };
    }
    const exited = (exit: TaskExit): void => {
      tasks.delete(id);
      hands.tell({ kind: 'task-exited', id, code: exit.code, signal: exit.signal });
    };
    try {
      const command = oneOff === undefined ? {} : { command: oneOff.command };
      const spec = { id, image, tag: found.tag, digest: found.digest, environment, containerPort, ...command };
      const address = await hands.runner.start(spec, exited);
      if (tasks.has(id)) tasks.set(id, oneOff === undefined ? 'running' : 'one-off');
      return { kind: 'task-started', id, address };
    } catch (error) {
      // A process that ended before it listened was told as an exit already; anything else is the platform's failure.
      if (!tasks.delete(id)) return undefined;
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'task-start-failed', id, reason: `ResourceInitializationError: ${why}` };
    }
  }

  const gone = (id: string): Event => {
    tasks.delete(id);
    return { kind: 'task-exited', id, code: null, signal: 'SIGTERM' };
  };

  async function stop(id: string, grace: number): Promise<Event | undefined> {
    if (!tasks.has(id) || tasks.get(id) === 'one-off') return gone(id);
    if (tasks.get(id) === 'starting') tasks.set(id, 'stopped-early');
    await hands.runner.stop(id, grace);
    return undefined;
  }

  return async (effect, state) => {
    switch (effect.kind) {
      case 'start-task':
        return start(effect);
      case 'stop-task':
        return stop(effect.id, effect.grace);
      case 'check-health': {
        const { targetGroupArn, targetId, check } = effect;
        const answer = await hands.checkHealth(effect.address, effect.path, effect.timeout);
        return { kind: 'health-answer', targetGroupArn, targetId, check, answer };
      }
      case 'shift-traffic':
        await hands.shift(effect.ruleArn, effect.weights);
        return undefined;
      case 'targets-changed':
        hands.balancers.setTargets(effect.targetGroupArn, targetsOf(state(), effect.targetGroupArn));
        return undefined;
    }
  };
}
