import type { Account, Moto } from '../moto.ts';
import { formOfTree, type TreeObject } from '../wire/tree.ts';
import { type ElbModel, forwardGroups, type RuleView } from './model.ts';

export type Weights = Readonly<Record<string, number>>;

/** What ECS's infrastructure role does to the rule of a native strategy. Answers the listener whose rules have changed. */
export async function shiftWeights(
  { moto, account }: { readonly moto: Moto; readonly account: Account },
  model: ElbModel,
  { ruleArn, weights }: { readonly ruleArn: string; readonly weights: Weights },
): Promise<string> {
  const rule = model.rules.find(({ arn }) => arn === ruleArn);
  if (rule === undefined) throw new Error(`there is no rule ${ruleArn}`);
  const actions = rule.actions.map((action) => shifted(action, weights));
  await moto.query(account, 'elasticloadbalancing', {
    Version: '2015-12-01',
    ...formOfTree(changeOf(rule, actions)),
  });
  return rule.listenerArn;
}

const changeOf = (rule: RuleView, actions: readonly TreeObject[]): TreeObject =>
  rule.priority === 'default'
    ? { Action: 'ModifyListener', ListenerArn: rule.listenerArn, DefaultActions: actions }
    : { Action: 'ModifyRule', RuleArn: rule.arn, Actions: actions };

/** A forward with the weights of its groups; other actions, stickiness and groups that are not named stay. */
function shifted(action: TreeObject, weights: Weights): TreeObject {
  if (action['Type'] !== 'forward') return action;
  const { TargetGroupArn: _single, ForwardConfig, ...rest } = action;
  const groups = forwardGroups(action).map(({ arn, weight }) => ({
    TargetGroupArn: arn,
    Weight: String(weights[arn] ?? weight),
  }));
  return { ...rest, ForwardConfig: { ...(ForwardConfig as TreeObject | undefined), TargetGroups: groups } };
}
