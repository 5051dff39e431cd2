import {
  CreateRuleCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, scene } from './scene.ts';

// Two rules of one listener that move together, over the wire.

let cloud: Cloud;
let stage: Scene;
let elb: ElasticLoadBalancingV2Client;
let second: string;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
  elb = new ElasticLoadBalancingV2Client(stage.world.client());
  const { listenerArn, services } = stage.stacked;
  const made = await elb.send(
    new CreateRuleCommand({
      ListenerArn: listenerArn,
      Priority: 20,
      Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/hub/*'] } }],
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: { TargetGroups: [{ TargetGroupArn: services['blue']?.targetGroupArn, Weight: 1 }] },
        },
      ],
    }),
  );
  second = made.Rules?.[0]?.RuleArn ?? '';
}, 60_000);
afterAll(async () => {
  elb?.destroy();
  await cloud?.stop();
});

/** Share of green in the second rule, in percent. */
async function greenOfSecond(): Promise<number> {
  const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [second] }));
  const tuples = Rules[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
  const total = tuples.reduce((sum, { Weight = 0 }) => sum + Weight, 0);
  const green = tuples.find(({ TargetGroupArn }) => TargetGroupArn === stage.stacked.services['green']?.targetGroupArn);
  return ((green?.Weight ?? 0) / total) * 100;
}

const step = (more: Parameters<Scene['step']>[1] = {}) => {
  const { loadBalancerName: listener, services } = stage.stacked;
  const colors = { blue: services['blue']?.targetGroupName, green: services['green']?.targetGroupName };
  const routes = [10, 20].map((rule) => ({ alb: { listener, port: 80, rule }, colors }));
  const run = stage.step({}, more);
  const { router: _, ...inputs } = run.inputs ?? {};
  return { ...run, inputs: { ...inputs, routes: JSON.stringify(routes) } };
};

test('a signal takes both back side by side, and post the rest', async () => {
  const first = step({ signalAt: { output: /green serves 50 % since now/, signal: 'SIGINT' } });
  const stopped = await runBundle(first);
  expect(stopped.exitCode).toBe(130);
  expect({ first: (await stage.truth()).weights, second: await greenOfSecond() }).toEqual({
    first: { blue: 100, green: 0 },
    second: 0,
  });
  const post = await runBundle({ ...step(), phase: 'post', state: stopped.state });
  expect(post.exitCode).toBe(0);
  expect(await stage.truth()).toMatchObject({ phase: 'rolled-back', desired: { blue: 2, green: 0 } });
}, 60_000);

test('with target groups of their own need metrics that can be told together', async () => {
  const { inputs, ...run } = step();
  const [first, other] = JSON.parse(inputs.routes) as readonly Record<string, unknown>[];
  const routes = JSON.stringify([first, { ...other, colors: { blue: 'hub-blue', green: 'hub-green' } }]);
  const policy = `rules: [queue > 100]
metrics: { queue: { from: web, url: 'http://127.0.0.1:9/{target-group}', value: $.length } }
`;
  const files = { ...run.files, 'policy.yml': policy };
  const result = await runBundle({ ...run, files, inputs: { ...inputs, routes, 'dry-run': 'true' } });
  expect(result.outputs).toMatchObject({ outcome: 'invalid-input', changed: 'false' });
  expect(JSON.stringify(result.annotations)).toContain('production-shop-green and hub-green');
}, 60_000);

test('a good release has both, and hands the routes on', async () => {
  const result = await runBundle(step());
  expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass' });
  expect(JSON.parse(result.outputs['routes'] ?? '')).toHaveLength(2);
  expect({ first: (await stage.truth()).weights, second: await greenOfSecond() }).toEqual({
    first: { blue: 0, green: 100 },
    second: 100,
  });
}, 60_000);
