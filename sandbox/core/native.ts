import type { ServiceSpec } from './messages.ts';
import { putServiceDeployment, type Turn, wake } from './turn.ts';
import type {
  LifecycleStage,
  LoadBalancerBinding,
  NativeProgress,
  NativeStrategy,
  Service,
  ServiceDeployment,
} from './types.ts';

/*
 * BLUE_GREEN, LINEAR and CANARY: the new revision is started whole beside the old one, in the other target group, and gets
 * the traffic by weights. The old tasks stay until CLEAN_UP, so that a roll back is one change of weights. Hooks are not
 * modelled, so PRE_PRODUCTION_TRAFFIC_SHIFT does not appear.
 */
const ORDER: readonly LifecycleStage[] = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
];

export const RECONCILING: NativeProgress = { stage: 'RECONCILE_SERVICE', until: undefined, production: 0, test: 0 };

/** The bindings with the target group that does not serve now; on a first deployment the one that is named. */
export function idleSide(
  turn: Turn,
  service: Service,
  { loadBalancers }: Pick<ServiceSpec, 'loadBalancers'>,
): readonly LoadBalancerBinding[] {
  const serving = turn.state.revisions[service.lastCompletedRevision ?? '']?.loadBalancers ?? [];
  return loadBalancers.map((binding) => {
    const taken = serving.some(({ targetGroupArn }) => targetGroupArn === binding.targetGroupArn);
    return taken && binding.swap !== undefined
      ? { ...binding, targetGroupArn: binding.swap.alternateTargetGroupArn, swap: swapped(binding) }
      : binding;
  });
}

const swapped = ({ targetGroupArn, swap }: LoadBalancerBinding): NonNullable<LoadBalancerBinding['swap']> => ({
  ...(swap as NonNullable<LoadBalancerBinding['swap']>),
  alternateTargetGroupArn: targetGroupArn,
});

const currentOf = (turn: Turn, service: Service): ServiceDeployment | undefined =>
  turn.state.serviceDeployments[service.currentServiceDeployment ?? ''];

/** How far the deployment is, while it goes forward. */
export function nativeOf(turn: Turn, service: Service): NativeProgress | undefined {
  const current = currentOf(turn, service);
  return current?.status === 'IN_PROGRESS' || current?.status === 'PENDING' ? current.native : undefined;
}

/** The revision whose tasks are not touched now, because a roll back would need them. */
export function keptRevision(turn: Turn, service: Service): string | undefined {
  const native = nativeOf(turn, service);
  return native === undefined || native.stage === 'CLEAN_UP' ? undefined : service.lastCompletedRevision;
}

/** Goes one stage, or one step of the shift, further when it is time. */
export function advanceNative(turn: Turn, serviceArn: string, healthy: number): void {
  const service = turn.state.services[serviceArn];
  const current = service === undefined ? undefined : currentOf(turn, service);
  const strategy = current?.configuration.strategy;
  if (service === undefined || current?.status !== 'IN_PROGRESS' || strategy === undefined) return;
  const native = current.native ?? RECONCILING;
  if (native.stage === 'CLEAN_UP' || (native.until !== undefined && native.until > turn.now)) return;
  if (native.stage === 'SCALE_UP' && healthy < service.desiredCount) return;
  const next = advanced(turn, native, strategy);
  putServiceDeployment(turn, { ...current, native: next });
  if (next.production !== native.production) shift(turn, current.targetRevisionArn, { production: next.production });
  if (next.test !== native.test) shift(turn, current.targetRevisionArn, { test: next.test });
  wake(turn, serviceArn);
}

function advanced(turn: Turn, native: NativeProgress, strategy: NativeStrategy): NativeProgress {
  const shifting = native.stage === 'PRODUCTION_TRAFFIC_SHIFT' && native.production < 100;
  const stage = shifting ? native.stage : (ORDER[ORDER.indexOf(native.stage) + 1] ?? 'CLEAN_UP');
  const soon = turn.now + turn.state.pace.stage;
  switch (stage) {
    case 'SCALE_UP':
    case 'CLEAN_UP':
      return { ...native, stage, until: undefined };
    case 'TEST_TRAFFIC_SHIFT':
      return { ...native, stage, until: soon, test: 100 };
    case 'PRODUCTION_TRAFFIC_SHIFT': {
      const production = nextWeight(native.production, strategy);
      const last = production === 100 || strategy.kind === 'BLUE_GREEN';
      return { ...native, stage, production, until: last ? soon : turn.now + strategy.stepBake };
    }
    case 'BAKE_TIME':
      return { ...native, stage, until: turn.now + strategy.bake };
    default:
      return { ...native, stage, until: soon };
  }
}

function nextWeight(before: number, strategy: NativeStrategy): number {
  switch (strategy.kind) {
    case 'BLUE_GREEN':
      return 100;
    case 'LINEAR':
      return Math.min(100, before + strategy.share);
    case 'CANARY':
      return before === 0 ? strategy.share : 100;
  }
}

/** All traffic to where it was before the revision came. */
export function shiftBack(turn: Turn, service: Service, revisionArn: string): void {
  const current = currentOf(turn, service);
  shift(turn, revisionArn, { production: 0, test: 0 });
  if (current?.native !== undefined)
    putServiceDeployment(turn, { ...current, native: { ...current.native, until: undefined, production: 0, test: 0 } });
}

function shift(turn: Turn, revisionArn: string, to: { readonly production?: number; readonly test?: number }): void {
  for (const { targetGroupArn, swap } of turn.state.revisions[revisionArn]?.loadBalancers ?? []) {
    if (swap === undefined) continue;
    const weights = (share: number) => ({ [targetGroupArn]: share, [swap.alternateTargetGroupArn]: 100 - share });
    if (to.production !== undefined)
      turn.effects.push({
        kind: 'shift-traffic',
        ruleArn: swap.productionListenerRule,
        weights: weights(to.production),
      });
    if (to.test !== undefined && swap.testListenerRule !== undefined)
      turn.effects.push({ kind: 'shift-traffic', ruleArn: swap.testListenerRule, weights: weights(to.test) });
  }
}
