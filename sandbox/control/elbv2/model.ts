import { objectsOf, textOf, type Tree, type TreeObject } from '../wire/tree.ts';

/** What moto holds of Elastic Load Balancing, read once after each change; `shown` is the element as the API answers it. */
export interface LoadBalancerView {
  readonly arn: string;
  readonly name: string;
  readonly shown: TreeObject;
}

export interface ListenerView {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: string;
  readonly actions: readonly TreeObject[];
  readonly shown: TreeObject;
}

export interface RuleView {
  readonly arn: string;
  readonly listenerArn: string;
  readonly loadBalancerArn: string;
  readonly priority: number | 'default';
  readonly conditions: readonly TreeObject[];
  readonly actions: readonly TreeObject[];
  readonly shown: TreeObject;
}

export interface TargetGroupView {
  readonly arn: string;
  readonly name: string;
  readonly port: number;
  readonly targetType: string;
  readonly shown: TreeObject;
}

export interface ElbModel {
  readonly loadBalancers: readonly LoadBalancerView[];
  readonly listeners: readonly ListenerView[];
  /** In the order in which the load balancer looks at them: by priority, the default rule last. */
  readonly rules: readonly RuleView[];
  readonly targetGroups: readonly TargetGroupView[];
}

export const EMPTY_MODEL: ElbModel = { loadBalancers: [], listeners: [], rules: [], targetGroups: [] };

const text = (tree: TreeObject, name: string): string => textOf(tree[name]) ?? '';

export const loadBalancerView = (tree: TreeObject): LoadBalancerView => ({
  arn: text(tree, 'LoadBalancerArn'),
  name: text(tree, 'LoadBalancerName'),
  shown: tree,
});

export function listenerView(tree: TreeObject): ListenerView {
  const actions = objectsOf(tree['DefaultActions']).map(shownAction);
  return {
    arn: text(tree, 'ListenerArn'),
    loadBalancerArn: text(tree, 'LoadBalancerArn'),
    port: Number(text(tree, 'Port')),
    protocol: text(tree, 'Protocol'),
    actions,
    shown: { ...tree, DefaultActions: actions },
  };
}

export function ruleView(tree: TreeObject, listener: Pick<ListenerView, 'arn' | 'loadBalancerArn'>): RuleView {
  const actions = objectsOf(tree['Actions']).map(shownAction);
  const priority = text(tree, 'Priority');
  return {
    arn: text(tree, 'RuleArn'),
    listenerArn: listener.arn,
    loadBalancerArn: listener.loadBalancerArn,
    priority: priority === 'default' ? 'default' : Number(priority),
    conditions: objectsOf(tree['Conditions']),
    actions,
    shown: { ...tree, Actions: actions },
  };
}

export const targetGroupView = (tree: TreeObject): TargetGroupView => ({
  arn: text(tree, 'TargetGroupArn'),
  name: text(tree, 'TargetGroupName'),
  port: Number(text(tree, 'Port')),
  targetType: text(tree, 'TargetType'),
  shown: tree,
});

/** The service answers a forward to one group in both forms, however it was written; moto keeps the one that was given. */
function shownAction(action: TreeObject): TreeObject {
  if (textOf(action['Type']) !== 'forward') return action;
  const groups = forwardGroups(action);
  const [only] = groups;
  const { TargetGroupArn: _single, ...rest } = action;
  const stickiness = (action['ForwardConfig'] as TreeObject | undefined)?.['TargetGroupStickinessConfig'];
  return {
    ...rest,
    ...(groups.length === 1 && only ? { TargetGroupArn: only.arn } : {}),
    ForwardConfig: {
      TargetGroups: groups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: String(weight) })),
      TargetGroupStickinessConfig: stickiness ?? { Enabled: 'false' },
    },
  };
}

export interface WeightedGroup {
  readonly arn: string;
  readonly weight: number;
}

/** Groups that a forward action names, in either of its forms; a weight that is not given is 1. */
export function forwardGroups(action: TreeObject): readonly WeightedGroup[] {
  const config = action['ForwardConfig'] as TreeObject | undefined;
  const listed = objectsOf(config?.['TargetGroups'] as Tree | undefined);
  if (listed.length > 0) {
    return listed.map((group) => ({
      arn: text(group, 'TargetGroupArn'),
      weight: Number(textOf(group['Weight']) ?? 1),
    }));
  }
  const single = textOf(action['TargetGroupArn']);
  return single === undefined ? [] : [{ arn: single, weight: 1 }];
}

export const byPriority = (a: RuleView, b: RuleView): number => rank(a) - rank(b);
const rank = ({ priority }: RuleView): number => (priority === 'default' ? Number.POSITIVE_INFINITY : priority);

/** Groups that the listeners and rules of one load balancer name. */
export const groupsOf = (model: ElbModel, loadBalancerArn: string): readonly string[] => [
  ...new Set(
    model.rules
      .filter((rule) => rule.loadBalancerArn === loadBalancerArn)
      .flatMap((rule) => rule.actions.flatMap(forwardGroups).map(({ arn }) => arn)),
  ),
];

export const loadBalancersOf = (model: ElbModel, targetGroupArn: string): readonly string[] =>
  model.loadBalancers.map(({ arn }) => arn).filter((arn) => groupsOf(model, arn).includes(targetGroupArn));

/** By its address, with or without the dot and the prefix that aliases carry. */
export const loadBalancerNamed = (model: ElbModel, dnsName: string): LoadBalancerView | undefined => {
  const bare = dnsName
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^dualstack\./, '');
  return model.loadBalancers.find(({ shown }) => text(shown, 'DNSName').toLowerCase() === bare);
};
