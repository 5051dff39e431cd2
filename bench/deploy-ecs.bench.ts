import { DescribeServiceDeploymentsCommand, ECSClient, type ServiceDeployment } from '@aws-sdk/client-ecs';
import { type CallEntry, type Cloud, type World, startCloud } from '../sandbox/cloud.ts';
import { type StackSpec, stack } from '../sandbox/world.ts';
import { groupScene } from '../test/actions/deploy-ecs/group-scene.ts';
import { type BundleResult, runBundle } from '../test/harness/run-bundle.ts';
import type { Bench, Figure } from './figures.ts';

/** Rollouts of about this length, each a little longer than the one before, so that the end falls anywhere between two looks. */
const LENGTH = 300_000;
const ROLLOUTS = 24;
/** One of the peer's schedules in as many random runs as facts say (20,000), is stable to a second. */
const PEER_RUNS = 20_000;

/** Of each of the other two kinds, which take longer to play. */
const NATIVE_ROLLOUTS = 8;
const BAKE_MINUTES = 5;
const GROUP = 10;

const bench: Bench = {
  title: 'A rollout of five minutes in lock-step: how soon its end is seen, and how many calls that takes',
  async run() {
    const cloud = await startCloud({ clock: 'lock-step' });
    try {
      const rolling: Sample[] = [];
      for (let index = 0; index < ROLLOUTS; index++) rolling.push(await rollingOf(await cloud.createWorld(), index));
      const native: Sample[] = [];
      for (let index = 0; index < NATIVE_ROLLOUTS; index++)
        native.push(await nativeOf(await cloud.createWorld(), index));
      return [...rollingFigures(rolling), ...nativeFigures(native), groupFigure(await groupOf(cloud))];
    } finally {
      await cloud.stop();
    }
  },
};
export default bench;

interface Sample {
  /** Milliseconds from the update to ECS's SUCCESSFUL. */
  readonly length: number;
  /** Milliseconds from SUCCESSFUL to the look that saw it. */
  readonly lag: number;
  /** Calls of ECS, retries not counted twice. */
  readonly calls: number;
}

/** The old tasks are drained for as long as their target group says: that is what makes a rollout of five minutes. */
const rollingOf = (world: World, index: number): Promise<Sample> =>
  sampleOf(world, index, { drainSeconds: LENGTH / 1_000 - ROLLOUTS / 2 + index });

/** Nearly all of it is the bake. */
const nativeOf = (world: World, index: number): Promise<Sample> =>
  sampleOf(world, index, { native: { strategy: 'BLUE_GREEN', bakeTimeInMinutes: BAKE_MINUTES } });

async function sampleOf(world: World, index: number, spec: Partial<StackSpec>): Promise<Sample> {
  const [first, next] = [
    await world.publishImage({ repository: 'shop/web', tag: '1' }),
    await world.publishImage({ repository: 'shop/web', tag: '2' }),
  ];
  const stacked = await stack(world, { stage: 'bench', desired: 2, image: first.pinned, ...spec });
  const service = stacked.services['service']?.name ?? '';
  const run = await release(world, index, { cluster: stacked.cluster, service, image: next.pinned });
  return { ...(await timesOf(world, run.outputs['service-deployment-arn'] ?? '')), calls: callsOf(world) };
}

/** Ten services of one cluster, released as one. */
async function groupOf(cloud: Pick<Cloud, 'createWorld'>): Promise<Sample> {
  const names = Array.from({ length: GROUP }, (_, index) => `service-${index}`);
  const { world, cluster, images } = await groupScene(cloud, names, { drainSeconds: LENGTH / 1_000 });
  const list = names.map((service) => ({ service, image: images.good }));
  const run = await release(world, 0, { cluster, 'service-group': JSON.stringify(list) });
  const results = JSON.parse(run.outputs['service-results'] ?? '{}') as Record<string, Record<string, string>>;
  const times = await Promise.all(names.map((name) => timesOf(world, results[name]?.['service-deployment-arn'] ?? '')));
  const last = times.reduce((one, other) => (one.length > other.length ? one : other));
  return { ...last, calls: callsOf(world) };
}

async function release(world: World, index: number, inputs: Readonly<Record<string, string>>): Promise<BundleResult> {
  const run = await runBundle({
    action: 'deploy-ecs',
    inputs: { ...inputs, timeout: '1h' },
    env: { ...world.env, GITHUB_RUN_ID: String(4_711 + index) },
    clock: { lockStepFrom: world.now() },
  });
  if (run.outputs['outcome'] !== 'succeeded')
    throw new Error(`rollout ${index} ended ${run.outputs['outcome']}:\n${run.stdout}`);
  return run;
}

async function timesOf(world: World, arn: string): Promise<Pick<Sample, 'length' | 'lag'>> {
  const record = await recordOf(world, arn);
  // Written when the end is seen, without a wait between.
  const seen = ofAction(world).findLast(({ operation }) => operation === 'ecs:TagResource')?.at ?? Number.NaN;
  const ended = record.finishedAt?.getTime() ?? Number.NaN;
  const began = record.createdAt?.getTime() ?? Number.NaN;
  return { length: ended - began, lag: seen - ended };
}

const ofAction = (world: World): readonly CallEntry[] => world.calls().filter(({ run }) => run === 'action');

const callsOf = (world: World): number =>
  new Set(
    ofAction(world)
      .filter(({ operation }) => operation.startsWith('ecs:'))
      .map(({ logicalId }) => logicalId),
  ).size;

async function recordOf(world: World, arn: string): Promise<ServiceDeployment> {
  const client = new ECSClient(world.client());
  const { serviceDeployments = [] } = await client.send(
    new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }),
  );
  client.destroy();
  return serviceDeployments[0] ?? {};
}

const lagsOf = (samples: readonly Sample[]): readonly number[] => samples.map(({ lag }) => lag / 1_000);
/** Beside one call in five seconds of the wait. */
const beyond = ({ calls, length, lag }: Sample): number => calls - (length + lag) / 5_000;

function rollingFigures(samples: readonly Sample[]): readonly Figure[] {
  const lags = lagsOf(samples);
  const peer = peerLags(LENGTH / 1_000);
  const lengths = samples.map(({ length }) => length / 1_000);
  const name = `seconds from stable to seen, ${samples.length} rollouts of ${short(Math.min(...lengths))} to ${short(Math.max(...lengths))} s`;
  const waiter = 'waitUntilServicesStable of the peer, modelled';
  return [
    { name: `${name}, mean`, value: mean(lags), unit: 's', goal: 3, comparison: { name: waiter, value: mean(peer) } },
    { name: 'the same, p95', value: p95(lags), unit: 's', goal: 6, comparison: { name: waiter, value: p95(peer) } },
    {
      name: 'calls of ECS beyond one in 5 s, most',
      value: Math.max(...samples.map(beyond)),
      unit: 'calls',
      goal: CALLS_BESIDE,
    },
  ];
}

/** What a release may cost beside the wait: reading what is there, its own writes and the first look. */
const CALLS_BESIDE = 8;

function nativeFigures(samples: readonly Sample[]): readonly Figure[] {
  const lags = lagsOf(samples);
  const name = `BLUE_GREEN with a bake of ${BAKE_MINUTES} min, ${samples.length} rollouts`;
  return [
    { name: `${name}: seconds from its end to seen, mean`, value: mean(lags), unit: 's', goal: 3 },
    { name: 'the same, p95', value: p95(lags), unit: 's', goal: 6 },
    {
      name: 'the same, calls of ECS beyond one in 5 s, most',
      value: Math.max(...samples.map(beyond)),
      unit: 'calls',
      goal: CALLS_BESIDE,
    },
  ];
}

/** The looks are shared; what is read before, and the writes, each service needs for itself. */
const groupFigure = (sample: Sample): Figure => ({
  name: `calls of ECS beyond one in 5 s for all, a group of ${GROUP}, per service`,
  value: beyond(sample) / GROUP,
  unit: 'calls',
  goal: CALLS_BESIDE,
});

const short = (value: number): string => value.toFixed(0);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN;

/**
 * The waiter that amazon-ecs-deploy-task-definition 2.6.3 bundles: looks at once, then waits a random time between 15 s and
 * a ceiling that doubles with each attempt up to 600 s.
 */
function peerLags(stable: number): readonly number[] {
  const random = seeded(2_026);
  return Array.from({ length: PEER_RUNS }, () => {
    let now = 0;
    for (let attempt = 1; now < stable; attempt++) {
      const ceiling = Math.min(600, 15 * 2 ** (attempt - 1));
      now += attempt > CEILING_REACHED ? 600 : 15 + random() * (ceiling - 15);
    }
    return now - stable;
  });
}

/** log(600 / 15) / log(2) + 1, from which on the SDK's waiter waits its longest time without chance. */
const CEILING_REACHED = Math.log(600 / 15) / Math.log(2) + 1;

/** mulberry32: the same figures every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
