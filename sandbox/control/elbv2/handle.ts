import { targetHealthOf } from '../../core/core.ts';
import type { Event, State } from '../../core/types.ts';
import type { LoadBalancers } from '../../plane/types.ts';
import type { Account, Moto } from '../moto.ts';
import { Refused } from '../refused.ts';
import { type Answer, errorAnswer, queryAnswer } from '../wire/answer.ts';
import type { ApiCall } from '../wire/call.ts';
import { isMutating } from '../wire/rest-operations.ts';
import { objectOf, objectsOf, textOf, type TreeObject, treeOfForm, treeOfXml } from '../wire/tree.ts';
import {
  type Check,
  checkCreateListener,
  checkCreateLoadBalancer,
  checkCreateRule,
  checkDeleteRule,
  checkModifyListener,
  checkModifyRule,
  listenerIn,
  ruleIn,
} from './check-listeners.ts';
import {
  checkCreateTargetGroup,
  checkDeleteTargetGroup,
  checkModifyAttributes,
  checkModifyTargetGroup,
  targetGroupIn,
  targetsIn,
  withLoadBalancers,
} from './check-target-groups.ts';
import { DESCRIBES } from './describe.ts';
import { attributesOf, loadModel, type Scope, stackTagsOf, tagsOf } from './load.ts';
import { type ElbModel, EMPTY_MODEL } from './model.ts';
import { shiftWeights, type Weights } from './shift-weights.ts';
import { type Sync, syncing } from './sync.ts';
import { tagsGiven, type TagStore, tagStore } from './tags.ts';

export interface ElbOptions {
  readonly moto: Moto;
  readonly account: Account;
  readonly balancers: LoadBalancers;
  state(): State;
  apply(event: Event): State;
}

/** Elastic Load Balancing of one account and region: moto keeps it, this judges it, core and data plane carry it out. */
export interface Elb {
  handle(call: ApiCall): Promise<Answer>;
  /** After a change that went past this API: that of the CloudFormation stack, whose tags its resources get. */
  refresh(stack: string | undefined): Promise<void>;
  /** ECS's own ModifyRule, which no caller signs: weights of groups that a forward of the rule has. */
  shift(ruleArn: string, weights: Weights): Promise<void>;
  model(): ElbModel;
  listenerUrl(arn: string): string | undefined;
}

const CHECKS: Readonly<Record<string, Check>> = {
  CreateLoadBalancer: checkCreateLoadBalancer,
  CreateListener: checkCreateListener,
  ModifyListener: checkModifyListener,
  DeleteListener: (input, model) => void listenerIn(input, model),
  CreateRule: checkCreateRule,
  ModifyRule: checkModifyRule,
  DeleteRule: checkDeleteRule,
  CreateTargetGroup: checkCreateTargetGroup,
  ModifyTargetGroup: checkModifyTargetGroup,
  ModifyTargetGroupAttributes: checkModifyAttributes,
  DeleteTargetGroup: checkDeleteTargetGroup,
};

export function elasticLoadBalancing(options: ElbOptions): Elb {
  const { moto, account } = options;
  const tags: TagStore = tagStore();
  const sync: Sync = syncing(options.apply, options.balancers);
  let model = EMPTY_MODEL;

  async function refresh(scope: Scope): Promise<void> {
    const known = arnsOf(model);
    model = await loadModel(moto, account, model, scope);
    const fresh = [...arnsOf(model)].filter((arn) => !known.has(arn));
    for (let at = 0; at < fresh.length; at += 20) {
      for (const [arn, given] of await tagsOf(moto, account, fresh.slice(at, at + 20))) tags.seed(arn, given);
    }
    for (const arn of known) if (!arnsOf(model).has(arn)) tags.forget(arn);
    await sync.bring(model, tags.of);
    for (const arn of fresh.filter((candidate) => candidate.includes(':targetgroup/'))) await tellAttributes(arn);
  }

  async function tellAttributes(arn: string): Promise<void> {
    const attributes = await attributesOf(moto, account, arn);
    const delay = Number(attributes.get('deregistration_delay.timeout_seconds') ?? 300) * 1_000;
    options.apply({ kind: 'target-group-attributes-set', targetGroupArn: arn, deregistrationDelay: delay });
  }

  /** What no call of moto's is needed for; undefined: moto has the word. */
  async function own(operation: string, input: TreeObject): Promise<TreeObject | undefined> {
    const describe = DESCRIBES[operation];
    if (describe !== undefined) return describe(input, model);
    switch (operation) {
      case 'DescribeTargetHealth':
        return targetHealth(input, model, options.state());
      case 'RegisterTargets':
      case 'DeregisterTargets':
        options.apply(targetEvent(operation, input, model));
        return {};
      case 'AddTags':
      case 'RemoveTags': {
        const result = operation === 'AddTags' ? tags.addTags(input, model) : tags.removeTags(input, model);
        await sync.bring(model, tags.of);
        return result;
      }
      case 'DescribeTags':
        return tags.describeTags(input, model);
      default:
        return CHECKS[operation]?.(input, model);
    }
  }

  async function forward(call: ApiCall, input: TreeObject): Promise<Answer> {
    if (call.operation === 'DeleteLoadBalancer') await checkProtection(options, input);
    const answer = await moto.forward(call);
    if (answer.error !== undefined || !isMutating(call.operation)) return answer;
    await refresh(scopeOf(call.operation, input, model));
    const group = textOf(input['TargetGroupArn']);
    if (call.operation === 'ModifyTargetGroupAttributes' && group !== undefined) await tellAttributes(group);
    return asShown(call.operation, answer, model);
  }

  return {
    async handle(call) {
      try {
        const input = treeOfForm(call.body.toString('utf8'));
        tagsGiven(input);
        const result = await own(call.operation, input);
        return result === undefined ? await forward(call, input) : queryAnswer(call.operation, result);
      } catch (error) {
        if (error instanceof Refused) return errorAnswer(call, error.error);
        throw error;
      }
    },
    async refresh(stack) {
      await refresh({ kind: 'all' });
      if (stack === undefined) return;
      const all = arnsOf(model);
      for (const [arn, own] of await stackTagsOf(moto, account, stack))
        if (all.has(arn)) tags.seed(arn, { ...tags.of(arn), ...own });
    },
    async shift(ruleArn, weights) {
      const arn = await shiftWeights(options, model, { ruleArn, weights });
      await refresh({ kind: 'listener', arn });
    },
    model: () => model,
    listenerUrl: sync.listenerUrl,
  };
}

const arnsOf = (model: ElbModel): ReadonlySet<string> =>
  new Set([...model.loadBalancers, ...model.listeners, ...model.rules, ...model.targetGroups].map(({ arn }) => arn));

function scopeOf(operation: string, input: TreeObject, model: ElbModel): Scope {
  switch (operation) {
    case 'ModifyListener':
    case 'CreateRule':
      return { kind: 'listener', arn: textOf(input['ListenerArn']) ?? '' };
    case 'ModifyRule':
    case 'DeleteRule':
      return { kind: 'listener', arn: ruleIn(input, model).listenerArn };
    case 'CreateTargetGroup':
    case 'ModifyTargetGroup':
    case 'ModifyTargetGroupAttributes':
    case 'DeleteTargetGroup':
      return { kind: 'target-groups' };
    default:
      return { kind: 'all' };
  }
}

const LISTS = [
  ['LoadBalancers', 'LoadBalancerArn'],
  ['Listeners', 'ListenerArn'],
  ['Rules', 'RuleArn'],
  ['TargetGroups', 'TargetGroupArn'],
] as const;

/** What a writing call answers is the thing as a read would show it. */
function asShown(operation: string, answer: Answer, model: ElbModel): Answer {
  const response = objectOf(treeOfXml(answer.body.toString())[`${operation}Response`]);
  const result = objectOf(response[`${operation}Result`]);
  const list = LISTS.find(([name]) => objectsOf(result[name]).length > 0);
  if (list === undefined) return answer;
  const [name, key] = list;
  const arns = objectsOf(result[name]).map((entry) => textOf(entry[key]) ?? '');
  return queryAnswer(operation, { [name]: arns.flatMap((arn) => shownOf(model, arn)) });
}

function shownOf(model: ElbModel, arn: string): readonly TreeObject[] {
  const group = model.targetGroups.find((candidate) => candidate.arn === arn);
  if (group !== undefined) return [withLoadBalancers(group, model)];
  return [...model.loadBalancers, ...model.listeners, ...model.rules]
    .filter((candidate) => candidate.arn === arn)
    .map(({ shown }) => shown);
}

function targetEvent(operation: 'RegisterTargets' | 'DeregisterTargets', input: TreeObject, model: ElbModel): Event {
  const group = targetGroupIn(input, model);
  const targets = targetsIn(input, group);
  if (operation === 'DeregisterTargets') return { kind: 'targets-deregistered', targetGroupArn: group.arn, targets };
  // A loopback target is what it says; every other address must be a task of this world.
  const addressed = targets.map((target) =>
    target.ip.startsWith('127.')
      ? { ...target, address: { host: target.ip, port: target.port ?? group.port } }
      : target,
  );
  return { kind: 'targets-registered', targetGroupArn: group.arn, targets: addressed };
}

function targetHealth(input: TreeObject, model: ElbModel, state: State): TreeObject {
  const group = targetGroupIn(input, model);
  const asked = objectsOf(input['Targets']).map((target) => {
    const port = textOf(target['Port']);
    return { ip: textOf(target['Id']) ?? '', ...(port === undefined ? {} : { port: Number(port) }) };
  });
  const described = targetHealthOf(state, group.arn, asked.length > 0 ? asked : undefined).map((health) => ({
    Target: { Id: health.ip, Port: String(health.port) },
    HealthCheckPort: String(health.port),
    TargetHealth: { State: health.state, Reason: health.reason, Description: health.description },
  }));
  return { TargetHealthDescriptions: described };
}

async function checkProtection({ moto, account }: ElbOptions, input: TreeObject): Promise<void> {
  const arn = textOf(input['LoadBalancerArn']) ?? '';
  const fields = { Action: 'DescribeLoadBalancerAttributes', Version: '2015-12-01', LoadBalancerArn: arn };
  const described = await moto.query(account, 'elasticloadbalancing', fields).catch(() => ({}) as TreeObject);
  const attribute = objectsOf(described['Attributes']).find((pair) => pair['Key'] === 'deletion_protection.enabled');
  if (attribute?.['Value'] !== 'true') return;
  throw new Refused(
    'OperationNotPermitted',
    `Load balancer '${arn}' cannot be deleted because deletion protection is enabled`,
  );
}
