import {
  type ElasticLoadBalancingV2Client,
  type TargetGroup,
  type TargetHealthDescription,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TaskPlace } from '../../domain/ecs/service.ts';
import type { TargetHealth } from '../../domain/shift/live-color.ts';
import type { TargetGroups } from '../../ports/target-group.ts';
import { callAws } from '../aws/errors.ts';
import { groupName } from './alb-actions.ts';
import type { AlbPlace } from './alb-place.ts';

/** Target health as the load balancer sees it. */
export function albTargets(client: ElasticLoadBalancingV2Client, place: AlbPlace): TargetGroups {
  const targets: TargetGroups = {
    nameOf: (color) => groupName(place.groups[color]),
    groupsOf: (color) => [place.groups[color]],
    async health(color, signal, own) {
      const arn = place.groups[color];
      const what = `Could not read the targets of ${groupName(arn)}`;
      const answer = await callAws({ action: 'elasticloadbalancing:DescribeTargetHealth', what }, signal, () =>
        client.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }), { abortSignal: signal }),
      );
      return healthOf(answer.TargetHealthDescriptions ?? [], own);
    },
    standing: async (color, places, signal) => [
      { group: place.groups[color], tasks: (await targets.health(color, signal, places)).total },
    ],
  };
  return targets;
}

/** A Lambda function has no health check unless somebody turns one on; then nothing is known of it, and nothing is wrong. */
const isUnchecked = ({ TargetHealth: said }: TargetHealthDescription): boolean =>
  said?.State === 'unavailable' && said.Reason === 'Target.HealthCheckDisabled';

/** What a person should know of groups whose targets count as healthy because nobody asks them. */
export const uncheckedNotices = (
  groups: readonly Pick<TargetGroup, 'TargetGroupName' | 'HealthCheckEnabled'>[],
): readonly string[] =>
  groups.flatMap(({ TargetGroupName: name = '', HealthCheckEnabled: isChecked }) =>
    isChecked === false
      ? [
          `The health check of target group ${name} is off: its targets count as healthy, and nothing but the rules of the policy sees how they serve. Turn it on, or judge by a metric`,
        ]
      : [],
  );

/** Targets that drain belong to tasks on their way out and are not counted. `own`: only what these tasks registered is. */
export function healthOf(described: readonly TargetHealthDescription[], own?: readonly TaskPlace[]): TargetHealth {
  const states = described.map((each) => ({
    name: `${each.Target?.Id ?? ''}:${each.Target?.Port ?? ''}`,
    state: isUnchecked(each) ? 'healthy' : (each.TargetHealth?.State ?? 'unknown'),
    reason: each.TargetHealth?.Reason,
    isOwn: own === undefined || own.some((place) => isAt(each.Target, place)),
  }));
  const counted = states.filter(({ state, isOwn }) => state !== 'draining' && isOwn);
  const foreign = states.filter(({ state, isOwn }) => state === 'healthy' && !isOwn).length;
  const others = counted.filter(({ state }) => state !== 'healthy');
  const words = others.map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`));
  return {
    healthy: counted.length - others.length,
    total: counted.length,
    members: counted.filter(({ state }) => state === 'healthy').map(({ name }) => name),
    reasons: [
      ...[...new Set(words)].map((word) => `${words.filter((each) => each === word).length} ${word}`),
      ...(foreign === 0 ? [] : [`${foreign} healthy, but of other tasks`]),
    ],
  };
}

const isAt = (target: TargetHealthDescription['Target'], place: TaskPlace): boolean =>
  'address' in place ? target?.Id === place.address : target?.Id === place.instance && target.Port === place.port;
