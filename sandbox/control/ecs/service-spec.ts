import { inUse } from '../../core/targets.ts';
import type {
  CircuitBreaker,
  DeploymentAlarms,
  DeploymentConfiguration,
  LoadBalancerBinding,
  NativeStrategy,
  State,
  TaskTemplate,
  TrafficSwap,
} from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { flagIn, type Input, numberIn, objectIn, objectsIn, refuse, textIn, textsIn } from './input.ts';

/** What the sandbox does not model is refused by name, so that nobody rehearses with a setting that does nothing. */
export function notModelled(what: string): never {
  throw new Refused('UnsupportedFeatureException', `The sandbox does not model ${what}`);
}

const USUAL_BREAKER: CircuitBreaker = {
  enable: false,
  rollback: false,
  resetOnHealthyTask: true,
  threshold: { type: 'BOUNDED_PERCENT', value: 50 },
};
export const USUAL_CONFIGURATION: DeploymentConfiguration = {
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  circuitBreaker: USUAL_BREAKER,
};

/** `deploymentConfiguration` of a call; what it leaves out stays as it was. */
export function configurationIn(input: Input, before: DeploymentConfiguration): DeploymentConfiguration {
  const given = objectIn(input, 'deploymentConfiguration');
  if (given === undefined) return before;
  refuseUnplayed(given);
  const minimumHealthyPercent = numberIn(given, 'minimumHealthyPercent') ?? before.minimumHealthyPercent;
  const maximumPercent = numberIn(given, 'maximumPercent') ?? before.maximumPercent;
  if (minimumHealthyPercent === 100 && maximumPercent === 100) {
    refuse('Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.');
  }
  if (minimumHealthyPercent < 0 || maximumPercent < Math.max(1, minimumHealthyPercent)) {
    refuse('minimumHealthyPercent must be at least 0, and maximumPercent at least minimumHealthyPercent.');
  }
  const strategy = strategyIn(given, before.strategy);
  const alarms = alarmsIn(given, before.alarms);
  return {
    minimumHealthyPercent,
    maximumPercent,
    circuitBreaker: breakerIn(given, before.circuitBreaker),
    ...(strategy === undefined ? {} : { strategy }),
    ...(alarms === undefined ? {} : { alarms }),
  };
}

function refuseUnplayed(given: Input): void {
  if ((objectsIn(given, 'lifecycleHooks') ?? []).length > 0) notModelled('deployment lifecycle hooks');
  if (objectIn(given, 'earlySuccessCriteria')?.['enable'] === true) notModelled('early success criteria');
}

/** What a call leaves out stays; the usual figures are those of the API reference. */
function strategyIn(given: Input, before: NativeStrategy | undefined): NativeStrategy | undefined {
  const kind = textIn(given, 'strategy') ?? before?.kind ?? 'ROLLING';
  const bake = (numberIn(given, 'bakeTimeInMinutes') ?? 0) * MINUTE;
  if (bake < 0 || bake > 1_440 * MINUTE) refuse('bakeTimeInMinutes must be between 0 and 1440.');
  switch (kind) {
    case 'ROLLING':
      return undefined;
    case 'BLUE_GREEN':
      return { kind, bake };
    case 'LINEAR': {
      const linear = objectIn(given, 'linearConfiguration');
      const steps = { value: linear && numberIn(linear, 'stepPercent'), usual: 10, least: 3, member: 'stepPercent' };
      return { kind, bake, share: shareIn(steps), stepBake: stepBakeIn(linear, 'stepBakeTimeInMinutes') };
    }
    case 'CANARY': {
      const canary = objectIn(given, 'canaryConfiguration');
      const part = {
        value: canary && numberIn(canary, 'canaryPercent'),
        usual: 5,
        least: 0.1,
        member: 'canaryPercent',
      };
      return { kind, bake, share: shareIn(part), stepBake: stepBakeIn(canary, 'canaryBakeTimeInMinutes') };
    }
    default:
      return refuse(`Invalid deployment strategy: ${kind}`);
  }
}

const MINUTE = 60_000;

interface Share {
  readonly value: number | undefined;
  readonly usual: number;
  readonly least: number;
  readonly member: string;
}

function shareIn({ value, usual, least, member }: Share): number {
  const share = value ?? usual;
  if (share < least || share > 100) refuse(`${member} must be between ${least} and 100.`);
  return share;
}

function stepBakeIn(given: Input | undefined, member: string): number {
  const minutes = (given && numberIn(given, member)) ?? 10;
  if (minutes < 0 || minutes > 1_440) refuse(`${member} must be between 0 and 1440.`);
  return minutes * MINUTE;
}

function alarmsIn(given: Input, before: DeploymentAlarms | undefined): DeploymentAlarms | undefined {
  const alarms = objectIn(given, 'alarms');
  if (alarms === undefined) return before;
  const names = textsIn(alarms, 'alarmNames') ?? refuse('alarms.alarmNames is required.');
  const enable = flagIn(alarms, 'enable') ?? refuse('alarms.enable is required.');
  const rollback = flagIn(alarms, 'rollback') ?? refuse('alarms.rollback is required.');
  return enable ? { names, rollback } : undefined;
}

const THRESHOLDS = ['BOUNDED_PERCENT', 'UNBOUNDED_PERCENT', 'COUNT'] as const;

function breakerIn(given: Input, before: CircuitBreaker): CircuitBreaker {
  const breaker = objectIn(given, 'deploymentCircuitBreaker');
  if (breaker === undefined) return before;
  const threshold = objectIn(breaker, 'thresholdConfiguration');
  const type = THRESHOLDS.find((one) => one === (threshold?.['type'] ?? before.threshold.type));
  const value = threshold === undefined ? before.threshold.value : numberIn(threshold, 'value');
  if (type === undefined || value === undefined || value < 1) {
    refuse(`thresholdConfiguration needs a type of ${THRESHOLDS.join(', ')} and a value of at least 1.`);
  }
  return {
    enable: flagIn(breaker, 'enable') ?? refuse('deploymentCircuitBreaker.enable is required.'),
    rollback: flagIn(breaker, 'rollback') ?? refuse('deploymentCircuitBreaker.rollback is required.'),
    resetOnHealthyTask: flagIn(breaker, 'resetOnHealthyTask') ?? before.resetOnHealthyTask,
    threshold: { type, value },
  };
}

/** `loadBalancers` of a call; undefined when it is left out, for an empty list means none. */
export function loadBalancersIn(input: Input): readonly LoadBalancerBinding[] | undefined {
  return objectsIn(input, 'loadBalancers')?.map((one) => {
    if (one['loadBalancerName'] !== undefined) notModelled('Classic Load Balancers');
    const swap = swapIn(objectIn(one, 'advancedConfiguration'));
    return {
      ...(swap === undefined ? {} : { swap }),
      targetGroupArn: textIn(one, 'targetGroupArn') ?? refuse('targetGroupArn is required.'),
      containerName: textIn(one, 'containerName') ?? refuse('containerName is required.'),
      containerPort: numberIn(one, 'containerPort') ?? refuse('containerPort is required.'),
    };
  });
}

function swapIn(advanced: Input | undefined): TrafficSwap | undefined {
  if (advanced === undefined) return undefined;
  const testListenerRule = textIn(advanced, 'testListenerRule');
  return {
    alternateTargetGroupArn:
      textIn(advanced, 'alternateTargetGroupArn') ?? refuse('alternateTargetGroupArn is required.'),
    productionListenerRule: textIn(advanced, 'productionListenerRule') ?? refuse('productionListenerRule is required.'),
    roleArn: textIn(advanced, 'roleArn') ?? refuse('roleArn is required.'),
    ...(testListenerRule === undefined ? {} : { testListenerRule }),
  };
}

/** A native strategy moves traffic between two groups that the rule has already. */
export function checkStrategy(
  state: State,
  { strategy }: DeploymentConfiguration,
  bindings: readonly LoadBalancerBinding[],
): void {
  if (strategy === undefined) return;
  if (bindings.length === 0) notModelled(`the deployment strategy ${strategy.kind} without a load balancer`);
  for (const { swap } of bindings) {
    if (swap === undefined) refuse(`The deployment strategy ${strategy.kind} needs advancedConfiguration.`);
    if (!inUse(state, swap.alternateTargetGroupArn))
      refuse('Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule.');
  }
}

/** The bindings against what exists, in the service's order: target groups, then containers. */
export function checkBindings(state: State, bindings: readonly LoadBalancerBinding[], template: TaskTemplate): void {
  for (const { targetGroupArn, containerName, containerPort } of bindings) {
    if (state.targetGroups[targetGroupArn] === undefined) refuse(`The target group ${targetGroupArn} does not exist.`);
    if (!inUse(state, targetGroupArn)) {
      refuse(`The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`);
    }
    const container = template.containers.find(({ name }) => name === containerName);
    if (container === undefined) refuse(`The container ${containerName} does not exist in the task definition.`);
    if (!container.ports.includes(containerPort)) {
      refuse(`The container ${containerName} did not have a container port ${containerPort} defined.`);
    }
  }
}

/** `healthCheckGracePeriodSeconds` in milliseconds; undefined when it is left out. */
export function gracePeriodIn(input: Input, bindings: readonly LoadBalancerBinding[]): number | undefined {
  const given = numberIn(input, 'healthCheckGracePeriodSeconds');
  if (given === undefined) return undefined;
  if (given < 0 || given > 2_147_483_647) refuse('healthCheckGracePeriodSeconds must be between 0 and 2147483647.');
  if (bindings.length === 0) {
    refuse('Health check grace period is only valid for services configured to use load balancers');
  }
  return given * 1_000;
}

export function desiredCountIn(input: Input): number | undefined {
  const given = numberIn(input, 'desiredCount');
  if (given !== undefined && (!Number.isInteger(given) || given < 0)) refuse('desiredCount must not be negative.');
  return given;
}
