import {
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  type ResourceRecordSet,
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { jsonServer } from '../../adapters/metrics/json-server.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';
import { shownAs } from '../../harness/troubleshooting.ts';
import { type NamesScene, NAME, namesScene } from './names-scene.ts';
import { type Scene, POLICY, scene } from './scene.ts';

// Rows of the README's table of troubles that no other test here provokes.

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 60_000);
afterAll(() => cloud?.stop());

const saidBy = ({ annotations }: BundleResult): string => annotations.map(({ message }) => message).join('\n');
type Inputs = Readonly<Record<string, string>>;
/** One run of its own, as the shared scene is. */
type Run = (inputs: Inputs, policy?: object, more?: More) => Promise<BundleResult>;
type More = Pick<BundleRun, 'signalAt'> & { readonly id?: string };

describe('blue-green behind a load balancer says what the README explains', () => {
  let stage: Scene;
  let elb: ElasticLoadBalancingV2Client;
  beforeAll(async () => {
    stage = await scene(cloud);
    elb = new ElasticLoadBalancingV2Client(stage.world.client());
    await spareGroups();
  }, 60_000);
  afterAll(() => elb?.destroy());

  const SPARE = { blue: 'spare-blue', green: 'spare-green' };
  async function spareGroups(): Promise<void> {
    const like = (await elb.send(new DescribeTargetGroupsCommand({ Names: [groupName('green')] }))).TargetGroups?.[0];
    for (const Name of Object.values(SPARE))
      await elb.send(new CreateTargetGroupCommand({ Name, Protocol: 'HTTP', Port: like?.Port, VpcId: like?.VpcId, TargetType: 'ip' }));
  } // prettier-ignore

  const groupName = (color: string): string => stage.stacked.services[color]?.targetGroupName ?? '';
  const arnOf = async (name: string): Promise<string> =>
    (await elb.send(new DescribeTargetGroupsCommand({ Names: [name] }))).TargetGroups?.[0]?.TargetGroupArn ?? '';
  const router = (more: { readonly rule?: number; readonly colors?: object } = {}): string => {
    const { rule, colors = { blue: groupName('blue'), green: groupName('green') } } = more;
    return JSON.stringify({ alb: { listener: stage.stacked.loadBalancerName, port: 80, ...(rule === undefined ? {} : { rule }) }, colors });
  }; // prettier-ignore
  /** A rule that forwards to these target groups, as long as the work takes. */
  async function withRule<T>(groups: readonly string[], work: () => Promise<T>): Promise<T> {
    const TargetGroups = await Promise.all(groups.map(async (name) => ({ TargetGroupArn: await arnOf(name), Weight: name === groups[0] ? 100 : 0 })));
    const made = await elb.send(new CreateRuleCommand({
      ListenerArn: stage.stacked.listenerArn,
      Priority: 30,
      Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/other/*'] } }],
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
    }));
    return work().finally(() => elb.send(new DeleteRuleCommand({ RuleArn: made.Rules?.[0]?.RuleArn })));
  } // prettier-ignore

  /** The metrics service of a team answers this for the error rate. */
  async function metered(run: Run, answer: object, policy: object): Promise<BundleResult> {
    const metrics = await jsonServer();
    metrics.answer = { status: 200, body: JSON.stringify(answer) };
    const error = { from: 'web', url: `${metrics.url}/{target-group}`, value: '$.rate', samples: '$.n' };
    const metric = { rules: ['error-rate > 5% for 2m'], metrics: { 'error-rate': error } };
    return run({ checks: '' }, { ...POLICY, ...metric, ...policy }).finally(() => metrics.close());
  }

  const TROUBLES: readonly { readonly row: string; readonly provoke: (run: Run) => Promise<BundleResult> }[] = [
    { row: 'no rule forwards to ...', provoke: (run) => run({ router: router({ colors: SPARE }) }) },
    {
      row: 'several rules forward to ...',
      provoke: (run) => withRule([groupName('blue'), groupName('green')], () => run({})),
    },
    {
      row: 'ALB rule ... cannot carry a shift',
      provoke: (run) => withRule([SPARE.blue, groupName('green')], () => run({ router: router({ rule: 30 }) })),
    },
    {
      row: 'traffic is blue 70 / green 30, and no shift explains it',
      async provoke(run) {
        await stage.setWeights({ blue: 70, green: 30 });
        return run({}).finally(() => stage.setWeights({ blue: 100, green: 0 }));
      },
    },
    {
      row: 'neither color has a healthy target',
      provoke: (run) =>
        withRule([SPARE.blue, SPARE.green], () =>
          run({
            router: router({ rule: 30, colors: SPARE }),
            deploy: 'none',
            cluster: '',
            services: '',
            'candidate-headers': '',
            'candidate-url': 'http://{color}.localhost:1',
          }),
        ),
    },
    {
      row: 'green has 0 of 2 healthy targets',
      provoke: (run) =>
        run({ deploy: 'none', cluster: '', services: '', checks: '', timeout: '1m', 'min-healthy-targets': '2' }),
    },
    {
      row: '... cannot be used: no request is known to reach the candidate alone',
      provoke: (run) => run({ checks: '', 'candidate-headers': '' }),
    },
    {
      row: 'candidate-url: ... is the url of the users',
      provoke: (run) => run({ 'candidate-headers': '', 'candidate-url': stage.stacked.url }),
    },
    {
      row: 'deadline: ... cannot be met',
      provoke: (run) => run({}, { ...POLICY, bake: '20m', deadline: '30m' }),
    },
    {
      row: 'shift ... of run ... is under way',
      async provoke(run) {
        const died = await run({}, POLICY, {
          id: '1',
          signalAt: { output: /green serves 10 % since now/, signal: 'SIGKILL' },
        });
        expect(died.signal).toBe('SIGKILL');
        // Within its lease it may be at work.
        const second = await run({ image: stage.images.other }, POLICY, { id: '2' });
        await run({ mode: 'rollback', image: '' }, POLICY, { id: '3' });
        return second;
      },
    },
    {
      row: 'Somebody else moved the traffic of ...',
      async provoke(run) {
        const signalAt = { output: /green serves 10 % since now/, signal: 'SIGKILL' } as const;
        await run({}, POLICY, { id: '4', signalAt });
        await stage.setWeights({ blue: 70, green: 30 });
        await stage.world.advance(120_000);
        const second = await run({}, POLICY, { id: '5' });
        await stage.setWeights({ blue: 100, green: 0 });
        await run({ mode: 'rollback', image: '' }, POLICY, { id: '6' });
        return second;
      },
    },
    {
      row: 'nothing could be judged: error-rate: the source does not answer (...)',
      provoke: (run) =>
        run(
          { checks: '' },
          {
            ...POLICY,
            metrics: { 'error-rate': { from: 'web', url: 'http://127.0.0.1:9/', value: '$.rate', samples: '$.n' } },
          },
        ),
    },
    {
      row: 'error-rate: no data for 2m (limit 2m)',
      provoke: (run) => metered(run, { rate: null, n: null }, { bake: '5m' }),
    },
    {
      row: 'error-rate: 12 requests, 20 needed',
      provoke: (run) => metered(run, { rate: 0, n: 12 }, { steps: ['100%'], recheck: 'none', bake: '2m30s' }),
    },
  ];

  test.each(TROUBLES)('$row', async ({ row, provoke }) => {
    const result = await provoke((inputs, policy = POLICY, { id = '9', ...more } = {}) => {
      const step = stage.step(inputs, { env: { GITHUB_RUN_ID: id }, timeout: 110_000, ...more });
      return runBundle({ ...step, files: { ...step.files, 'policy.yml': stringify(policy) } });
    });
    expect(saidBy(result)).toMatch(shownAs(row));
  }, 120_000); // prettier-ignore
});

describe('blue-green by Route 53 says what the README explains', () => {
  let stage: NamesScene;
  let route53: Route53Client;
  beforeAll(async () => {
    stage = await namesScene(cloud);
    route53 = new Route53Client(stage.world.client());
  }, 60_000);
  afterAll(() => route53?.destroy());

  async function change(of: (record: ResourceRecordSet) => ResourceRecordSet | undefined): Promise<void> {
    const HostedZoneId = stage.named.zoneId;
    const { ResourceRecordSets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId }));
    const Changes = ResourceRecordSets.filter(({ Name }) => Name === `${NAME}.`).flatMap((record) => {
      const changed = of(record);
      return changed === undefined
        ? []
        : [{ Action: 'DELETE' as const, ResourceRecordSet: record }, { Action: 'CREATE' as const, ResourceRecordSet: changed }];
    });
    await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
  } // prettier-ignore
  const isGreen = ({ SetIdentifier }: ResourceRecordSet): boolean => SetIdentifier === 'green';

  const TROUBLES: readonly {
    readonly row: string;
    readonly inputs?: Inputs;
    readonly before?: () => Promise<void>;
  }[] = [
    {
      row: 'Route 53 record ... cannot carry a shift',
      inputs: {
        router: JSON.stringify({
          route53: { zone: 'reader.example', record: 'blue.reader.example' },
          colors: { blue: 'blue', green: 'green' },
        }),
      },
    },
    {
      row: 'has no one split: its types disagree',
      before: () =>
        change((record) => (isGreen(record) && record.Type === 'AAAA' ? { ...record, Weight: 30 } : undefined)),
    },
    {
      row: 'nothing tells whether green (...) serves',
      before: () =>
        change(({ AliasTarget: _alias, Type, ...record }) =>
          isGreen({ ...record, Type })
            ? { ...record, Type, Weight: 0, TTL: 60, ResourceRecords: [{ Value: Type === 'A' ? '192.0.2.1' : '2001:db8::1' }] }
            : undefined,
        ), // prettier-ignore
    },
  ];

  test.each(TROUBLES)(
    '$row',
    async ({ row, inputs, before }) => {
      await before?.();
      const result = await runBundle(await stage.step({ mode: 'status', image: '', ...inputs }));
      expect(result.exitCode).toBe(1);
      expect(saidBy(result)).toMatch(shownAs(row));
    },
    60_000,
  );
});
