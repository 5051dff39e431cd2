import { stringify } from 'yaml';
import type { CallEntry, Cloud } from '../../sandbox/cloud.ts';
import { type Scene, type Truth, CHECKS, NOT_HELD, scene } from '../actions/blue-green/scene.ts';
import { type BundleResult, type BundleRun, runBundle } from '../harness/run-bundle.ts';

/** One logical call of a run, by operation and ordinal: raw indices shift with every new call. */
export interface Point {
  readonly operation: string;
  readonly ordinal: number;
  readonly mutating: boolean;
}

export const nameOf = ({ operation, ordinal }: Point): string => `${operation.split(':')[1]}#${ordinal}`;

/** As short as a policy can be that still has three steps, a recheck and a drain. */
const SHORT_POLICY = {
  bake: '15s',
  recheck: { after: '1s', for: '15s' },
  rules: ['health fails 3 in a row'],
};

export const shortStep = (stage: Scene, more: Partial<BundleRun> = {}): BundleRun =>
  stage.step(
    { drain: '1s' },
    { files: { 'policy.yml': stringify(SHORT_POLICY), 'checks.yml': stringify(CHECKS) }, ...more },
  );

const pointOf = ({ operation, ordinal, mutating }: CallEntry): Point => ({ operation, ordinal, mutating });

/** Every call that a good run makes, in order, seen by making one. */
export async function pointsOfGoodRun(cloud: Cloud): Promise<readonly Point[]> {
  const stage = await scene(cloud);
  const result = await runBundle(shortStep(stage));
  if (result.outputs['outcome'] !== 'promoted')
    throw new Error(`the run to be killed is not a good one:\n${result.stdout}`);
  const points = stage.logical('action').map(pointOf);
  await stage.world.close();
  return points;
}

/** What is wrong with a state that users meet, or undefined. */
export function unsafe({ weights, running, desired, phase }: Truth): string | undefined {
  for (const color of ['blue', 'green'] as const) {
    if (weights[color] > 0 && running[color] === 0) return `${color} has weight ${weights[color]} and no task`;
  }
  if (weights.blue + weights.green === 0) return 'no color has weight';
  const drained = phase === 'finishing' || phase === 'done';
  return desired.blue < 2 && !drained ? `blue has ${desired.blue} tasks before the drain (${phase})` : undefined;
}

const JUDGED_GOOD = ['switched', 'finishing', 'done'];

/** Where a shift may rest: taken back, or judged good and kept. */
export function unfinished(truth: Truth, before: string | undefined): string | undefined {
  const kept = JUDGED_GOOD.includes(before ?? '');
  const wanted = kept ? { blue: 0, green: 100 } : { blue: 100, green: 0 };
  // Before the idle group is seated, blue has everything by whatever weight it was given.
  const isThere = kept
    ? truth.weights.green === wanted.green && truth.weights.blue === 0
    : truth.weights.blue > 0 && truth.weights.green === 0;
  if (!isThere) return `weights ${JSON.stringify(truth.weights)}, wanted ${JSON.stringify(wanted)}`;
  if (!kept && truth.desired.green !== 0) return `green keeps ${truth.desired.green} tasks`;
  if (JSON.stringify(truth.suspended) !== JSON.stringify(NOT_HELD))
    return `autoscaling is left suspended: ${JSON.stringify(truth.suspended)}`;
  return undefined;
}

export interface Killed {
  readonly stage: Scene;
  readonly main: BundleResult;
  readonly atKill: Truth;
}

/** Runs until the point is reached; the effect of that call happens, its answer is lost, and the process is gone. */
export async function killAt(cloud: Cloud, point: Point): Promise<Killed> {
  const stage = await scene(cloud);
  let pid: number | undefined;
  stage.world.killAt({
    operation: point.operation,
    ordinal: point.ordinal,
    when: 'after',
    run: 'action',
    pid: () => pid,
  });
  const main = await runBundle(shortStep(stage, { onSpawn: (running) => (pid = running.pid) }));
  return { stage, main, atKill: await stage.truth() };
}

/** Works on all of `items`, so many at once. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
