import type { Account, Moto } from '../moto.ts';
import { objectsOf, textOf, type TreeObject } from '../wire/tree.ts';
import {
  byPriority,
  type ElbModel,
  listenerView,
  type ListenerView,
  loadBalancerView,
  type RuleView,
  ruleView,
  targetGroupView,
} from './model.ts';

/** What a change can have touched. Reading less than all keeps a shift of weights at two calls to moto. */
export type Scope =
  { readonly kind: 'all' } | { readonly kind: 'listener'; readonly arn: string } | { readonly kind: 'target-groups' };

export async function loadModel(moto: Moto, account: Account, before: ElbModel, scope: Scope): Promise<ElbModel> {
  const ask = (fields: Readonly<Record<string, string>>): Promise<TreeObject> =>
    moto.query(account, 'elasticloadbalancing', { Version: '2015-12-01', ...fields });
  switch (scope.kind) {
    case 'target-groups':
      return { ...before, targetGroups: await targetGroups(ask) };
    case 'listener': {
      const [listener] = await listeners(ask, { 'ListenerArns.member.1': scope.arn });
      if (listener === undefined) return before;
      const rules = await rulesOf(ask, listener);
      return {
        ...before,
        listeners: before.listeners.map((known) => (known.arn === listener.arn ? listener : known)),
        rules: [...before.rules.filter((rule) => rule.listenerArn !== listener.arn), ...rules],
      };
    }
    case 'all':
      return loadAll(ask);
  }
}

type Ask = (fields: Readonly<Record<string, string>>) => Promise<TreeObject>;

async function loadAll(ask: Ask): Promise<ElbModel> {
  const described = await ask({ Action: 'DescribeLoadBalancers', PageSize: '400' });
  const loadBalancers = objectsOf(described['LoadBalancers']).map(loadBalancerView);
  const each = await Promise.all(loadBalancers.map(({ arn }) => listeners(ask, { LoadBalancerArn: arn })));
  const all = each.flat();
  const rules = await Promise.all(all.map((listener) => rulesOf(ask, listener)));
  return { loadBalancers, listeners: all, rules: rules.flat(), targetGroups: await targetGroups(ask) };
}

async function listeners(ask: Ask, which: Readonly<Record<string, string>>): Promise<readonly ListenerView[]> {
  const described = await ask({ Action: 'DescribeListeners', ...which });
  return objectsOf(described['Listeners']).map(listenerView);
}

async function rulesOf(ask: Ask, listener: ListenerView): Promise<readonly RuleView[]> {
  const described = await ask({ Action: 'DescribeRules', ListenerArn: listener.arn, PageSize: '400' });
  return objectsOf(described['Rules'])
    .map((tree) => ruleView(tree, listener))
    .sort(byPriority);
}

async function targetGroups(ask: Ask): Promise<ElbModel['targetGroups']> {
  const described = await ask({ Action: 'DescribeTargetGroups' });
  return objectsOf(described['TargetGroups']).map(targetGroupView);
}

/** `Attributes` of a target group, by key. */
export async function attributesOf(moto: Moto, account: Account, arn: string): Promise<ReadonlyMap<string, string>> {
  const described = await moto.query(account, 'elasticloadbalancing', {
    Version: '2015-12-01',
    Action: 'DescribeTargetGroupAttributes',
    TargetGroupArn: arn,
  });
  const pairs = objectsOf(described['Attributes']);
  return new Map(pairs.map((pair) => [textOf(pair['Key']) ?? '', textOf(pair['Value']) ?? '']));
}

/** Tags of resources that were made with some, through the API or a CloudFormation stack. */
export async function tagsOf(
  moto: Moto,
  account: Account,
  arns: readonly string[],
): Promise<ReadonlyMap<string, Tags>> {
  const fields = Object.fromEntries(arns.map((arn, index) => [`ResourceArns.member.${index + 1}`, arn]));
  const described = await moto.query(account, 'elasticloadbalancing', {
    Version: '2015-12-01',
    Action: 'DescribeTags',
    ...fields,
  });
  const entries = objectsOf(described['TagDescriptions']).map((entry): [string, Tags] => [
    textOf(entry['ResourceArn']) ?? '',
    Object.fromEntries(objectsOf(entry['Tags']).map((tag) => [textOf(tag['Key']) ?? '', textOf(tag['Value']) ?? ''])),
  ]);
  return new Map(entries);
}

export type Tags = Readonly<Record<string, string>>;

/** What CloudFormation puts on the resources that it makes; a caller may not give such tags. By ARN. */
export async function stackTagsOf(moto: Moto, account: Account, stack: string): Promise<ReadonlyMap<string, Tags>> {
  const fields = { Version: '2010-05-15', Action: 'DescribeStackResources', StackName: stack };
  const described = await moto.query(account, 'cloudformation', fields);
  const entries = objectsOf(described['StackResources']).map((entry): [string, Tags] => [
    textOf(entry['PhysicalResourceId']) ?? '',
    {
      'aws:cloudformation:stack-name': stack,
      'aws:cloudformation:logical-id': textOf(entry['LogicalResourceId']) ?? '',
    },
  ]);
  return new Map(entries);
}
