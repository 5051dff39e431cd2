import {
  DescribeRulesCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { stringify } from 'yaml';
import type { CallEntry, Cloud, World, WorldOptions } from '../../../sandbox/cloud.ts';
import { type Stack, type StackSpec, stack } from '../../../sandbox/world.ts';
import type { BundleRun } from '../../harness/run-bundle.ts';

export type Release = 'first' | 'good' | 'bad' | 'crash' | 'late' | 'other';

/** What is true in the cloud, whatever the tested process believes. */
export interface Truth {
  readonly weights: { readonly blue: number; readonly green: number };
  readonly desired: { readonly blue: number; readonly green: number };
  readonly running: { readonly blue: number; readonly green: number };
  /** What is suspended in the autoscaling of each: `in+scheduled`, or nothing at all. */
  readonly suspended: { readonly blue: string; readonly green: string };
  readonly phase: string | undefined;
  readonly run: string | undefined;
}

export interface Scene {
  readonly world: World;
  readonly stacked: Stack;
  readonly images: Readonly<Record<Release, string>>;
  /** A step in lock-step time that releases `good` unless told otherwise. */
  step(inputs?: Readonly<Record<string, string>>, more?: Partial<BundleRun>): BundleRun;
  truth(): Promise<Truth>;
  /** Somebody else moves the traffic. */
  setWeights(weights: { readonly blue: number; readonly green: number }): Promise<void>;
  /** Logical writes of a run to AWS, in order: `ModifyRule`. */
  writes(run?: string): readonly string[];
  logical(run?: string): readonly CallEntry[];
}

/** Judged by own probes only, so that nothing but the candidate matters; short, because time costs calls. */
export const POLICY = {
  steps: ['10%', '50%', '100%'],
  bake: '1m',
  recheck: { after: '15s', for: '30s' },
  rules: [{ fail: 'health fails 3 in a row' }, { fail: 'error-rate > 5% for 1m', 'min-samples': 10 }],
  metrics: { 'error-rate': { from: 'probe', path: '/', every: '1s' } },
};

export const CHECKS = { version: 1, checks: [{ name: 'health', get: '/health', expect: { status: 200 } }] };

export const TAGS: Readonly<Record<Release, string>> = {
  first: '1',
  good: '2',
  bad: '3-error-rate',
  crash: '4-crash-at-start',
  late: '6-unhealthy-later',
  other: '5',
};

export interface SceneOptions {
  /** Of the demo application, beside when and how often a bad release errs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the load balancer checks; default `/health`. */
  readonly healthPath?: string;
  readonly world?: WorldOptions;
  /** Where the images are. */
  readonly images?: { readonly repository: string; readonly registry?: string };
  /** Names, container and listener, when not those of the shop. */
  readonly spec?: Partial<StackSpec>;
}

/** One account with a live blue color of two tasks and an empty green one, each reachable alone by the header x-color. */
export async function scene(cloud: Cloud, options: SceneOptions = {}): Promise<Scene> {
  const world = await cloud.createWorld(options.world);
  const published: Record<string, string> = {};
  for (const [name, tag] of Object.entries(TAGS)) published[name] = (await world.publishImage({ ...(options.images ?? { repository: 'shop/web' }), tag })).pinned;
  const images = published as Scene['images'];
  const environment = { BEHAVIOUR_AFTER_REQUESTS: '20', BEHAVIOUR_SHARE: '0.5', ...options.environment };
  const { healthPath = '/health' } = options;
  const stacked = await stack(world, { stage: 'production', system: 'shop', colors: true, desired: 2, image: images.first, environment, healthPath, colorHeader: 'x-color', ...options.spec });
  const elb = new ElasticLoadBalancingV2Client(world.client());
  const ecs = new ECSClient(world.client());
  const scaling = new ApplicationAutoScalingClient(world.client());
  for (const color of ['blue', 'green'] as const) await scaled(scaling, stacked, color);
  const groups = { blue: stacked.services['blue']?.targetGroupArn ?? '', green: stacked.services['green']?.targetGroupArn ?? '' };
  const logical = (run?: string): readonly CallEntry[] => {
    const seen = new Set<string>();
    return world.calls().filter(({ run: by, logicalId }) => {
      const counts = (run === undefined ? by !== 'fixture' : by === run) && !seen.has(logicalId);
      seen.add(logicalId);
      return counts;
    });
  };
  return {
    world,
    stacked,
    images,
    logical,
    writes: (run) => logical(run).filter(({ mutating }) => mutating).map(({ operation }) => operation.split(':')[1] ?? ''),
    step: (inputs = {}, { env, ...more } = {}) => ({
      action: 'blue-green',
      inputs: { ...inputsOf(stacked), image: images.good, ...inputs },
      files: { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(CHECKS) },
      env: { ...world.env, ...env },
      clock: { lockStepFrom: world.now() },
      ...more,
    }),
    async truth() {
      const rule = await elb.send(new DescribeRulesCommand({ RuleArns: [stacked.ruleArn] }));
      const tuples = rule.Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
      const weight = (arn: string): number => tuples.find(({ TargetGroupArn }) => TargetGroupArn === arn)?.Weight ?? 0;
      const tags = (await elb.send(new DescribeTagsCommand({ ResourceArns: [stacked.ruleArn] }))).TagDescriptions?.[0]?.Tags ?? [];
      const tag = (key: string): string | undefined => tags.find(({ Key }) => Key === key)?.Value;
      const names = [stacked.services['blue']?.name ?? '', stacked.services['green']?.name ?? ''];
      const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster: stacked.cluster, services: names }));
      const [blue, green] = names.map((name) => services.find(({ serviceName }) => serviceName === name));
      return {
        weights: { blue: weight(groups.blue), green: weight(groups.green) },
        desired: { blue: blue?.desiredCount ?? -1, green: green?.desiredCount ?? -1 },
        running: { blue: blue?.runningCount ?? -1, green: green?.runningCount ?? -1 },
        suspended: await suspendedOf(scaling, stacked),
        phase: tag('sluice:phase'),
        run: tag('sluice:run'),
      };
    },
    async setWeights({ blue, green }) {
      const TargetGroups = [{ TargetGroupArn: groups.blue, Weight: blue }, { TargetGroupArn: groups.green, Weight: green }];
      await elb.send(new ModifyRuleCommand({ RuleArn: stacked.ruleArn, Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }] }));
    },
  };
} // prettier-ignore

const OF_ECS = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;
const resourceOf = ({ cluster, services }: Stack, color: string): string =>
  `service/${cluster}/${services[color]?.name}`;

/** Both colors are scaled; somebody has suspended the schedule of blue, which must still be so at the end. */
async function scaled(scaling: ApplicationAutoScalingClient, stacked: Stack, color: 'blue' | 'green'): Promise<void> {
  const SuspendedState = { ScheduledScalingSuspended: color === 'blue' };
  const limits = { MinCapacity: color === 'blue' ? 2 : 0, MaxCapacity: 10 };
  await scaling.send(new RegisterScalableTargetCommand({ ...OF_ECS, ResourceId: resourceOf(stacked, color), ...limits, SuspendedState }));
} // prettier-ignore

async function suspendedOf(scaling: ApplicationAutoScalingClient, stacked: Stack): Promise<Truth['suspended']> {
  const { ScalableTargets = [] } = await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }));
  const words = (color: string): string => {
    const state = ScalableTargets.find(({ ResourceId }) => ResourceId === resourceOf(stacked, color))?.SuspendedState;
    const { DynamicScalingInSuspended: scaleIn, DynamicScalingOutSuspended: out, ScheduledScalingSuspended: scheduled } = state ?? {};
    return [...(scaleIn ? ['in'] : []), ...(out ? ['out'] : []), ...(scheduled ? ['scheduled'] : [])].join('+');
  };
  return { blue: words('blue'), green: words('green') };
} // prettier-ignore

/** As before any shift. */
export const NOT_HELD = { blue: 'scheduled', green: '' };

const inputsOf = (stacked: Stack): Readonly<Record<string, string>> => ({
  cluster: stacked.cluster,
  services: JSON.stringify({ blue: stacked.services['blue']?.name, green: stacked.services['green']?.name }),
  router: JSON.stringify({
    alb: { listener: stacked.loadBalancerName, port: 80 },
    colors: { blue: stacked.services['blue']?.targetGroupName, green: stacked.services['green']?.targetGroupName },
  }),
  url: stacked.url,
  'candidate-headers': JSON.stringify({ 'x-color': '{color}' }),
  policy: 'policy.yml',
  checks: 'checks.yml',
  drain: '1m',
});
