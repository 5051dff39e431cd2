import type { Armed, CallEntry, Cloud } from '../../sandbox/cloud.ts';
import { type Truth, NOT_HELD } from '../actions/blue-green/scene.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import type { Opened, Victim } from './blue-green-victims.ts';

/** One logical call of a run, by operation and ordinal: raw indices shift with every new call. */
export interface Point {
  readonly operation: string;
  readonly ordinal: number;
  readonly mutating: boolean;
}

/** `elasticloadbalancing:ModifyRule#2` */
export function pointNamed(name: string): Point {
  const [operation = '', ordinal] = name.split('#');
  return { operation, ordinal: Number(ordinal), mutating: !/:(Describe|Get|List)/.test(operation) };
}

export const nameOf = ({ operation, ordinal }: Point): string => `${operation.split(':')[1]}#${ordinal}`;

const pointOf = ({ operation, ordinal, mutating }: CallEntry): Point => ({ operation, ordinal, mutating });

/** Every call that an undisturbed run makes, in order, seen by making one. */
export async function pointsOf(cloud: Cloud, victim: Victim): Promise<readonly Point[]> {
  const stage = await victim.open(cloud);
  const result = await runBundle(await stage.step());
  if (result.outputs['outcome'] !== victim.ends)
    throw new Error(`the run to be killed does not end ${victim.ends}:\n${result.stdout}`);
  const points = stage.logical('action').map(pointOf);
  await stage.world.close();
  return points;
}

/** What is wrong with a state that users meet, or undefined. */
export function unsafe({ weights, running, desired, phase }: Truth): string | undefined {
  for (const color of ['blue', 'green'] as const) {
    if (weights[color] > 0 && running[color] === 0) return `${color} has weight ${weights[color]} and no task`;
    if (weights[color] > 0 && desired[color] === 0) return `${color} has weight ${weights[color]} and is scaled to 0`;
  }
  const total = weights.blue + weights.green;
  if (total === 0) return 'no color has weight';
  // Before the idle group is seated, the live one has everything by whatever weight it was given.
  if (total !== 100 && weights.blue > 0 && weights.green > 0) return `weights ${JSON.stringify(weights)}`;
  const drained = phase === 'finishing' || phase === 'done';
  return desired.blue < 2 && !drained ? `blue has ${desired.blue} tasks before the drain (${phase})` : undefined;
}

const JUDGED_GOOD = ['switched', 'finishing', 'done'];

/** Where a shift may rest: taken back, or judged good and kept. */
export function unfinished(truth: Truth, before: string | undefined): string | undefined {
  const kept = JUDGED_GOOD.includes(before ?? '');
  const wanted = kept ? { blue: 0, green: 100 } : { blue: 100, green: 0 };
  const isThere = kept
    ? truth.weights.green === wanted.green && truth.weights.blue === 0
    : truth.weights.blue > 0 && truth.weights.green === 0;
  if (!isThere) return `weights ${JSON.stringify(truth.weights)}, wanted ${JSON.stringify(wanted)}`;
  if (!kept && truth.desired.green !== 0) return `green keeps ${truth.desired.green} tasks`;
  return held(truth);
}

export const held = ({ suspended }: Truth): string | undefined =>
  JSON.stringify(suspended) === JSON.stringify(NOT_HELD)
    ? undefined
    : `autoscaling is left suspended: ${JSON.stringify(suspended)}`;

export interface Killed {
  readonly stage: Opened;
  readonly main: BundleResult;
  /** Of the sandbox, when the process was gone; epoch milliseconds. */
  readonly at: number;
  readonly atKill: Truth;
  readonly armed: Armed;
}

/** Runs until the point is reached. SIGKILL: the effect of that call happens, its answer is lost, and the process is gone. */
async function killAt(cloud: Cloud, victim: Victim, how: { readonly point: Point; readonly signal: NodeJS.Signals }): Promise<Killed> {
  const stage = await victim.open(cloud);
  let pid: number | undefined;
  const { operation, ordinal } = how.point;
  const armed = stage.world.killAt({ operation, ordinal, when: 'after', run: 'action', signal: how.signal, pid: () => pid });
  const main = await runBundle(await stage.step({}, { onSpawn: (running) => (pid = running.pid) }));
  return { stage, main, armed, at: stage.world.now(), atKill: await stage.truth() };
} // prettier-ignore

/** What happens after the death; a text says what is wrong with the end. */
export interface Ending {
  readonly name: string;
  readonly signal?: NodeJS.Signals;
  end(killed: Killed): Promise<string | undefined>;
}

export interface Matrix {
  readonly cloud: Cloud;
  readonly victim: Victim;
  readonly points: readonly Point[];
  /** Names of the points that are tried by default, one ending each in turn; every point with every ending when all are. */
  readonly sample: readonly string[];
  readonly endings: readonly Ending[];
}

const WANTED = process.env['SLUICE_ALL_POINTS'];
/** `1`: every call. `writes`: every write, and the last read before the next one. */
export const ALL = WANTED === '1' || WANTED === 'writes';

/** A death between two writes leaves the cloud as the first of them did, whichever read was the last: only the time differs. */
const worthTrying = (points: readonly Point[]): readonly Point[] =>
  WANTED === '1' ? points : points.filter(({ mutating }, index) => mutating || points[index + 1]?.mutating !== false);
const AT_ONCE = 2;

/** Tries the points; a problem is a line with the point's name. */
export async function problemsOf({ cloud, victim, points, sample, endings }: Matrix): Promise<readonly string[]> {
  const sampled = points.filter((point) => sample.includes(nameOf(point)));
  const tried = ALL
    ? endings.flatMap((ending) => worthTrying(points).map((point) => ({ point, ending })))
    : sampled.map((point, index) => ({ point, ending: endings[index % endings.length] as Ending }));
  const problems: string[] = [];
  const missed: string[] = [];
  await inParallel(tried, AT_ONCE, async ({ point, ending }) => {
    const killed = await killAt(cloud, victim, { point, signal: ending.signal ?? 'SIGKILL' });
    const where = `${nameOf(point)} (${killed.atKill.phase ?? 'no record'}), ${ending.name}`;
    if (killed.armed.hits() === 0) missed.push(`${where}: the run ended before it came there`);
    const problem = unsafe(killed.atKill) ?? (await ending.end(killed)) ?? unsafe(await killed.stage.truth());
    if (problem !== undefined) problems.push(`${where}: ${problem}`);
    await killed.stage.world.close();
  });
  const how = endings.map(({ name }) => name).join(', ');
  process.stdout.write(
    `blue-green killed, ${victim.name} (${how}): ${points.length} points, ${tried.length} tried, ${tried.length - missed.length} hit, ${tried.length - problems.length} survivors\n`,
  );
  return [...problems, ...missed];
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
