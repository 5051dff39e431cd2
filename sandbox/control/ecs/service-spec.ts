import { inUse } from '../../core/targets.ts';
import type {
  CircuitBreaker,
  DeploymentConfiguration,
  LoadBalancerBinding,
  State,
  TaskTemplate,
} from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { flagIn, type Input, numberIn, objectIn, objectsIn, refuse, textIn } from './input.ts';

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
  refuseStrategies(given);
  const minimumHealthyPercent = numberIn(given, 'minimumHealthyPercent') ?? before.minimumHealthyPercent;
  const maximumPercent = numberIn(given, 'maximumPercent') ?? before.maximumPercent;
  if (minimumHealthyPercent === 100 && maximumPercent === 100) {
    refuse('Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.');
  }
  if (minimumHealthyPercent < 0 || maximumPercent < Math.max(1, minimumHealthyPercent)) {
    refuse('minimumHealthyPercent must be at least 0, and maximumPercent at least minimumHealthyPercent.');
  }
  return { minimumHealthyPercent, maximumPercent, circuitBreaker: breakerIn(given, before.circuitBreaker) };
}

function refuseStrategies(given: Input): void {
  const strategy = textIn(given, 'strategy') ?? 'ROLLING';
  if (strategy !== 'ROLLING') notModelled(`the deployment strategy ${strategy}`);
  if ((objectsIn(given, 'lifecycleHooks') ?? []).length > 0) notModelled('deployment lifecycle hooks');
  if (objectIn(given, 'alarms')?.['enable'] === true) notModelled('deployment alarms');
  if (objectIn(given, 'earlySuccessCriteria')?.['enable'] === true) notModelled('early success criteria');
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
    if (one['advancedConfiguration'] !== undefined) notModelled('loadBalancers.advancedConfiguration');
    return {
      targetGroupArn: textIn(one, 'targetGroupArn') ?? refuse('targetGroupArn is required.'),
      containerName: textIn(one, 'containerName') ?? refuse('containerName is required.'),
      containerPort: numberIn(one, 'containerPort') ?? refuse('containerPort is required.'),
    };
  });
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
