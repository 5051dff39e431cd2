import { inRange, Refused } from '../refused.ts';
import { listOf, objectsOf, textOf, textsOf, type TreeObject } from '../wire/tree.ts';
import { actionsIn, checkActions, checkConditions } from './check-actions.ts';
import { type ElbModel, forwardGroups, type ListenerView, type LoadBalancerView, type RuleView } from './model.ts';

/** Nothing: moto may have it. A tree: the answer, because the same thing exists already and the call is idempotent. */
export type Checked = TreeObject | undefined;
export type Check = (input: TreeObject, model: ElbModel) => Checked;

export function checkCreateLoadBalancer(input: TreeObject, model: ElbModel): Checked {
  const type = textOf(input['Type']) ?? 'application';
  if (type !== 'application')
    throw new Refused('ValidationError', `The sandbox cloud plays application load balancers, not ${type} ones`);
  const name = textOf(input['Name']) ?? '';
  checkName(name, 'Load balancer');
  const subnets = textsOf(input['Subnets']).length > 0 ? textsOf(input['Subnets']) : subnetsMapped(input);
  if (new Set(subnets).size < 2) {
    throw new Refused('ValidationError', 'At least two subnets in two different Availability Zones must be specified');
  }
  const same = model.loadBalancers.find((candidate) => candidate.name === name);
  if (same === undefined) return undefined;
  if (settingsOf(same) === [...new Set(subnets)].sort().join() + (textOf(input['Scheme']) ?? 'internet-facing')) {
    return { LoadBalancers: [same.shown] };
  }
  const message = `A load balancer with the same name '${name}' exists, but with different settings`;
  throw new Refused('DuplicateLoadBalancerName', message);
}

const subnetsMapped = (input: TreeObject): readonly string[] =>
  objectsOf(input['SubnetMappings']).map((mapping) => textOf(mapping['SubnetId']) ?? '');

function settingsOf({ shown }: LoadBalancerView): string {
  const subnets = objectsOf(shown['AvailabilityZones']).map((zone) => textOf(zone['SubnetId']) ?? '');
  return subnets.sort().join() + (textOf(shown['Scheme']) || 'internet-facing');
}

export function checkName(name: string, kind: 'Load balancer' | 'Target group'): void {
  const fails = (rule: string): never => {
    throw new Refused('ValidationError', `${kind} name '${name}' ${rule}`);
  };
  if (name.length > 32) fails("cannot be longer than '32' characters");
  if (!/^[a-zA-Z0-9-]+$/.test(name))
    fails('can only contain characters that are alphanumeric characters or hyphens(-)');
  if (name.startsWith('-') || name.endsWith('-')) fails("cannot begin or end with '-'");
  if (kind === 'Load balancer' && name.startsWith('internal-')) fails("cannot begin with 'internal-'");
}

export const loadBalancerIn = (input: TreeObject, model: ElbModel): LoadBalancerView => {
  const arn = textOf(input['LoadBalancerArn']);
  const found = model.loadBalancers.find((candidate) => candidate.arn === arn);
  if (found === undefined) throw new Refused('LoadBalancerNotFound', 'One or more load balancers not found');
  return found;
};

export const listenerIn = (input: TreeObject, model: ElbModel): ListenerView => {
  const arn = textOf(input['ListenerArn']);
  const found = model.listeners.find((candidate) => candidate.arn === arn);
  if (found === undefined) throw new Refused('ListenerNotFound', 'One or more listeners not found');
  return found;
};

export const ruleIn = (input: TreeObject, model: ElbModel): RuleView => {
  const arn = textOf(input['RuleArn']);
  const found = model.rules.find((candidate) => candidate.arn === arn);
  if (found === undefined) throw new Refused('RuleNotFound', 'One or more rules not found');
  return found;
};

export function checkCreateListener(input: TreeObject, model: ElbModel): Checked {
  const { arn: loadBalancerArn } = loadBalancerIn(input, model);
  inRange(textOf(input['Port']) ?? '', 'port', { min: 1, max: 65_535 });
  const protocol = textOf(input['Protocol']) ?? '';
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') {
    throw new Refused('ValidationError', `Listener protocol '${protocol}' must be one of 'HTTP, HTTPS'`);
  }
  if (protocol === 'HTTPS' && listOf(input['Certificates']).length === 0) {
    throw new Refused('ValidationError', 'A certificate must be specified for HTTPS listeners');
  }
  const actions = actionsIn(input, 'DefaultActions');
  checkActions(actions, { model, loadBalancerArn });
  const same = model.listeners.find(
    (listener) => listener.loadBalancerArn === loadBalancerArn && listener.port === Number(textOf(input['Port'])),
  );
  if (same === undefined) return undefined;
  if (same.protocol === protocol && sameForwards(same.actions, actions)) return { Listeners: [same.shown] };
  const message = `A listener already exists on this port for this load balancer '${loadBalancerArn}'`;
  throw new Refused('DuplicateListener', message);
}

const sameForwards = (a: readonly TreeObject[], b: readonly TreeObject[]): boolean =>
  JSON.stringify(a.map((action) => [action['Type'], forwardGroups(action)])) ===
  JSON.stringify(b.map((action) => [action['Type'], forwardGroups(action)]));

export function checkModifyListener(input: TreeObject, model: ElbModel): Checked {
  const listener = listenerIn(input, model);
  const port = textOf(input['Port']);
  inRange(port, 'port', { min: 1, max: 65_535 });
  const taken = model.listeners.some(
    (other) =>
      other.loadBalancerArn === listener.loadBalancerArn && other.arn !== listener.arn && String(other.port) === port,
  );
  if (taken) throw new Refused('ValidationError', `Listener port '${port}' is already in use`);
  if (input['DefaultActions'] !== undefined) {
    checkActions(actionsIn(input, 'DefaultActions'), { model, loadBalancerArn: listener.loadBalancerArn });
  }
  return undefined;
}

export function checkCreateRule(input: TreeObject, model: ElbModel): Checked {
  const listener = listenerIn(input, model);
  const priority = textOf(input['Priority']);
  inRange(priority ?? '', 'priority', { min: 1, max: 50_000 });
  checkConditions(objectsOf(input['Conditions']));
  checkActions(actionsIn(input, 'Actions'), { model, loadBalancerArn: listener.loadBalancerArn });
  const taken = model.rules.some((rule) => rule.listenerArn === listener.arn && String(rule.priority) === priority);
  if (taken) throw new Refused('PriorityInUse', `Priority '${priority}' is currently in use`);
  return undefined;
}

export function checkModifyRule(input: TreeObject, model: ElbModel): Checked {
  const rule = ruleIn(input, model);
  if (rule.priority === 'default')
    throw new Refused('OperationNotPermitted', `Default rule '${rule.arn}' cannot be modified`);
  checkConditions(objectsOf(input['Conditions']));
  if (input['Actions'] !== undefined) {
    checkActions(actionsIn(input, 'Actions'), { model, loadBalancerArn: rule.loadBalancerArn });
  }
  return undefined;
}

export function checkDeleteRule(input: TreeObject, model: ElbModel): Checked {
  const rule = ruleIn(input, model);
  if (rule.priority === 'default')
    throw new Refused('OperationNotPermitted', `Default rule '${rule.arn}' cannot be deleted`);
  return undefined;
}
