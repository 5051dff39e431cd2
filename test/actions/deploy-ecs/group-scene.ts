import type { Cloud, World } from '../../../sandbox/cloud.ts';
import { type StackSpec, stack } from '../../../sandbox/world.ts';
import type { BundleRun } from '../../harness/run-bundle.ts';

const TAGS = { first: '1', good: '2', crash: '3-crash-at-start', sick: '4-never-healthy', other: '5' } as const;
type Image = keyof typeof TAGS;

export interface Seen {
  readonly image: Image | 'unknown';
  readonly running: number;
  readonly phase: string | undefined;
}

export interface GroupScene {
  readonly world: World;
  readonly cluster: string;
  readonly names: readonly string[];
  readonly images: Readonly<Record<Image, string>>;
  /** A step that deploys the list, in lock-step time. */
  step(group: unknown, inputs?: Readonly<Record<string, string>>, more?: Partial<BundleRun>): BundleRun;
  /** `first -> second -> third`: each depends on the one before; by default all get the good image. */
  chain(images?: Readonly<Record<string, Image>>): readonly Readonly<Record<string, unknown>>[];
  /** What is true in the cloud, by service. */
  truth(): Promise<Readonly<Record<string, Seen>>>;
  /** Names of services in the order in which they were updated, each with the number of its revision. */
  updates(): readonly string[];
}

/** Steady services of one cluster. */
export async function groupScene(
  cloud: Pick<Cloud, 'createWorld'>,
  names: readonly string[] = ['api', 'web', 'worker'],
  spec: Partial<StackSpec> = {},
): Promise<GroupScene> {
  const world = await cloud.createWorld();
  const published: Record<string, string> = {};
  for (const [name, tag] of Object.entries(TAGS))
    published[name] = (await world.publishImage({ repository: 'shop/web', tag })).pinned;
  const images = published as GroupScene['images'];
  const cluster = 'staging-shop';
  const names_ = (name: string) => ({
    cluster,
    services: [name],
    targetGroups: [`${name}-tg`],
    loadBalancer: `${name}-alb`,
  });
  for (const name of names)
    await stack(world, { stage: 'staging', desired: 1, image: images.first, names: names_(name), ...spec });
  return {
    world,
    cluster,
    names,
    images,
    step: (group, inputs = {}, more = {}) => ({
      action: 'deploy-ecs',
      inputs: { cluster, 'service-group': JSON.stringify(group), ...inputs },
      clock: { lockStepFrom: world.now() },
      ...more,
      env: { ...world.env, ...more.env },
    }),
    chain: (wanted = {}) =>
      names.map((service, index) => ({
        service,
        image: images[wanted[service] ?? 'good'],
        ...(index === 0 ? {} : { 'depends-on': [names[index - 1]] }),
      })),
    truth: () => truthOf(world, { cluster, names, images }),
    updates: () => updatesOf(world),
  };
}

async function truthOf(
  world: World,
  { cluster, names, images }: Pick<GroupScene, 'cluster' | 'names' | 'images'>,
): Promise<Readonly<Record<string, Seen>>> {
  const { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } = await import('@aws-sdk/client-ecs');
  const client = new ECSClient(world.client());
  const seen: Record<string, Seen> = {};
  for (const name of names) {
    const { services } = await client.send(
      new DescribeServicesCommand({ cluster, services: [name], include: ['TAGS'] }),
    );
    const [found] = services ?? [];
    const { taskDefinition } = await client.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: found?.taskDefinition }),
    );
    const image = taskDefinition?.containerDefinitions?.[0]?.image;
    seen[name] = {
      image: (Object.keys(images) as Image[]).find((each) => images[each] === image) ?? 'unknown',
      running: found?.runningCount ?? -1,
      phase: found?.tags?.find(({ key }) => key === 'sluice:phase')?.value,
    };
  }
  client.destroy();
  return seen;
}

function updatesOf(world: World): readonly string[] {
  const seen = new Set<string>();
  return world.calls().flatMap(({ operation, run, logicalId }) => {
    if (operation !== 'ecs:UpdateService' || run === 'fixture' || seen.has(logicalId)) return [];
    seen.add(logicalId);
    return [logicalId];
  });
}
