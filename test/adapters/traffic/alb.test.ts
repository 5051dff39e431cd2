import { afterAll, beforeAll } from '@jest/globals';
import {
  type Action,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Cloud, type World, startCloud } from '../../../sandbox/cloud.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { type AlbPlace, findAlbPlace } from '../../../src/adapters/traffic/alb-place.ts';
import { albTargets } from '../../../src/adapters/traffic/alb-targets.ts';
import { albRouter } from '../../../src/adapters/traffic/alb.ts';
import { trafficRouterContract } from '../../contract/traffic-router.ts';

const signal = new AbortController().signal;
let cloud: Cloud;
let world: World;
let stacked: Stack;
let place: AlbPlace;
let client: ElasticLoadBalancingV2Client;
let fixture: ElasticLoadBalancingV2Client;

beforeAll(async () => {
  cloud = await startCloud({ clock: 'real' });
  world = await cloud.createWorld({ tasks: 'in-process' });
  const { reference } = await world.publishImage({ repository: 'wesign/charts', tag: '1.0.0' });
  stacked = await stack(world, { stage: 'production', colors: true, desired: 2, image: reference });
  fixture = new ElasticLoadBalancingV2Client(world.client());
  client = new ElasticLoadBalancingV2Client({
    region: world.region,
    endpoint: world.env['AWS_ENDPOINT_URL'] as string,
    credentials: {
      accessKeyId: world.env['AWS_ACCESS_KEY_ID'] as string,
      secretAccessKey: world.env['AWS_SECRET_ACCESS_KEY'] as string,
      sessionToken: world.env['AWS_SESSION_TOKEN'] as string,
    },
  });
  place = await findAlbPlace(client, targetOf({}), signal);
}, 60_000);
afterAll(async () => {
  await cloud?.stop();
});

const targetOf = (more: object) => ({
  listener: stacked.loadBalancerName,
  port: 80,
  rule: undefined,
  colors: { blue: 'production-wesign-charts-blue', green: 'production-wesign-charts-green' },
  ...more,
});

const actionsOf = async (): Promise<Action[]> => {
  const described = await fixture.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
  return described.Rules?.[0]?.Actions ?? [];
};
const setForward = async (
  groups: readonly { color: 'blue' | 'green'; weight: number }[],
  seconds = 0,
): Promise<void> => {
  const forward: Action = {
    Type: 'forward',
    ForwardConfig: {
      TargetGroups: groups.map(({ color, weight }) => ({
        TargetGroupArn: stacked.services[color]?.targetGroupArn,
        Weight: weight,
      })),
      TargetGroupStickinessConfig: seconds > 0 ? { Enabled: true, DurationSeconds: seconds } : { Enabled: false },
    },
  };
  await fixture.send(new ModifyRuleCommand({ RuleArn: stacked.ruleArn, Actions: [forward] }));
};
const modifications = (): number =>
  world.calls().filter(({ operation, run }) => operation.endsWith(':ModifyRule') && run === 'action').length;

trafficRouterContract('an ALB rule over the wire', async () => {
  await setForward([{ color: 'blue', weight: 1 }]);
  const before = modifications();
  return {
    router: albRouter(client, place),
    targets: albTargets(client, place),
    setWeights: ({ blue, green }) => setForward([{ color: 'blue', weight: blue }, { color: 'green', weight: green }]),
    setStickiness: async (seconds) => {
      const [forward] = await actionsOf();
      const tuples = forward?.ForwardConfig?.TargetGroups ?? [];
      await setForward(tuples.map(({ TargetGroupArn, Weight }) => ({ color: TargetGroupArn === stacked.services['blue']?.targetGroupArn ? 'blue' : 'green', weight: Weight ?? 0 })), seconds);
    },
    writes: async () => modifications() - before,
    again: () => albRouter(client, place),
    close: async () => undefined,
  };
}); // prettier-ignore
