import {
  type ElasticLoadBalancingV2Client,
  type Rule,
  type RuleCondition as AlbCondition,
  DescribeRulesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ListenerRule, RuleCondition } from '../../domain/shift/listener-rules.ts';
import { callAws } from '../aws/errors.ts';
import { servedGroups } from './alb-actions.ts';
import type { AlbPlace } from './alb-place.ts';

/** Rules of the listener on which the place stands, in the order in which it tries them. */
export async function listenerRules(
  client: ElasticLoadBalancingV2Client,
  place: AlbPlace,
  signal: AbortSignal,
): Promise<readonly ListenerRule[]> {
  const rules = await rulesOf(client, listenerOf(place), signal);
  return rules.toSorted((one, other) => rankOf(one) - rankOf(other)).map((rule) => toRule(rule, place));
}

/** `...:listener-rule/app/web/<id>/<listener>/<rule>` -> `...:listener/app/web/<id>/<listener>` */
const listenerOf = ({ kind, arn }: AlbPlace): string =>
  kind === 'rule' ? arn.split('/').slice(0, -1).join('/').replace(':listener-rule/', ':listener/') : arn;

export async function rulesOf(
  client: ElasticLoadBalancingV2Client,
  listenerArn: string,
  signal: AbortSignal,
): Promise<readonly Rule[]> {
  const facts = { action: 'elasticloadbalancing:DescribeRules', what: 'Could not read the rules of the listener' };
  const found: Rule[] = [];
  let marker: string | undefined;
  do {
    const page = await callAws(facts, signal, () =>
      client.send(new DescribeRulesCommand({ ListenerArn: listenerArn, ...(marker ? { Marker: marker } : {}) }), {
        abortSignal: signal,
      }),
    );
    found.push(...(page.Rules ?? []));
    marker = page.NextMarker;
  } while (marker);
  return found;
}

const rankOf = ({ IsDefault, Priority }: Rule): number =>
  IsDefault === true ? Number.POSITIVE_INFINITY : Number(Priority);

function toRule({ RuleArn, IsDefault, Priority, Conditions = [], Actions = [] }: Rule, place: AlbPlace): ListenerRule {
  return {
    name: IsDefault === true ? 'default' : (Priority ?? '?'),
    conditions: conditionsOf(Conditions),
    groups: servedGroups(Actions),
    isShifted: place.kind === 'rule' ? RuleArn === place.arn : IsDefault === true,
  };
}

/** Exported for its test. */
export const conditionsOf = (conditions: readonly AlbCondition[]): readonly RuleCondition[] =>
  conditions.filter((condition) => !holdsAlways(condition)).map(toCondition);

/** A rule needs a condition: one that every request meets stands there for none. */
const holdsAlways = ({ Field, Values = [], PathPatternConfig }: AlbCondition): boolean =>
  Field === 'path-pattern' &&
  [...Values, ...(PathPatternConfig?.Values ?? [])].some((path) => path === '*' || path === '/*');

const isExpression = (regexValues: readonly string[] | undefined): boolean => (regexValues ?? []).length > 0;

function toCondition({ Field = '?', Values, HostHeaderConfig, HttpHeaderConfig }: AlbCondition): RuleCondition {
  const open = { kind: 'open', field: Field } as const;
  if (Field === 'host-header' && !isExpression(HostHeaderConfig?.RegexValues))
    return { kind: 'host', patterns: HostHeaderConfig?.Values ?? Values ?? [] };
  const { HttpHeaderName: name, Values: patterns, RegexValues } = HttpHeaderConfig ?? {};
  if (Field === 'http-header' && name !== undefined && !isExpression(RegexValues))
    return { kind: 'header', name, patterns: patterns ?? [] };
  return open;
}
