import {
  type Action,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DescribeRulesCommand,
  type ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from './cloud.ts';
import { INTERVAL_TAG, TIMEOUT_TAG } from './control/elbv2/sync.ts';
import type { Stack, StackSpec } from './world.ts';

export interface Group {
  readonly name: string;
  readonly arn: string;
}

interface GroupSpec {
  readonly name: string;
  readonly vpc: string;
  readonly spec: StackSpec;
  readonly clock: World['clock'];
}

export async function targetGroup(
  elb: ElasticLoadBalancingV2Client,
  { name, vpc, spec, clock }: GroupSpec,
): Promise<Group> {
  const interval = spec.healthIntervalMs ?? (clock === 'real' ? 500 : undefined);
  const faster = { [INTERVAL_TAG]: String(interval), [TIMEOUT_TAG]: '2000' };
  const made = await elb.send(
    new CreateTargetGroupCommand({
      Name: name,
      Protocol: 'HTTP',
      Port: spec.containerPort ?? 80,
      VpcId: vpc,
      TargetType: 'ip',
      HealthCheckPath: spec.healthPath ?? '/health',
      HealthCheckIntervalSeconds: 10,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
      ...(interval === undefined ? {} : { Tags: Object.entries(faster).map(([Key, Value]) => ({ Key, Value })) }),
    }),
  );
  const arn = made.TargetGroups?.[0]?.TargetGroupArn ?? '';
  const delay = { Key: 'deregistration_delay.timeout_seconds', Value: String(spec.drainSeconds ?? 2) };
  await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: arn, Attributes: [delay] }));
  return { name, arn };
}

/** The load balancer of a stack: its listener, and the rules that carry the traffic to the groups. */
export interface FrontSpec {
  readonly name: string;
  readonly spec: StackSpec;
  readonly groups: readonly Group[];
  readonly network: Awaited<ReturnType<World['network']>>;
}

type FrontParts = Pick<Stack, 'loadBalancerName' | 'loadBalancerArn' | 'dnsName' | 'listenerArn' | 'ruleArn' | 'url'>;

export async function loadBalancer(
  world: World,
  elb: ElasticLoadBalancingV2Client,
  front: FrontSpec,
): Promise<FrontParts> {
  const { name: loadBalancerName, spec, groups, network } = front;
  const made = await elb.send(
    new CreateLoadBalancerCommand({
      Name: loadBalancerName,
      Subnets: network.subnets.slice(0, 2),
      SecurityGroups: [network.securityGroup],
    }),
  );
  const { LoadBalancerArn: loadBalancerArn = '', DNSName: dnsName = '' } = made.LoadBalancers?.[0] ?? {};
  const forward = forwarding(groups);
  const nothing: Action = {
    Type: 'fixed-response',
    FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'no rule fits\n' },
  };
  const { port, protocol } = spec.listener ?? { port: 80, protocol: 'HTTP' };
  const certificate = `arn:aws:iam::${world.account}:server-certificate/${loadBalancerName}`;
  const listened = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Port: port,
      Protocol: protocol,
      ...(protocol === 'HTTPS' ? { Certificates: [{ CertificateArn: certificate }] } : {}),
      DefaultActions: [spec.route === 'default-action' ? forward : nothing],
    }),
  );
  const listenerArn = listened.Listeners?.[0]?.ListenerArn ?? '';
  const ruleArn =
    spec.route === 'default-action' ? await defaultRule(elb, listenerArn) : await rule(elb, listenerArn, forward);
  if (spec.colorHeader !== undefined) await colorRules(elb, listenerArn, { header: spec.colorHeader, groups });
  return {
    loadBalancerName,
    loadBalancerArn,
    dnsName,
    listenerArn,
    ruleArn,
    url: world.listenerUrl(listenerArn) ?? '',
  };
}

/** The first group gets all, the others stand by with weight 0, so that they are in use and turn healthy. */
const forwarding = (groups: readonly Group[]): Action => ({
  Type: 'forward',
  ForwardConfig: {
    TargetGroups: groups.map(({ arn }, index) => ({ TargetGroupArn: arn, Weight: index === 0 ? 100 : 0 })),
  },
});

async function rule(elb: ElasticLoadBalancingV2Client, listenerArn: string, forward: Action): Promise<string> {
  const made = await elb.send(
    new CreateRuleCommand({
      ListenerArn: listenerArn,
      Priority: 10,
      Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/*'] } }],
      Actions: [forward],
    }),
  );
  return made.Rules?.[0]?.RuleArn ?? '';
}

/** The way to one color before it has traffic: a header that no user sends. */
async function colorRules(
  elb: ElasticLoadBalancingV2Client,
  listenerArn: string,
  { header, groups }: { readonly header: string; readonly groups: readonly Group[] },
): Promise<void> {
  for (const [index, group] of groups.entries()) {
    await elb.send(
      new CreateRuleCommand({
        ListenerArn: listenerArn,
        Priority: index + 1,
        Conditions: [
          {
            Field: 'http-header',
            HttpHeaderConfig: { HttpHeaderName: header, Values: [index === 0 ? 'blue' : 'green'] },
          },
        ],
        Actions: [forwarding([group])],
      }),
    );
  }
}

async function defaultRule(elb: ElasticLoadBalancingV2Client, listenerArn: string): Promise<string> {
  const described = await elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
  return described.Rules?.find(({ IsDefault }) => IsDefault)?.RuleArn ?? '';
}
