import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { type ResourceRecordSet, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { stringify } from 'yaml';
import type { Cloud, World } from '../../../sandbox/cloud.ts';
import { type NamesSpec, type NamesStack, namesStack } from '../../../sandbox/names-front.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import type { BundleRun } from '../../harness/run-bundle.ts';
import { type Truth, CHECKS, POLICY } from './scene.ts';

const ZONE = 'reader.example';
export const NAME = `app.${ZONE}`;

/** Two load balancers, one for each color, and a name whose weighted records lead to them: all on blue. */
export interface NamesScene {
  readonly world: World;
  readonly stacks: Readonly<Record<'blue' | 'green', Stack>>;
  readonly named: NamesStack;
  readonly images: Readonly<Record<'first' | 'good' | 'bad', string>>;
  step(inputs?: Readonly<Record<string, string>>, more?: Partial<BundleRun>): Promise<BundleRun>;
  truth(): Promise<Omit<Truth, 'suspended'>>;
}

export interface NamesOptions {
  readonly as?: NamesSpec['as'];
  readonly dns?: { readonly syncWithin?: number; readonly aliasLife?: number };
  /** Where green stands, when not beside blue. */
  readonly recoveryRegion?: string;
  /** Tasks that green has at the start. */
  readonly greenDesired?: number;
  /** What green runs at the start, when not the release of blue. */
  readonly greenTag?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function namesScene(cloud: Cloud, options: NamesOptions = {}): Promise<NamesScene> {
  const world = await cloud.createWorld(options.dns === undefined ? {} : { dns: options.dns });
  const publish = async (tag: string, region?: string) => (await world.publishImage({ repository: 'reader/web', tag }, region)).pinned;
  const images = { first: await publish('1'), good: await publish('2'), bad: await publish('3-error-rate') };
  const side = (color: 'blue' | 'green', region?: string, image = images.first) =>
    stack(world, {
      stage: color,
      ...(region === undefined ? {} : { region }),
      names: { cluster: 'production-reader', services: [`reader-${color}-service`], targetGroups: [`reader-${color}`], loadBalancer: `reader-${color}` },
      desired: color === 'blue' ? 2 : (options.greenDesired ?? 0),
      image,
      environment: { BEHAVIOUR_AFTER_REQUESTS: '20', BEHAVIOUR_SHARE: '0.5', ...options.environment },
    });
  const { recoveryRegion: region } = options;
  const elsewhere = region !== undefined || options.greenTag !== undefined;
  const greenImage = elsewhere ? await publish(options.greenTag ?? '1', region) : images.first;
  const stacks = { blue: await side('blue'), green: await side('green', region, greenImage) };
  const loadBalancers = { blue: { arn: stacks.blue.loadBalancerArn }, green: { arn: stacks.green.loadBalancerArn, ...(region === undefined ? {} : { region }) } };
  const named = await namesStack(world, { zone: ZONE, record: NAME, loadBalancers, as: options.as ?? 'alias' });
  const truth = truthOf({ world, stacks, named, region });
  return {
    world,
    stacks,
    named,
    images,
    truth,
    step: async (inputs = {}, { env, ...more } = {}) => ({
      action: 'blue-green',
      inputs: {
        cluster: 'production-reader',
        services: JSON.stringify({ blue: 'reader-blue-service', green: 'reader-green-service' }),
        router: JSON.stringify({ route53: { zone: ZONE, record: NAME }, colors: { blue: 'blue', green: 'green' } }),
        url: await world.names.gateway(NAME),
        'candidate-url': await world.names.gateway(`{color}.${ZONE}`),
        policy: 'policy.yml',
        checks: 'checks.yml',
        drain: '1m',
        image: images.good,
        ...inputs,
      },
      files: { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(CHECKS) },
      env: { ...world.env, ...env },
      clock: { lockStepFrom: world.now() },
      ...more,
    }),
  };
} // prettier-ignore

interface TruthParts {
  readonly world: World;
  readonly stacks: NamesScene['stacks'];
  readonly named: NamesStack;
  readonly region: string | undefined;
}

const truthOf =
  ({ world, named, region }: TruthParts) =>
  async (): Promise<Omit<Truth, 'suspended'>> => {
    const records = await listed(world, named.zoneId);
    const weight = (color: string): number => {
      const weights = records.filter(({ Name, SetIdentifier }) => Name === `${NAME}.` && SetIdentifier === color).map(({ Weight }) => Weight ?? -1);
      return new Set(weights).size === 1 ? (weights[0] ?? -1) : -1;
    };
    const text = records.find(({ Name }) => Name === `_sluice.${NAME}.`)?.ResourceRecords?.[0]?.Value ?? '';
    const tag = (key: string): string | undefined => new RegExp(`"sluice:${key}=([^"]*)"`).exec(text)?.[1];
    const [blue, green] = [await sizeOf(world, 'reader-blue-service'), await sizeOf(world, 'reader-green-service', region)];
    return {
      weights: { blue: weight('blue'), green: weight('green') },
      desired: { blue: blue.desired, green: green.desired },
      running: { blue: blue.running, green: green.running },
      phase: tag('phase'),
      run: tag('run'),
    };
  }; // prettier-ignore

async function listed(world: World, zoneId: string): Promise<readonly ResourceRecordSet[]> {
  const route53 = new Route53Client(world.client());
  const answer = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  route53.destroy();
  return answer.ResourceRecordSets ?? [];
}

async function sizeOf(world: World, service: string, region?: string): Promise<{ desired: number; running: number }> {
  const ecs = new ECSClient(world.client(region === undefined ? {} : { region }));
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster: 'production-reader', services: [service] }));
  ecs.destroy();
  return { desired: services[0]?.desiredCount ?? -1, running: services[0]?.runningCount ?? -1 };
} // prettier-ignore
