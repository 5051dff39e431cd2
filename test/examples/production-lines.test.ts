import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { jsonServer } from '../adapters/metrics/json-server.ts';
import { type NamesScene, namesScene } from '../actions/blue-green/names-scene.ts';
import type { Scene } from '../actions/blue-green/scene.ts';
import { fakePrometheus } from '../harness/prometheus.ts';
import { runBundle } from '../harness/run-bundle.ts';
import {
  answered,
  between,
  filesOf,
  messagesOf,
  opened,
  playUsers,
  released,
  visitAllTasks,
} from './production-line.ts';

// The production lines of four systems, with their own policies and checks, in lock-step time: half an hour is seconds.
// By default what goes wrong is tried; SLUICE_ALL_POINTS=1 tries the whole lines of good releases, too.
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const tried = <T extends { readonly outcome: string }>(lines: readonly T[]): readonly T[] =>
  lines.filter(({ outcome }) => ALL || outcome === 'rolled-back');

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 60_000);
afterAll(() => cloud?.stop());

const BLUE_ALONE = { weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 0 }, phase: 'rolled-back' };
const GREEN_ALONE = { weights: { blue: 0, green: 100 }, desired: { blue: 0, green: 2 }, phase: 'done' };
const LIMIT = 300_000;

describe('accunode, judged by CloudWatch', () => {
  const TOKEN = { API_TOKEN: 'demo' };
  const good = answered(100);

  test.each([
    {
      name: 'an error rate above 5 %',
      bad: [...answered(93), ...answered(7, { status: 500 })],
      says: /error-rate 7 % > 5 % for 2m/,
      after: 2,
    },
    {
      name: 'a p95 above 2000 ms',
      bad: [...answered(93), ...answered(7, { responseTime: 2_500 })],
      says: /p95 2500 ms > 2000 ms for 5m/,
      after: 5,
    },
  ])('$name takes it back when its minutes are full and not before', async ({ bad, says, after }) => {
    const stage = await opened(cloud, { environment: TOKEN });
    playUsers(stage, (color) => (color === 'blue' ? good : bad));
    const result = await released(stage, 'accunode');
    expect(messagesOf(result, 'error')).toMatch(says);
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', verdict: 'fail' });
    expect(Number(result.outputs['rollback-seconds'])).toBeLessThan(120);
    // Periods of a minute, and what is late of them.
    const seconds = between(result, 'started-at', 'detected-at');
    expect(seconds).toBeGreaterThan(after * 60);
    expect(seconds).toBeLessThan((after + 6) * 60);
    expect(await stage.truth()).toMatchObject(BLUE_ALONE);
    await stage.world.close();
  }, LIMIT); // prettier-ignore

  test('health that fails four times in a row takes it back, though the load balancer sees nothing wrong', async () => {
    // Its own check asks for a page that still answers: only the health document names the database.
    const stage = await opened(cloud, { environment: { ...TOKEN, BEHAVIOUR_DELAY_MS: '60000' }, healthPath: '/version' });
    playUsers(stage, () => good);
    const release = { image: stage.images.late, 'expect-version': '6-unhealthy-later' };
    const prepared = await released(stage, 'accunode', { inputs: { ...release, mode: 'prepare' } });
    expect(prepared.outputs).toMatchObject({ outcome: 'prepared' });
    await visitAllTasks(stage, 'green');
    const result = await released(stage, 'accunode', { inputs: { ...release, mode: 'shift', image: '' } });
    expect(messagesOf(result, 'error')).toContain('health failed 4 in a row');
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', verdict: 'fail' });
    expect(Number(result.outputs['rollback-seconds'])).toBeLessThan(120);
    // A minute of good health, then four looks fifteen seconds apart.
    const seconds = between(result, 'started-at', 'detected-at');
    expect(seconds).toBeGreaterThan(60 + 3 * 15 - 15);
    expect(seconds).toBeLessThan(60 + 6 * 15);
    expect(await stage.truth()).toMatchObject(BLUE_ALONE);
    await stage.world.close();
  }, LIMIT); // prettier-ignore

  test('a p95 above 800 ms is told and stops nothing; a switched release goes back on demand', async () => {
    const stage = await opened(cloud, { environment: TOKEN });
    playUsers(stage, (color) => (color === 'blue' ? good : answered(100, { responseTime: 900 })));
    await released(stage, 'accunode', { inputs: { mode: 'prepare' } });
    const result = await released(stage, 'accunode', { inputs: { mode: 'shift', image: '' } });
    expect(messagesOf(result, 'error')).toBe('');
    expect(result.outputs).toMatchObject({ outcome: 'switched' });
    expect(result.summary + messagesOf(result, 'warning')).toMatch(/p95 900 ms > 800 ms/);
    const back = await released(stage, 'accunode', { inputs: { mode: 'rollback', image: '' } });
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(await stage.truth()).toMatchObject(BLUE_ALONE);
    // The previous target group first, then the new version's service.
    expect(stage.writes('action').filter((name) => name === 'ModifyRule' || name === 'UpdateService').slice(-2)).toEqual(['ModifyRule', 'UpdateService']);
    await stage.world.close();
  }, LIMIT); // prettier-ignore
});

describe('financeanalyst-pro, judged by Prometheus', () => {
  /** Two hours of counters, scraped each five seconds. */
  const counters = (stage: Scene, errors: Readonly<Record<string, number>>) => {
    const from = stage.world.now() - 600_000;
    const scraped = (labels: Readonly<Record<string, string>>, perSecond: number) => ({
      labels: { job: 'financeanalyst-api', ...labels },
      samples: Array.from({ length: 1_440 }, (_, index): readonly [number, number] => [from + index * 5_000, index * 5 * perSecond]),
    });
    return Object.entries(errors).flatMap(([color, share]) => [
      scraped({ __name__: 'http_requests_total', color, code: '200' }, 40 * (1 - share)),
      scraped({ __name__: 'http_requests_total', color, code: '500' }, 40 * share),
      ...['0.25', '0.5', '1', '+Inf'].map((le) => scraped({ __name__: 'http_request_duration_seconds_bucket', color, le }, 40)),
    ]);
  }; // prettier-ignore

  test.each(tried([
    { name: 'as good as stable', errors: { blue: 0.001, green: 0.001 }, outcome: 'promoted', at: GREEN_ALONE, steps: ['0 -> 10', '10 -> 50', '50 -> 100'] },
    { name: 'worse than stable by three points', errors: { blue: 0.001, green: 0.031 }, outcome: 'rolled-back', at: BLUE_ALONE, steps: ['0 -> 10'] },
  ]))('a release that is $name ends $outcome', async ({ errors, outcome, at, steps }) => {
    const prometheus = await fakePrometheus();
    const stage = await opened(cloud);
    await sticky(stage);
    prometheus.series = counters(stage, errors);
    const result = await released(stage, 'financeanalyst-pro', { env: { PROMETHEUS_URL: prometheus.url } });
    await prometheus.close();
    expect(messagesOf(result, 'error')).toMatch(outcome === 'promoted' ? /^$/ : /error-rate .* stable/);
    expect(result.outputs).toMatchObject({ outcome });
    expect(await stage.truth()).toMatchObject(at);
    expect(Number(result.outputs['rollback-seconds'])).toBeLessThan(300);
    for (const step of steps) expect(result.stdout).toContain(`Weight ${step}, bake 5m`);
    await stage.world.close();
  }, LIMIT); // prettier-ignore

  /** Clients of the WebSocket service stay on their color. */
  async function sticky({ world, stacked }: Scene): Promise<void> {
    const elb = new ElasticLoadBalancingV2Client(world.client());
    const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
    const [action] = Rules[0]?.Actions ?? [];
    const ForwardConfig = { ...action?.ForwardConfig, TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 300 } };
    await elb.send(new ModifyRuleCommand({ RuleArn: stacked.ruleArn, Actions: [{ Type: 'forward', ForwardConfig }] }));
    elb.destroy();
  } // prettier-ignore
});

describe('wesign-charts, judged by the team metrics service', () => {
  test.each(tried([
    { name: 'healthy thirty seconds after the switch', image: 'good', version: '2', outcome: 'promoted', at: GREEN_ALONE },
    { name: 'unhealthy thirty seconds after the switch', image: 'late', version: '6-unhealthy-later', outcome: 'rolled-back', at: BLUE_ALONE },
  ] as const))('a release that is $name ends $outcome', async ({ image, version, outcome, at }) => {
    const metrics = await jsonServer();
    metrics.answer = { status: 200, body: JSON.stringify({ requests: 500, errorRate: 0.001, p95: 180 }) };
    // Three steps of five minutes, and thirty seconds.
    const stage = await opened(cloud, { environment: { BEHAVIOUR_DELAY_MS: String(15.5 * 60_000) } });
    const result = await released(stage, 'wesign-charts', { inputs: { image: stage.images[image], 'expect-version': version, 'min-healthy-targets': '2' }, env: { METRICS_URL: metrics.url } });
    await metrics.close();
    expect(result.stdout).toContain('rechecking after 30s');
    expect(result.outputs).toMatchObject({ outcome });
    expect(await stage.truth()).toMatchObject(at);
    await stage.world.close();
  }, LIMIT); // prettier-ignore
});

describe('mdreader, judged by own requests, moved by weights of Route 53', () => {
  /** The team's own job has deployed both stacks. */
  const line = async (stage: NamesScene, env: Readonly<Record<string, string>> = {}) =>
    runBundle(
      await stage.step(
        { deploy: 'none', cluster: '', services: '', image: '', policy: 'production-policy.yml', drain: '2m' },
        { files: filesOf('mdreader'), env, timeout: LIMIT },
      ),
    );

  test.each(tried([
    { name: 'good', tag: '2', outcome: 'promoted', weights: { blue: 0, green: 100 }, says: /^$/ },
    { name: 'healthy at first', tag: '2-unhealthy-later', outcome: 'rolled-back', weights: { blue: 100, green: 0 }, says: /health|error-rate/ },
  ]))('a release that is $name ends $outcome, and no stack is touched', async ({ tag, outcome, weights, says }) => {
    const stage = await namesScene(cloud, { greenDesired: 2, greenTag: tag, environment: { BEHAVIOUR_DELAY_MS: '400000' } });
    const result = await line(stage);
    expect(messagesOf(result, 'error')).toMatch(says);
    expect(result.outputs).toMatchObject({ outcome });
    expect(await stage.truth()).toMatchObject({ weights, desired: { blue: 2, green: 2 } });
    await stage.world.close();
  }, LIMIT); // prettier-ignore
});
