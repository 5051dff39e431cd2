import {
  CreateRuleCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { jsonServer } from '../adapters/metrics/json-server.ts';
import { type NamesOptions, namesScene } from '../actions/blue-green/names-scene.ts';
import { unlisted } from '../actions/blue-green/rights.ts';
import { TAGS } from '../actions/blue-green/scene.ts';
import { fakePrometheus } from '../harness/prometheus.ts';
import {
  type ProductionLine,
  NO_KEYS,
  answered,
  between,
  filesOf,
  messagesOf,
  openProduction,
  outputsOf,
  playStep,
  playUsers,
  releaseWith,
  textOf,
  visitAllTasks,
} from './production-line.ts';

// The production lines of four systems: the job of each one's own workflow that releases, step by step as production.yml has
// them, with its own sluice.yml, policy, checks, names, account and role, in lock-step time: half an hour is seconds.
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
  const good = answered(100);
  const open = (options: Parameters<typeof openProduction>[2] = {}): Promise<ProductionLine> =>
    openProduction(cloud, { system: 'accunode', workflow: 'production.yml' }, options);

  test.each([
    {
      name: 'an error rate above 5 %',
      bad: [...answered(93), ...answered(7, { status: 500 })],
      says: /error-rate 7 % > 5 % for 2m/,
      after: 2,
    },
    {
      name: 'more than 5 % of requests that a target takes and never answers',
      bad: [...answered(93), ...Array.from({ length: 7 }, () => ({ kind: 'unanswered' }) as const)],
      // Less what may still be answered as the minute ends: 120 ms of 60 s.
      says: /error-rate 6\.8 % > 5 % for 2m/,
      after: 2,
    },
    {
      name: 'a p95 above 2000 ms',
      bad: [...answered(93), ...answered(7, { responseTime: 2_500 })],
      says: /p95 2500 ms > 2000 ms for 5m/,
      after: 5,
    },
  ])('$name takes it back when its minutes are full and not before, in less than two', async ({ bad, says, after }) => {
    const line = await open();
    playUsers(line, (color) => (color === 'blue' ? good : bad));
    const job = await line.release();
    expect(messagesOf(job, 'error')).toMatch(says);
    const shift = outputsOf(job, 'shift');
    expect(shift).toMatchObject({ outcome: 'rolled-back', verdict: 'fail', reason: expect.stringMatching(says) });
    expect(Number(shift['rollback-seconds'])).toBeLessThan(120);
    // Periods of a minute, and what is late of them.
    const seconds = between(job, 'started-at', 'detected-at');
    expect(seconds).toBeGreaterThan(after * 60);
    expect(seconds).toBeLessThan((after + 6) * 60);
    expect(await line.truth()).toMatchObject(BLUE_ALONE);
    // Quota and addresses for both colors are there before the first write.
    const calls = line.logical('run-1').map(({ operation }) => operation);
    for (const room of ['ec2:DescribeSubnets', 'servicequotas:GetServiceQuota']) {
      expect(calls).toContain(room);
      expect(calls.indexOf(room)).toBeLessThan(calls.indexOf('ecs:UpdateService'));
    }
    // Read by CloudWatch, by the role alone.
    expect(calls).toContain('cloudwatch:GetMetricData');
    expect(unlisted(line.world.calls())).toEqual([]);
    await line.world.close();
  }, LIMIT); // prettier-ignore

  test('health that fails four times in a row takes it back, though the load balancer sees nothing wrong', async () => {
    // Its own check asks for a page that still answers: only the health document names the database.
    const line = await open({ environment: { BEHAVIOUR_DELAY_MS: '60000' }, healthPath: '/version' });
    playUsers(line, () => good);
    const job = await line.release({ image: 'late', prepared: () => visitAllTasks(line, 'X-Accunode-Color') });
    expect(outputsOf(job, 'prepare')).toMatchObject({ outcome: 'prepared' });
    expect(messagesOf(job, 'error')).toContain('health failed 4 in a row');
    const shift = outputsOf(job, 'shift');
    expect(shift).toMatchObject({ outcome: 'rolled-back', verdict: 'fail' });
    expect(Number(shift['rollback-seconds'])).toBeLessThan(120);
    // A minute of good health, then four looks fifteen seconds apart.
    const seconds = between(job, 'started-at', 'detected-at');
    expect(seconds).toBeGreaterThan(60 + 3 * 15 - 15);
    expect(seconds).toBeLessThan(60 + 6 * 15);
    expect(await line.truth()).toMatchObject(BLUE_ALONE);
    await line.world.close();
  }, LIMIT); // prettier-ignore

  test('a p95 above 800 ms is told and stops nothing; a switched release goes back on demand', async () => {
    const line = await open();
    playUsers(line, (color) => (color === 'blue' ? good : answered(100, { responseTime: 900 })));
    const job = await line.release({ until: 'shift' });
    expect(messagesOf(job, 'error')).toBe('');
    expect(outputsOf(job, 'shift')).toMatchObject({ outcome: 'switched', verdict: 'warn' });
    expect(messagesOf(job, 'warning')).toMatch(/p95 900 ms > 800 ms/);
    const back = await line.play('rollback.yml', 'roll-back-traffic', { 'inputs.stage': 'production' });
    expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    expect(await line.truth()).toMatchObject(BLUE_ALONE);
    // The previous target group first, then the new version's service.
    expect(line.writes('run-2').filter((name) => name === 'ModifyRule' || name === 'UpdateService')).toEqual(['ModifyRule', 'UpdateService']);
    await line.world.close();
  }, LIMIT); // prettier-ignore

  test('a job that died after the switch and is run again goes back when its smoke test is red', async () => {
    const line = await open();
    playUsers(line, () => good);
    const first = await line.release({ until: 'shift' });
    expect(outputsOf(first, 'shift')).toMatchObject({ outcome: 'switched' });
    const wrong = { 'secrets.API_PASSWORD': 'no longer this one' };
    const again = await line.release({ env: { GITHUB_RUN_ATTEMPT: '2' }, secrets: wrong });
    expect(outputsOf(again, 'prepare')).toMatchObject({ outcome: 'unchanged', phase: 'switched' });
    expect(Object.keys(again.steps)).toEqual(['prepare', 'smoke-users', 'go-back']);
    expect(outputsOf(again, 'go-back')).toMatchObject({ outcome: 'rolled-back' });
    expect(await line.truth()).toMatchObject(BLUE_ALONE);
    await line.world.close();
  }, LIMIT); // prettier-ignore
});

describe('financeanalyst-pro, judged by Prometheus', () => {
  /** Two hours of counters, scraped each five seconds. */
  const counters = (line: ProductionLine, errors: Readonly<Record<string, number>>) => {
    const from = line.world.now() - 600_000;
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
  /** `npm run` of the team, whose commands say that they ran. */
  const scripts = { 'clear-caches': 'echo caches are cleared', 'migrate-down': 'echo the database is touched' };

  test.each(tried([
    { name: 'as good as stable', errors: { blue: 0.001, green: 0.001 }, outcome: 'promoted', at: GREEN_ALONE, steps: ['0 -> 10', '10 -> 50', '50 -> 100'] },
    { name: 'worse than stable by three points', errors: { blue: 0.001, green: 0.031 }, outcome: 'rolled-back', at: BLUE_ALONE, steps: ['0 -> 10'] },
  ]))('a release that is $name ends $outcome, API and WebSocket service together', async ({ errors, outcome, at, steps }) => {
    const prometheus = await fakePrometheus();
    const files = { 'package.json': JSON.stringify({ scripts }) };
    const line = await openProduction(cloud, { system: 'financeanalyst-pro', workflow: 'release.yml', files });
    const socket = await webSocketRule(line);
    prometheus.series = counters(line, errors);
    const job = await line.release({ secrets: { 'secrets.PROMETHEUS_URL': prometheus.url } });
    await prometheus.close();
    expect(messagesOf(job, 'error')).toMatch(outcome === 'promoted' ? /^$/ : /error-rate .* stable/);
    const last = Object.values(job.steps).at(-1)?.outputs ?? {};
    expect(last).toMatchObject({ outcome });
    expect(await line.truth()).toMatchObject(at);
    expect(await socket.greenShare()).toBe(at.weights.green);
    expect(between(job, 'started-at', 'finished-at')).toBeLessThan(30 * 60);
    expect(Number(last['rollback-seconds'])).toBeLessThan(300);
    for (const step of steps) expect(job.stdout).toContain(`Weight ${step}, bake 5m`);
    // After the traffic is back: what the team names, and never the database.
    const isBack = outcome === 'rolled-back';
    expect([job.stdout.includes('caches are cleared'), job.stdout.includes('the database is touched')]).toEqual([isBack, false]);
    expect(job.stdout.includes('allow-database-hooks')).toBe(isBack);
    socket.close();
    await line.world.close();
  }, LIMIT); // prettier-ignore

  test(
    'recover.yml gives the other region all traffic by one change of the name',
    async () => {
      const { world, truth } = await namesScene(cloud, { recoveryRegion: 'eu-west-1', greenDesired: 2 });
      const sluice = textOf('financeanalyst-pro', 'sluice.yml')
        .replaceAll('333333333333', world.account)
        .replaceAll('financeanalyst.example', 'reader.example')
        .replaceAll('{ blue: us-east-1, green: us-west-2 }', '{ blue: blue, green: green }');
      const workflow = 'examples/financeanalyst-pro/.github/workflows/recover.yml';
      const env = { ...(await world.run('run-1')), GITHUB_RUN_ID: '1', ...NO_KEYS };
      const runner = { files: { 'sluice.yml': sluice }, workflow, env, now: () => world.now(), images: () => ({}) };
      const moved = await playStep(runner, { workflow, id: 'move-name', known: {} });
      expect(messagesOf(moved, 'error')).toBe('');
      expect(moved.outputs).toMatchObject({ outcome: 'rolled-back', 'stable-color': 'green' });
      expect((await truth()).weights).toEqual({ blue: 0, green: 100 });
      await world.close();
    },
    LIMIT,
  );

  /** The rule of the WebSocket service, whose clients stay on their color. */
  async function webSocketRule({ world, stacked }: ProductionLine) {
    const elb = new ElasticLoadBalancingV2Client(world.client());
    const groups = ['blue', 'green'].map((color) => stacked.services[color]?.targetGroupArn);
    const made = await elb.send(new CreateRuleCommand({
      ListenerArn: stacked.listenerArn,
      Priority: 5,
      Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/analyticsHub*'] } }],
      Actions: [{
        Type: 'forward',
        ForwardConfig: {
          TargetGroups: groups.map((TargetGroupArn, index) => ({ TargetGroupArn, Weight: index === 0 ? 100 : 0 })),
          TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 300 },
        },
      }],
    }));
    const rule = made.Rules?.[0]?.RuleArn ?? '';
    return {
      async greenShare() {
        const { Rules = [] } = await elb.send(new DescribeRulesCommand({ RuleArns: [rule] }));
        const tuples = Rules[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
        return tuples.find(({ TargetGroupArn }) => TargetGroupArn === groups[1])?.Weight;
      },
      close: () => elb.destroy(),
    };
  } // prettier-ignore
});

describe('wesign-charts, judged by the team metrics service', () => {
  test.each(tried([
    { name: 'healthy thirty seconds after the switch', image: 'good', outcome: 'promoted', at: GREEN_ALONE },
    { name: 'unhealthy thirty seconds after the switch', image: 'late', outcome: 'rolled-back', at: BLUE_ALONE },
  ] as const))('a release that is $name ends $outcome', async ({ image, outcome, at }) => {
    const metrics = await jsonServer();
    metrics.answer = { status: 200, body: JSON.stringify({ requests: 500, errorRate: 0.001, p95: 180 }) };
    // Three steps of five minutes, and thirty seconds.
    const environment = { BEHAVIOUR_DELAY_MS: String(15.5 * 60_000) };
    // The job `production` of pipeline.yml, which the example's release.yml calls.
    const line = await openProduction(cloud, { system: 'wesign-charts', workflow: 'release.yml' }, { environment });
    const job = await line.release({ image, secrets: { 'secrets.METRICS_URL': metrics.url } });
    await metrics.close();
    expect(job.stdout).toContain('rechecking after 30s');
    expect(Object.values(job.steps).at(-1)?.outputs).toMatchObject({ outcome });
    expect(await line.truth()).toMatchObject(at);
    await line.world.close();
  }, LIMIT); // prettier-ignore
});

describe('mdreader, judged by own requests, moved by weights of Route 53', () => {
  const MAKE =
    'const [target] = process.argv.slice(2); console.log(`make ${target} of ${process.env.SLUICE_OLD_COLOR}`)';

  /** The team's own jobs have deployed both stacks, each in an account, a zone and with a `make` of this test. */
  async function open(options: NamesOptions) {
    const stage = await namesScene(cloud, { greenDesired: 2, ...options });
    const { world } = stage;
    const run = stage.step();
    const { url = '', 'candidate-url': candidateUrl = '' } = (await run).inputs ?? {};
    const sluice = textOf('mdreader', 'sluice.yml')
      .replaceAll('333333333333', world.account)
      .replaceAll('https://app.mdreader.example', url)
      .replaceAll('https://{color}.mdreader.example', candidateUrl)
      .replaceAll('mdreader.example', 'reader.example')
      .replaceAll('[make,', '[node, make.mjs,');
    const runner = {
      files: { ...filesOf('mdreader'), 'sluice.yml': sluice, 'make.mjs': MAKE },
      workflow: 'examples/mdreader/.github/workflows/release.yml',
      environment: 'prod',
      env: { ...(await world.run('run-1')), GITHUB_RUN_ID: '1', ...NO_KEYS },
      now: () => world.now(),
      images: () => ({ api: { repository: 'mdreader/api', digest: `sha256:${'a'.repeat(64)}`, tag: TAGS.good } }),
    };
    return { stage, runner };
  }

  test.each(tried([
    { name: 'good', tag: '2', outcome: 'promoted', weights: { blue: 0, green: 100 }, says: /^$/ },
    { name: 'healthy at first', tag: '2-unhealthy-later', outcome: 'rolled-back', weights: { blue: 100, green: 0 }, says: /health|error-rate/ },
  ]))('a release that is $name ends $outcome, and no stack is touched', async ({ tag, outcome, weights, says }) => {
    const { stage, runner } = await open({ greenTag: tag, environment: { BEHAVIOUR_DELAY_MS: '400000' } });
    const job = await releaseWith(runner, {});
    expect(messagesOf(job, 'error')).toMatch(says);
    expect(Object.values(job.steps).at(-1)?.outputs).toMatchObject({ outcome });
    expect(await stage.truth()).toMatchObject({ weights, desired: { blue: 2, green: 2 } });
    const isPromoted = outcome === 'promoted';
    expect(job.stdout.includes('make invalidate-cdn of blue') && job.stdout.includes('make remove-stack of blue')).toBe(isPromoted);
    expect(job.stdout).toMatch(/Requests at weight 10: green [\d.]+\/s/);
    await stage.world.close();
  }, LIMIT); // prettier-ignore

  test(
    'its deployment goes to the color without users, which a look at the weights names',
    async () => {
      const { stage, runner } = await open({});
      const look = await playStep(runner, { workflow: runner.workflow, id: 'look', known: {} });
      expect(look.outputs).toMatchObject({ outcome: 'status', changed: 'false', 'idle-color': 'green' });
      await stage.world.close();
    },
    LIMIT,
  );
});
