import {
  type Action,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  type CreateTargetGroupCommandInput,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from '../../../sandbox/cloud.ts';

export interface Fixture {
  readonly loadBalancer: string;
  readonly listener: string;
  readonly rule: string;
  readonly blue: string;
  readonly green: string;
  readonly vpc: string;
  readonly subnets: readonly string[];
}

export const healthy = { HealthCheckIntervalSeconds: 10, HealthCheckTimeoutSeconds: 5 };

export async function aTargetGroup(
  elb: ElasticLoadBalancingV2Client,
  given: Pick<CreateTargetGroupCommandInput, 'Name' | 'VpcId'> & Partial<CreateTargetGroupCommandInput>,
): Promise<string> {
  const made = await elb.send(
    new CreateTargetGroupCommand({ Protocol: 'HTTP', Port: 80, TargetType: 'ip', ...healthy, ...given }),
  );
  return made.TargetGroups?.[0]?.TargetGroupArn ?? '';
}

/** A load balancer with one listener on 80, a rule 10 that splits 100/0 over two groups, and nothing behind them. */
export async function aLoadBalancer(world: World, elb: ElasticLoadBalancingV2Client): Promise<Fixture> {
  const { vpc, subnets } = await world.network();
  const made = await elb.send(new CreateLoadBalancerCommand({ Name: 'web', Subnets: subnets.slice(0, 2) }));
  const loadBalancer = made.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const blue = await aTargetGroup(elb, { Name: 'blue', VpcId: vpc });
  const green = await aTargetGroup(elb, { Name: 'green', VpcId: vpc });
  const listened = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancer,
      Port: 80,
      Protocol: 'HTTP',
      DefaultActions: [
        { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404', MessageBody: 'nothing here' } },
      ],
    }),
  );
  const listener = listened.Listeners?.[0]?.ListenerArn ?? '';
  const ruled = await elb.send(
    new CreateRuleCommand({
      ListenerArn: listener,
      Priority: 10,
      Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
      Actions: [split(blue, green, 100)],
    }),
  );
  return { loadBalancer, listener, rule: ruled.Rules?.[0]?.RuleArn ?? '', blue, green, vpc, subnets };
}

export const split = (blue: string, green: string, percent: number): Action => ({
  Type: 'forward',
  ForwardConfig: {
    TargetGroups: [
      { TargetGroupArn: blue, Weight: percent },
      { TargetGroupArn: green, Weight: 100 - percent },
    ],
  },
});
