/** A process of its own that shifts weights, one call after the other, and prints each that came back. */
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';

const { RULE = '', BLUE = '', GREEN = '' } = process.env;
const elb = new ElasticLoadBalancingV2Client({});
process.on('SIGINT', () => process.stdout.write('SIGINT\n'));
for (const weight of [90, 50, 0]) {
  const TargetGroups = [
    { TargetGroupArn: BLUE, Weight: weight },
    { TargetGroupArn: GREEN, Weight: 100 - weight },
  ];
  await elb.send(
    new ModifyRuleCommand({ RuleArn: RULE, Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }] }),
  );
  process.stdout.write(`${weight}\n`);
}
