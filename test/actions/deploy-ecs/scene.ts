import type { CallEntry, World, WorldOptions } from '../../../sandbox/cloud.ts';
import { type Stack, type StackSpec, stack } from '../../../sandbox/world.ts';
import type { Cloud } from '../../../sandbox/cloud.ts';
import type { BundleRun } from '../../harness/run-bundle.ts';

export interface Scene {
  readonly world: World;
  readonly stacked: Stack;
  readonly service: string;
  /** By name, pinned: `first` runs already. */
  readonly images: Readonly<Record<'first' | 'good' | 'crash' | 'sick' | 'other', string>>;
  /** A step that deploys `good` unless told otherwise, in lock-step time. */
  step(inputs?: Readonly<Record<string, string>>, more?: Partial<BundleRun>): BundleRun;
  /** Logical calls of the tested processes, in order: `ecs:UpdateService`. */
  operations(run?: string): readonly string[];
  writes(run?: string): readonly string[];
  /** What is true in the cloud: revision, running tasks, phase. */
  truth(): Promise<{
    readonly image: string;
    readonly running: number;
    readonly desired: number;
    readonly phase: string | undefined;
  }>;
}

const shortOf = (operation: string): string => operation.replace(/^ecs:/, '');

export interface SceneOptions {
  readonly world?: WorldOptions;
  /** Where the images are. */
  readonly images?: { readonly repository: string; readonly registry?: string };
}

/** One account with a steady service of two tasks behind a load balancer, named as the example's staging is. */
export async function scene(
  cloud: Cloud,
  spec: Partial<StackSpec> | ((world: World) => Promise<Partial<StackSpec>>) = {},
  { world: account, images: where = { repository: 'shop/web' } }: SceneOptions = {},
): Promise<Scene> {
  const world = await cloud.createWorld(account);
  const tags = { first: '1', good: '2', crash: '3-crash-at-start', sick: '4-never-healthy', other: '5' };
  const published: Record<string, string> = {};
  for (const [name, tag] of Object.entries(tags))
    published[name] = (await world.publishImage({ ...where, tag })).pinned;
  const images = published as Scene['images'];
  const wanted = typeof spec === 'function' ? await spec(world) : spec;
  const stacked = await stack(world, { stage: 'staging', desired: 2, image: images.first, ...wanted });
  const service = stacked.services['service']?.name ?? '';
  const logical = (run: string | undefined): readonly CallEntry[] => {
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
    service,
    images,
    step: (inputs = {}, more = {}) => ({
      action: 'deploy-ecs',
      inputs: { cluster: stacked.cluster, service, image: images.good, ...inputs },
      env: { ...world.env, ...more.env },
      clock: { lockStepFrom: world.now() },
      ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'env')),
    }),
    operations: (run) => logical(run).map(({ operation }) => shortOf(operation)),
    writes: (run) =>
      logical(run)
        .filter(({ mutating, operation }) => mutating && operation.startsWith('ecs:'))
        .map(({ operation }) => shortOf(operation)),
    async truth() {
      const { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } = await import('@aws-sdk/client-ecs');
      const client = new ECSClient(world.client());
      const { services } = await client.send(
        new DescribeServicesCommand({ cluster: stacked.cluster, services: [service], include: ['TAGS'] }),
      );
      const found = services?.[0];
      const { taskDefinition } = await client.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: found?.taskDefinition }),
      );
      client.destroy();
      return {
        image: taskDefinition?.containerDefinitions?.[0]?.image ?? '',
        running: found?.runningCount ?? -1,
        desired: found?.desiredCount ?? -1,
        phase: found?.tags?.find(({ key }) => key === 'sluice:phase')?.value,
      };
    },
  };
}
