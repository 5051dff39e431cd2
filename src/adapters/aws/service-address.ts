import { Failure } from '../../domain/failure.ts';
import { nearestOf } from '../../domain/inputs.ts';
import type { ServiceAddresses } from '../../ports/service-address.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

/** CloudFormation and Elastic Load Balancing, each loaded when it is asked. */
export function serviceAddressesOf(session: Pick<AwsSession, 'clientConfig'>): ServiceAddresses {
  return {
    async stackOutput({ stack, output }, signal) {
      const { CloudFormationClient, DescribeStacksCommand } = await import('./cloudformation-client.ts');
      const client = new CloudFormationClient(session.clientConfig);
      const what = `Could not read output ${output} of stack ${stack}`;
      const answer = await callAws({ action: 'cloudformation:DescribeStacks', what }, signal, () =>
        client.send(new DescribeStacksCommand({ StackName: stack }), { abortSignal: signal }),
      );
      const outputs = answer.Stacks?.[0]?.Outputs ?? [];
      const value = outputs.find(({ OutputKey }) => OutputKey === output)?.OutputValue;
      if (value !== undefined && value !== '') return value;
      const names = outputs.flatMap(({ OutputKey }) => OutputKey ?? []);
      const nearest = nearestOf(output, names);
      throw new Failure({
        what,
        why: names.length === 0 ? 'the stack has no outputs' : `its outputs are ${names.join(', ')}`,
        now: 'Nothing was changed',
        next: nearest === undefined ? 'Correct url-from' : `Did you mean ${nearest}?`,
      });
    },
    async loadBalancer(targetGroupArns, signal) {
      const what = 'Could not find the load balancer of the service';
      const now = 'Nothing was changed';
      if (targetGroupArns.length === 0)
        throw new Failure({ what, why: 'the service has no target group', now, next: 'Set url' });
      const { DescribeLoadBalancersCommand, DescribeTargetGroupsCommand, ElasticLoadBalancingV2Client } =
        await import('./load-balancing-client.ts');
      const client = new ElasticLoadBalancingV2Client(session.clientConfig);
      const groups = await callAws({ action: 'elasticloadbalancing:DescribeTargetGroups', what, now }, signal, () =>
        client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [...targetGroupArns] }), {
          abortSignal: signal,
        }),
      );
      const arns = [...new Set((groups.TargetGroups ?? []).flatMap(({ LoadBalancerArns }) => LoadBalancerArns ?? []))];
      const [arn, ...others] = arns;
      if (arn === undefined || others.length > 0) {
        const why = arn === undefined ? 'no load balancer uses its target groups' : `there are ${arns.length} of them`;
        throw new Failure({ what, why, now, next: 'Set url' });
      }
      const found = await callAws({ action: 'elasticloadbalancing:DescribeLoadBalancers', what, now }, signal, () =>
        client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }), { abortSignal: signal }),
      );
      const name = found.LoadBalancers?.[0]?.DNSName;
      if (name === undefined) throw new Failure({ what, why: 'it has no DNS name', now });
      return name;
    },
  };
}
