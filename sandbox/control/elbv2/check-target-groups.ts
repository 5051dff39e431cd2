import { isIPv4 } from 'node:net';
import { inRange, Refused } from '../refused.ts';
import { objectOf, objectsOf, textOf, type TreeObject } from '../wire/tree.ts';
import { checkName, type Checked } from './check-listeners.ts';
import { type ElbModel, loadBalancersOf, type TargetGroupView } from './model.ts';

export const targetGroupIn = (input: TreeObject, model: ElbModel): TargetGroupView => {
  const arn = textOf(input['TargetGroupArn']);
  const found = model.targetGroups.find((candidate) => candidate.arn === arn);
  if (found === undefined) throw new Refused('TargetGroupNotFound', 'One or more target groups not found');
  return found;
};

const UNPLAYED_TYPES = new Set(['lambda', 'alb']);

export function checkCreateTargetGroup(input: TreeObject, model: ElbModel): Checked {
  const name = textOf(input['Name']) ?? '';
  checkName(name, 'Target group');
  const type = textOf(input['TargetType']) ?? 'instance';
  if (UNPLAYED_TYPES.has(type))
    throw new Refused('ValidationError', `The sandbox cloud plays targets of type ip and instance, not ${type}`);
  const protocol = textOf(input['Protocol']);
  if (protocol !== undefined && protocol !== 'HTTP' && protocol !== 'HTTPS') {
    throw new Refused(
      'ValidationError',
      `The sandbox cloud plays target groups of protocol HTTP and HTTPS, not ${protocol}`,
    );
  }
  inRange(textOf(input['Port']), 'port', { min: 1, max: 65_535 });
  checkHealthCheck(input, {});
  const same = model.targetGroups.find((candidate) => candidate.name === name);
  if (same === undefined) return undefined;
  if (COMPARED.every((field) => input[field] === undefined || input[field] === same.shown[field])) {
    return { TargetGroups: [withLoadBalancers(same, model)] };
  }
  throw new Refused(
    'DuplicateTargetGroupName',
    `A target group with the same name '${name}' exists, but with different settings`,
  );
}

const COMPARED = ['Protocol', 'Port', 'VpcId', 'TargetType', 'HealthCheckPath', 'HealthCheckIntervalSeconds'] as const;

export function checkModifyTargetGroup(input: TreeObject, model: ElbModel): Checked {
  checkHealthCheck(input, targetGroupIn(input, model).shown);
  return undefined;
}

/** Bounds of the API reference (CreateTargetGroup), which hold for what is given and for what stands already. */
function checkHealthCheck(input: TreeObject, standing: TreeObject): void {
  inRange(textOf(input['HealthCheckIntervalSeconds']), 'healthCheckIntervalSeconds', { min: 5, max: 300 });
  inRange(textOf(input['HealthCheckTimeoutSeconds']), 'healthCheckTimeoutSeconds', { min: 2, max: 120 });
  inRange(textOf(input['HealthyThresholdCount']), 'healthyThresholdCount', { min: 2, max: 10 });
  inRange(textOf(input['UnhealthyThresholdCount']), 'unhealthyThresholdCount', { min: 2, max: 10 });
  if (textOf(input['HealthCheckEnabled']) === 'false') {
    throw new Refused(
      'ValidationError',
      "Health checks cannot be disabled for target groups with target type 'ip' or 'instance'",
    );
  }
  const checked = textOf(input['HealthCheckPort']) ?? 'traffic-port';
  if (checked !== 'traffic-port' && checked !== (textOf(input['Port']) ?? textOf(standing['Port']))) {
    throw new Refused(
      'ValidationError',
      `The sandbox cloud plays health checks on the traffic port, not on ${checked}`,
    );
  }
  const value = (name: string, fallback: number): number =>
    Number(textOf(input[name]) ?? textOf(standing[name]) ?? fallback);
  const interval = value('HealthCheckIntervalSeconds', 30);
  const timeout = value('HealthCheckTimeoutSeconds', 5);
  if (timeout >= interval) {
    throw new Refused(
      'ValidationError',
      `Health check timeout '${timeout}' must be smaller than the interval '${interval}'`,
    );
  }
  const matcher = textOf(objectOf(input['Matcher'])['HttpCode']);
  if (matcher !== undefined && !/^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(matcher)) {
    throw new Refused('ValidationError', `Health check matcher HTTP code '${matcher}' must be within '200-499'`);
  }
}

export function checkDeleteTargetGroup(input: TreeObject, model: ElbModel): Checked {
  const { arn } = targetGroupIn(input, model);
  if (loadBalancersOf(model, arn).length === 0) return undefined;
  throw new Refused('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
}

export function checkModifyAttributes(input: TreeObject, model: ElbModel): Checked {
  targetGroupIn(input, model);
  for (const attribute of objectsOf(input['Attributes'])) {
    if (textOf(attribute['Key']) !== 'deregistration_delay.timeout_seconds') continue;
    const value = textOf(attribute['Value']) ?? '';
    if (/^\d+$/.test(value) && Number(value) <= 3_600) continue;
    const message = `'deregistration_delay.timeout_seconds' value '${value}' must be between '0-3600' inclusive`;
    throw new Refused('ValidationError', message);
  }
  return undefined;
}

export interface GivenTarget {
  readonly ip: string;
  readonly port?: number;
}

export function targetsIn(input: TreeObject, group: TargetGroupView): readonly GivenTarget[] {
  return objectsOf(input['Targets']).map((target) => {
    const ip = textOf(target['Id']) ?? '';
    if (group.targetType !== 'ip') {
      throw new Refused(
        'ValidationError',
        `The sandbox cloud registers targets of type ip by hand, not of type ${group.targetType}`,
      );
    }
    if (!isIPv4(ip)) throw new Refused('ValidationError', `The IP address '${ip}' is not a valid IPv4 address`);
    const port = textOf(target['Port']);
    inRange(port, 'targets.1.member.port', { min: 1, max: 65_535 });
    return port === undefined ? { ip } : { ip, port: Number(port) };
  });
}

/** moto adds a load balancer at creation only, twice at times, and never takes one away. */
export const withLoadBalancers = (group: TargetGroupView, model: ElbModel): TreeObject => ({
  ...group.shown,
  LoadBalancerArns: loadBalancersOf(model, group.arn),
});
