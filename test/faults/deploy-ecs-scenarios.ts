import {
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { CallEntry, Cloud } from '../../sandbox/cloud.ts';
import type { StackSpec } from '../../sandbox/world.ts';
import { type Scene, scene } from '../actions/deploy-ecs/scene.ts';
import type { BundleResult } from '../harness/run-bundle.ts';

/** One way to use the action, with what must be true at the end of it. */
export interface Scenario {
  readonly name: string;
  readonly inputs: (stage: Scene) => Readonly<Record<string, string>>;
  readonly spec?: Partial<StackSpec>;
  readonly prepare?: (stage: Scene) => Promise<void>;
  /** What the service serves when the run is green. */
  readonly serves: (stage: Scene) => string;
  readonly ends: 'green' | 'red';
  /** What is wrong besides, at the end of the second run. */
  readonly also?: (stage: Scene) => string | undefined;
}

/** Migrations that came to a good end: one, however often the run was killed. */
function migratedOnce({ world }: Scene): string | undefined {
  const tasks = Object.values(world.state().tasks).filter(({ startedBy }) => startedBy?.startsWith('sluice-'));
  return tasks.length === 1 && tasks[0]?.exitCode === 0
    ? undefined
    : `${tasks.length} migrations ran (exit codes ${tasks.map(({ exitCode }) => exitCode).join(', ')})`;
}

const TASKS = 2;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'deploy', inputs: () => ({}), serves: ({ images }) => images.good, ends: 'green' },
  {
    name: 'deploy with a migration',
    inputs: () => ({ 'pre-deploy-task': '{ command: [migrate] }' }),
    serves: ({ images }) => images.good,
    ends: 'green',
    also: migratedOnce,
  },
  {
    name: 'deploy of a bad image',
    inputs: ({ images }) => ({ image: images.crash }),
    spec: { circuitBreaker: { enable: false, rollback: false } },
    serves: ({ images }) => images.first,
    ends: 'red',
  },
  {
    name: 'rollback',
    inputs: () => ({ image: '', mode: 'rollback' }),
    prepare: (stage) => release(stage, stage.images.good),
    serves: ({ images }) => images.first,
    ends: 'green',
  },
  {
    name: 'cleanup',
    // Short, so that a fault for good is not met for the usual twenty minutes.
    inputs: () => ({ image: '', mode: 'cleanup', 'keep-revisions': '1', timeout: '2m' }),
    async prepare(stage) {
      for (const image of [stage.images.other, stage.images.crash]) await register(stage, image);
      await release(stage, stage.images.good);
    },
    serves: ({ images }) => images.good,
    ends: 'green',
  },
];

async function withEcs<T>({ world }: Scene, use: (client: ECSClient) => Promise<T>): Promise<T> {
  const client = new ECSClient(world.client());
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

const register = (stage: Scene, image: string): Promise<string> =>
  withEcs(stage, async (client) => {
    const family = stage.stacked.family;
    const { taskDefinition } = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: family }));
    const { containerDefinitions = [], networkMode, requiresCompatibilities, cpu, memory } = taskDefinition ?? {};
    const definition = {
      family,
      networkMode,
      requiresCompatibilities,
      cpu,
      memory,
    } as RegisterTaskDefinitionCommandInput;
    const containers = containerDefinitions.map((container) => ({ ...container, image }));
    const made = await client.send(
      new RegisterTaskDefinitionCommand({ ...definition, containerDefinitions: containers }),
    );
    return made.taskDefinition?.taskDefinitionArn ?? '';
  });

async function release(stage: Scene, image: string): Promise<void> {
  const taskDefinition = await register(stage, image);
  const { cluster } = stage.stacked;
  await withEcs(stage, (client) =>
    client.send(new UpdateServiceCommand({ cluster, service: stage.service, taskDefinition })),
  );
  await stage.world.advance(60_000);
}

export async function open(cloud: Cloud, { spec, prepare }: Scenario): Promise<Scene> {
  const stage = await scene(cloud, spec);
  await prepare?.(stage);
  return stage;
}

/** Calls of the action, each once, in order. */
export function callsOf(stage: Scene): readonly CallEntry[] {
  const seen = new Set<string>();
  return stage.world
    .calls()
    .filter(({ run, logicalId }) => run === 'action' && !seen.has(logicalId) && seen.add(logicalId));
}

/** What is wrong with the service or its revisions, whatever became of the run; undefined: nothing. */
export async function unsafe(stage: Scene): Promise<string | undefined> {
  // ECS's own part of it comes to its end.
  await stage.world.advance(120_000);
  const truth = await stage.truth();
  if (truth.running < TASKS) return `${truth.running} tasks run`;
  const arns = await withEcs(stage, async (client) => {
    const listed = await client.send(
      new ListTaskDefinitionsCommand({ familyPrefix: stage.stacked.family, status: 'ACTIVE' }),
    );
    return listed.taskDefinitionArns ?? [];
  });
  const numbers = arns.map((arn) => arn.slice(arn.lastIndexOf(':') + 1));
  // What served first is where the way back of every scenario leads.
  return numbers.includes('1') ? undefined : `revision 1 is gone, ${numbers.join(', ')} are left`;
}

/** Whether the run ended as the scenario does, or red with a message that a person can use; a line tells what is wrong. */
export function untrue(
  scenario: Scenario,
  run: BundleResult,
  truth: { readonly image: string },
  stage: Scene,
): string | undefined {
  if (run.timedOut) return 'it did not end';
  const errors = run.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  if (errors.some((message) => /is a bug|TypeError|undefined/.test(message))) return `it told ${errors.join(' ')}`;
  const arrived = truth.image === scenario.serves(stage);
  if (run.exitCode === 0) return scenario.ends === 'green' && arrived ? undefined : `green, and ${truth.image} serves`;
  if (errors.length === 0) return 'red without a word';
  if (run.outputs['outcome'] === 'rolled-back' && truth.image !== stage.images.first)
    return 'it says rolled-back and is not';
  return undefined;
}
