import { Refused, inRange } from '../refused.ts';
import { textOf, textsOf, type TreeObject } from '../wire/tree.ts';
import { withLoadBalancers } from './check-target-groups.ts';
import { listenerIn, loadBalancerIn } from './check-listeners.ts';
import { type ElbModel, groupsOf } from './model.ts';

/** The reads, answered from the model: filters, errors and pages as the service has them. */
export const DESCRIBES: Readonly<Record<string, (input: TreeObject, model: ElbModel) => TreeObject>> = {
  DescribeLoadBalancers(input, model) {
    const found = pick(input, { of: model.loadBalancers, arns: 'LoadBalancerArns' }, LOAD_BALANCER);
    return paged(
      input,
      'LoadBalancers',
      found.map(({ shown }) => shown),
    );
  },
  DescribeListeners(input, model) {
    const arns = textsOf(input['ListenerArns']);
    if (arns.length === 0 && input['LoadBalancerArn'] === undefined) {
      throw new Refused('ValidationError', 'You must specify either listener ARNs or a load balancer ARN');
    }
    const found =
      arns.length > 0
        ? arns.map((ListenerArn) => listenerIn({ ListenerArn }, model))
        : ofLoadBalancer(input, model).listeners;
    return paged(
      input,
      'Listeners',
      found.map(({ shown }) => shown),
    );
  },
  DescribeRules(input, model) {
    const arns = textsOf(input['RuleArns']);
    const listenerArn = textOf(input['ListenerArn']);
    if (arns.length > 0 === (listenerArn !== undefined)) {
      throw new Refused('ValidationError', 'You must specify either listener rule ARNs or a listener ARN');
    }
    if (listenerArn !== undefined) listenerIn(input, model);
    const found = model.rules.filter((rule) =>
      listenerArn === undefined ? arns.includes(rule.arn) : rule.listenerArn === listenerArn,
    );
    if (found.length < new Set(arns).size) throw new Refused('RuleNotFound', 'One or more rules not found');
    return paged(
      input,
      'Rules',
      found.map(({ shown }) => shown),
    );
  },
  DescribeTargetGroups(input, model) {
    const filters = ['TargetGroupArns', 'Names', 'LoadBalancerArn'].filter((name) => input[name] !== undefined);
    if (filters.length > 1) {
      const message =
        'Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time';
      throw new Refused('ValidationError', message);
    }
    const attached =
      input['LoadBalancerArn'] === undefined ? undefined : groupsOf(model, loadBalancerIn(input, model).arn);
    const found = pick(input, { of: model.targetGroups, arns: 'TargetGroupArns' }, TARGET_GROUP).filter(
      ({ arn }) => attached === undefined || attached.includes(arn),
    );
    return paged(
      input,
      'TargetGroups',
      found.map((group) => withLoadBalancers(group, model)),
    );
  },
};

interface Words {
  readonly code: string;
  readonly plural: string;
}
const LOAD_BALANCER: Words = { code: 'LoadBalancerNotFound', plural: 'load balancers' };
const TARGET_GROUP: Words = { code: 'TargetGroupNotFound', plural: 'target groups' };

/** All, or those of the ARNs or names that were asked for; one that is missing fails the call. */
function pick<T extends { readonly arn: string; readonly name: string }>(
  input: TreeObject,
  from: { readonly of: readonly T[]; readonly arns: string },
  words: Words,
): readonly T[] {
  const arns = textsOf(input[from.arns]);
  const names = textsOf(input['Names']);
  if (arns.length === 0 && names.length === 0) return from.of;
  const missing = names.filter((name) => !from.of.some((candidate) => candidate.name === name));
  if (missing.length > 0) {
    const capital = words.plural.charAt(0).toUpperCase() + words.plural.slice(1);
    throw new Refused(words.code, `${capital} '[${missing.join(', ')}]' not found`);
  }
  if (!arns.every((arn) => from.of.some((candidate) => candidate.arn === arn))) {
    throw new Refused(words.code, `One or more ${words.plural} not found`);
  }
  return from.of.filter(({ arn, name }) => arns.includes(arn) || names.includes(name));
}

const ofLoadBalancer = (input: TreeObject, model: ElbModel): Pick<ElbModel, 'listeners'> => {
  const { arn } = loadBalancerIn(input, model);
  return { listeners: model.listeners.filter((listener) => listener.loadBalancerArn === arn) };
};

const LARGEST_PAGE = 400;

function paged(input: TreeObject, name: string, all: readonly TreeObject[]): TreeObject {
  inRange(textOf(input['PageSize']), 'pageSize', { min: 1, max: LARGEST_PAGE });
  const size = Number(textOf(input['PageSize']) ?? LARGEST_PAGE);
  const marker = textOf(input['Marker']);
  const start = marker === undefined ? 0 : Number(Buffer.from(marker, 'base64url').toString('utf8'));
  if (!Number.isInteger(start)) throw new Refused('ValidationError', 'The specified marker is invalid');
  const next = start + size < all.length ? Buffer.from(String(start + size)).toString('base64url') : undefined;
  return { [name]: all.slice(start, start + size), NextMarker: next };
}
