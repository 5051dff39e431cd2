import {
  type Action,
  type ElasticLoadBalancingV2Client,
  type Listener,
  type Rule,
  type TargetGroup,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { Failure } from '../../domain/failure.ts';
import { type Color, COLORS } from '../../domain/traffic-split.ts';
import { callAws } from '../aws/errors.ts';
import { type ColorGroups, forwardedGroups, groupName } from './alb-actions.ts';
import { rulesOf } from './alb-rules.ts';
import { uncheckedNotices } from './alb-targets.ts';

/** Where the traffic is decided, as a user names it. */
export interface AlbTarget {
  /** Name of the load balancer, ARN of the listener; not needed with the ARN of a rule. */
  readonly listener: string | undefined;
  /** Of the listener; not needed when the load balancer has one only. */
  readonly port: number | undefined;
  /** Priority, `default`, ARN; undefined: the one rule of the listener that forwards to the colors. */
  readonly rule: string | undefined;
  /** Names or ARNs of the target groups. */
  readonly colors: Readonly<Record<Color, string>>;
}

/** The same place by ARN, found once at the start. */
export interface AlbPlace {
  /** `ALB rule web-443/10` */
  readonly name: string;
  readonly kind: 'rule' | 'default-action';
  /** Of the rule, or of the listener whose default action it is: what is read, changed and tagged. */
  readonly arn: string;
  readonly groups: ColorGroups;
  /** What a person should know of the target groups. */
  readonly notices: readonly string[];
}

type Client = ElasticLoadBalancingV2Client;

/** Finds listener, rule and target groups, and refuses what is missing or ambiguous before anything is changed. */
export async function findAlbPlace(client: Client, target: AlbTarget, signal: AbortSignal): Promise<AlbPlace> {
  const found = await findGroups(client, target.colors, signal);
  const { groups } = found;
  if (target.rule?.startsWith('arn:') === true) return placeOfRuleArn(client, target.rule, { ...found, signal });
  const listener = await findListener(client, target, signal);
  const rules = await rulesOf(client, listener.arn, signal);
  const rule = chooseRule(rules, { target, groups, listener });
  const number = rule.IsDefault === true ? 'default' : (rule.Priority ?? '?');
  return {
    name: `ALB rule ${listener.name}/${number}`,
    ...found,
    ...(rule.IsDefault === true
      ? { kind: 'default-action', arn: listener.arn }
      : { kind: 'rule', arn: rule.RuleArn ?? '' }),
  };
}

type FoundGroups = Pick<AlbPlace, 'groups' | 'notices'>;

interface FoundListener {
  readonly arn: string;
  /** `web-443` */
  readonly name: string;
}

async function placeOfRuleArn(
  client: Client,
  arn: string,
  { signal, ...found }: FoundGroups & { readonly signal: AbortSignal },
): Promise<AlbPlace> {
  const what = `Could not find ALB rule ${arn}`;
  const answer = await callAws({ action: 'elasticloadbalancing:DescribeRules', what }, signal, () =>
    client.send(new DescribeRulesCommand({ RuleArns: [arn] }), { abortSignal: signal }),
  );
  const rule = answer.Rules?.[0];
  if (rule === undefined)
    throw new Failure({ what, why: 'there is none with this ARN', next: 'Correct router.alb.rule' });
  // arn:...:listener-rule/app/<load balancer>/<id>/<listener>/<rule>
  const parts = arn.split('/');
  if (rule.IsDefault === true) {
    const listener = `${parts.slice(0, -1).join('/')}`.replace(':listener-rule/', ':listener/');
    return { name: `ALB rule ${parts[2] ?? ''}/default`, kind: 'default-action', arn: listener, ...found };
  }
  return { name: `ALB rule ${parts[2] ?? ''}/${rule.Priority ?? '?'}`, kind: 'rule', arn, ...found };
}

async function findListener(client: Client, target: AlbTarget, signal: AbortSignal): Promise<FoundListener> {
  const given = target.listener ?? '';
  if (/:listener\//.test(given)) {
    const name = given.split('/').at(-3) ?? given;
    const [listener] = await listenersOf(client, { ListenerArns: [given] }, signal);
    if (listener === undefined) throw noListener(given, 'there is none with this ARN', []);
    return { arn: given, name: `${name}-${listener.Port ?? '?'}` };
  }
  const what = `Could not find load balancer ${given}`;
  const by = given.startsWith('arn:') ? { LoadBalancerArns: [given] } : { Names: [given] };
  const answer = await callAws(
    { action: 'elasticloadbalancing:DescribeLoadBalancers', what, next: 'Correct router.alb.listener' },
    signal,
    () => client.send(new DescribeLoadBalancersCommand(by), { abortSignal: signal }),
  );
  const balancer = answer.LoadBalancers?.[0];
  if (balancer?.LoadBalancerArn === undefined)
    throw new Failure({ what, why: 'there is none of this name', next: 'Correct router.alb.listener' });
  const listeners = await listenersOf(client, { LoadBalancerArn: balancer.LoadBalancerArn }, signal);
  return chooseListener(listeners, { name: balancer.LoadBalancerName ?? given, port: target.port });
}

function chooseListener(
  listeners: readonly Listener[],
  wanted: { readonly name: string; readonly port: number | undefined },
): FoundListener {
  const ports = listeners.map(({ Port }) => Port ?? 0);
  const found =
    wanted.port === undefined
      ? listeners.length === 1
        ? listeners[0]
        : undefined
      : listeners.find(({ Port }) => Port === wanted.port);
  if (found?.ListenerArn === undefined) {
    const why = wanted.port === undefined ? 'it has several' : `none listens on port ${wanted.port}`;
    throw noListener(wanted.name, ports.length === 0 ? 'it has none' : why, ports);
  }
  return { arn: found.ListenerArn, name: `${wanted.name}-${found.Port ?? '?'}` };
}

const noListener = (of: string, why: string, ports: readonly number[]): Failure =>
  new Failure({
    what: `Could not find the listener of ${of}`,
    why,
    now: ports.length === 0 ? 'Nothing was touched' : `Listeners are on ${ports.join(', ')}`,
    next: 'Set router.alb.port to the port of the listener, or router.alb.listener to its ARN',
  });

async function listenersOf(
  client: Client,
  by: { readonly LoadBalancerArn?: string; readonly ListenerArns?: string[] },
  signal: AbortSignal,
): Promise<readonly Listener[]> {
  const facts = {
    action: 'elasticloadbalancing:DescribeListeners',
    what: 'Could not read the listeners of the load balancer',
  };
  const found: Listener[] = [];
  let marker: string | undefined;
  do {
    const page = await callAws(facts, signal, () =>
      client.send(new DescribeListenersCommand({ ...by, ...(marker ? { Marker: marker } : {}) }), {
        abortSignal: signal,
      }),
    );
    found.push(...(page.Listeners ?? []));
    marker = page.NextMarker;
  } while (marker);
  return found;
}

interface Choice {
  readonly target: AlbTarget;
  readonly groups: ColorGroups;
  readonly listener: FoundListener;
}

/** Without a rule in the inputs it is the one that forwards to both colors, or else the one that forwards to any. */
function chooseRule(rules: readonly Rule[], { target, groups, listener }: Choice): Rule {
  const number = ({ IsDefault, Priority }: Rule): string => (IsDefault === true ? 'default' : (Priority ?? '?'));
  if (target.rule !== undefined) {
    const found = rules.find((rule) => number(rule) === target.rule);
    if (found) return found;
    throw noRule(listener, `there is no rule ${target.rule}; there are ${rules.map(number).join(', ')}`);
  }
  const colorsOf = (actions: readonly Action[] = []): number =>
    COLORS.filter((color) => forwardedGroups(actions).includes(groups[color])).length;
  const carrying = (colors: number): readonly Rule[] => rules.filter(({ Actions }) => colorsOf(Actions) >= colors);
  const both = carrying(2);
  const candidates = both.length > 0 ? both : carrying(1);
  if (candidates.length === 1 && candidates[0]) return candidates[0];
  const names = `${groupName(groups.blue)} or ${groupName(groups.green)}`;
  throw noRule(
    listener,
    candidates.length === 0
      ? `no rule forwards to ${names}`
      : `several rules forward to ${names}: ${candidates.map(number).join(', ')}`,
  );
}

const noRule = (listener: FoundListener, why: string): Failure =>
  new Failure({
    what: `Could not find the rule of listener ${listener.name} that carries the traffic`,
    why,
    now: 'Nothing was touched',
    next: 'Set router.alb.rule to its priority, or to default',
  });

async function findGroups(
  client: Client,
  colors: Readonly<Record<Color, string>>,
  signal: AbortSignal,
): Promise<FoundGroups> {
  const [blue, green] = await Promise.all(
    COLORS.map((color) => findGroup(client, { color, given: colors[color] }, signal)),
  );
  if (
    blue?.TargetGroupArn === undefined ||
    green?.TargetGroupArn === undefined ||
    blue.TargetGroupArn === green.TargetGroupArn
  ) {
    throw new Failure({
      what: 'Blue and green have the same target group',
      why: `both are ${colors.blue}`,
      next: 'Give each color its own target group',
    });
  }
  return {
    groups: { blue: blue.TargetGroupArn, green: green.TargetGroupArn },
    notices: uncheckedNotices([blue, green]),
  };
}

async function findGroup(
  client: Client,
  { color, given }: { readonly color: Color; readonly given: string },
  signal: AbortSignal,
): Promise<TargetGroup> {
  const what = `Could not find target group ${given} of color ${color}`;
  const by = given.startsWith('arn:') ? { TargetGroupArns: [given] } : { Names: [given] };
  const answer = await callAws(
    { action: 'elasticloadbalancing:DescribeTargetGroups', what, next: `Correct router.colors.${color}` },
    signal,
    () => client.send(new DescribeTargetGroupsCommand(by), { abortSignal: signal }),
  );
  const group = answer.TargetGroups?.[0];
  if (group?.TargetGroupArn === undefined)
    throw new Failure({ what, why: 'there is none of this name', next: `Correct router.colors.${color}` });
  return group;
}
