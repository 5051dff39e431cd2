import { Refused } from '../refused.ts';
import { objectOf, objectsOf, textOf, type TreeObject } from '../wire/tree.ts';
import { type ElbModel, forwardGroups, loadBalancersOf } from './model.ts';

/**
 * What the service refuses in the actions of a listener or a rule and moto lets through. Codes from the API reference;
 * sentences as public reports quote them where there are any (weights: github.com/aws/aws-cdk/issues/24805).
 */
export function checkActions(
  actions: readonly TreeObject[],
  at: { readonly model: ElbModel; readonly loadBalancerArn: string },
): void {
  if (actions.length === 0) throw new Refused('ValidationError', 'An action must be specified');
  const ends = actions.filter((action) => ENDS.has(textOf(action['Type']) ?? ''));
  if (ends.length !== 1 || ends[0] !== inOrder(actions).at(-1)) {
    throw new Refused(
      'InvalidLoadBalancerAction',
      "The last action must be one of: 'forward', 'redirect', 'fixed-response'",
    );
  }
  for (const action of actions.filter((candidate) => textOf(candidate['Type']) === 'forward')) checkForward(action, at);
}

const ENDS = new Set(['forward', 'redirect', 'fixed-response']);

/** `Order` decides where it is given; else the order of the list. */
const inOrder = (actions: readonly TreeObject[]): readonly TreeObject[] =>
  [...actions].sort((a, b) => Number(textOf(a['Order']) ?? 0) - Number(textOf(b['Order']) ?? 0));

const GROUPS_PER_ACTION = 5;

function checkForward(
  action: TreeObject,
  { model, loadBalancerArn }: { readonly model: ElbModel; readonly loadBalancerArn: string },
): void {
  const groups = forwardGroups(action);
  if (groups.length === 0)
    throw new Refused('ValidationError', "A target group must be specified for an action of type 'forward'");
  if (groups.length > GROUPS_PER_ACTION) {
    const message = `You have reached the maximum number of target groups that you can specify in a forward action: [${GROUPS_PER_ACTION}]`;
    throw new Refused('TooManyTargetGroups', message);
  }
  const single = textOf(action['TargetGroupArn']);
  if (single !== undefined && (groups.length !== 1 || groups[0]?.arn !== single)) {
    const message =
      'You can specify both TargetGroupArn and ForwardConfig only with the same single target group in both';
    throw new Refused('ValidationError', message);
  }
  for (const { arn, weight } of groups) {
    if (!Number.isInteger(weight) || weight < 0 || weight > 999) {
      throw new Refused('ValidationError', 'The weight for each target group must be between 0 and 999, inclusive');
    }
    checkGroup(arn, model, loadBalancerArn);
  }
  checkStickiness(action);
}

function checkGroup(arn: string, model: ElbModel, loadBalancerArn: string): void {
  if (!model.targetGroups.some((group) => group.arn === arn)) {
    throw new Refused('TargetGroupNotFound', 'One or more target groups not found');
  }
  const other = loadBalancersOf(model, arn).find((owner) => owner !== loadBalancerArn);
  if (other === undefined) return;
  const message = `The following target groups cannot be associated with more than one load balancer: ${arn}`;
  throw new Refused('TargetGroupAssociationLimit', message);
}

function checkStickiness(action: TreeObject): void {
  const stickiness = objectOf(objectOf(action['ForwardConfig'])['TargetGroupStickinessConfig']);
  const length = textOf(stickiness['DurationSeconds']);
  if (length === undefined && textOf(stickiness['Enabled']) !== 'true') return;
  const value = Number(length ?? Number.NaN);
  if (value >= 1 && value <= 604_800) return;
  throw new Refused('ValidationError', 'Target group stickiness duration must be between 1 and 604800 seconds');
}

const CONDITIONS = new Set(['path-pattern', 'host-header', 'http-header']);

/** The data plane decides by path, host and header. A rule on anything else would be obeyed wrongly, so it is refused. */
export function checkConditions(conditions: readonly TreeObject[]): void {
  for (const condition of conditions) {
    const field = textOf(condition['Field']) ?? fieldOf(condition);
    if (field === undefined || CONDITIONS.has(field)) continue;
    throw new Refused(
      'ValidationError',
      `The sandbox cloud does not play conditions on ${field}; it plays ${[...CONDITIONS].join(', ')}`,
    );
  }
}

const fieldOf = (condition: TreeObject): string | undefined =>
  Object.keys(condition)
    .find((name) => name.endsWith('Config'))
    ?.replace(/Config$/, '')
    .replace(/(?<=[a-z])([A-Z])/g, '-$1')
    .toLowerCase();

export const actionsIn = (input: TreeObject, name: 'Actions' | 'DefaultActions'): readonly TreeObject[] =>
  objectsOf(input[name]);
