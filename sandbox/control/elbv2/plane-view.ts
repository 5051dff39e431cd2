import type { Condition, Listener, Rule, RuleAction } from '../../plane/types.ts';
import { objectOf, textOf, textsOf, type TreeObject } from '../wire/tree.ts';
import { type ElbModel, forwardGroups, type RuleView } from './model.ts';

/** The listeners of one load balancer, as the data plane carries them out. */
export const planeListeners = (model: ElbModel, loadBalancerArn: string): readonly Listener[] =>
  model.listeners
    .filter((listener) => listener.loadBalancerArn === loadBalancerArn)
    .map((listener) => ({
      arn: listener.arn,
      port: listener.port,
      protocol: listener.protocol === 'HTTPS' ? 'https' : 'http',
      rules: model.rules.filter((rule) => rule.listenerArn === listener.arn).map(planeRule),
    }));

const planeRule = (rule: RuleView): Rule => ({
  arn: rule.arn,
  priority: rule.priority,
  conditions: rule.conditions.map(planeCondition),
  action: planeAction(rule.actions),
});

/** Validation lets no other condition in. */
function planeCondition(condition: TreeObject): Condition {
  const values = textsOf(condition['Values']);
  const config = (name: string): readonly string[] => textsOf(objectOf(condition[name])['Values']);
  switch (textOf(condition['Field'])) {
    case 'http-header': {
      const header = objectOf(condition['HttpHeaderConfig']);
      return { field: 'http-header', name: textOf(header['HttpHeaderName']) ?? '', values: textsOf(header['Values']) };
    }
    case 'host-header':
      return {
        field: 'host-header',
        values: config('HostHeaderConfig').length > 0 ? config('HostHeaderConfig') : values,
      };
    default:
      return {
        field: 'path-pattern',
        values: config('PathPatternConfig').length > 0 ? config('PathPatternConfig') : values,
      };
  }
}

/** The API keeps redirects and authentication as they are given; requests that meet one are told that nobody plays it. */
function planeAction(actions: readonly TreeObject[]): RuleAction {
  const unplayed = actions.find((action) => !PLAYED.has(textOf(action['Type']) ?? ''));
  if (unplayed !== undefined) {
    const body = `The sandbox cloud does not play ${textOf(unplayed['Type'])} actions.\n`;
    return { kind: 'fixed-response', status: 501, body, contentType: 'text/plain' };
  }
  const last = actions.at(-1) ?? {};
  if (textOf(last['Type']) === 'forward') return { kind: 'forward', targetGroups: forwardGroups(last) };
  const config = objectOf(last['FixedResponseConfig']);
  const contentType = textOf(config['ContentType']);
  return {
    kind: 'fixed-response',
    status: Number(textOf(config['StatusCode']) ?? 503),
    body: textOf(config['MessageBody']) ?? '',
    ...(contentType === undefined ? {} : { contentType }),
  };
}

const PLAYED = new Set(['forward', 'fixed-response']);
