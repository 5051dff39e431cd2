import {
  type ElasticLoadBalancingV2Client,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TargetGroups } from '../../ports/target-group.ts';
import { callAws } from '../aws/errors.ts';
import { groupName } from './alb-actions.ts';
import type { AlbPlace } from './alb-place.ts';

/** Target health as the load balancer sees it. Targets that drain belong to tasks on their way out and are not counted. */
export function albTargets(client: ElasticLoadBalancingV2Client, place: AlbPlace): TargetGroups {
  return {
    nameOf: (color) => groupName(place.groups[color]),
    async health(color, signal) {
      const arn = place.groups[color];
      const what = `Could not read the targets of ${groupName(arn)}`;
      const answer = await callAws({ action: 'elasticloadbalancing:DescribeTargetHealth', what }, signal, () =>
        client.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }), { abortSignal: signal }),
      );
      const states = (answer.TargetHealthDescriptions ?? []).map(({ TargetHealth }) => ({
        state: TargetHealth?.State ?? 'unknown',
        reason: TargetHealth?.Reason,
      }));
      const counted = states.filter(({ state }) => state !== 'draining');
      const others = counted.filter(({ state }) => state !== 'healthy');
      const words = others.map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`));
      return {
        healthy: counted.length - others.length,
        total: counted.length,
        reasons: [...new Set(words)].map((word) => `${words.filter((each) => each === word).length} ${word}`),
      };
    },
  };
}
