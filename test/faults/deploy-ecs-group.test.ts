import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CallEntry, type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { type GroupScene, type Seen, groupScene } from '../actions/deploy-ecs/group-scene.ts';
import { runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';

/*
 * A release of a group is killed at its API calls, as in deploy-ecs-kill.test.ts. Whatever the moment, the next attempt comes
 * to the end that the release would have had, and `post` takes all of it back. By default a sample is tried;
 * SLUICE_ALL_POINTS=1 tries all.
 */
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const AT_ONCE = 2;
const MINUTES = 60_000;

interface Scenario {
  readonly name: string;
  readonly services: readonly string[];
  readonly group: (stage: GroupScene) => unknown;
  /** What serves at the end, by service. */
  readonly ends: 'good' | 'first';
  readonly sample: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a good chain',
    services: ['api', 'web'],
    group: (stage) => stage.chain(),
    ends: 'good',
    sample: ['ecs:UpdateService#2'],
  },
  {
    name: 'a chain whose second fails',
    services: ['api', 'web'],
    group: (stage) => stage.chain({ web: 'crash' }),
    ends: 'first',
    sample: ['ecs:UpdateService#3'],
  },
];

type Point = Pick<CallEntry, 'operation' | 'ordinal'>;
const nameOf = ({ operation, ordinal }: Point): string => `${operation}#${ordinal}`;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, MINUTES);
afterAll(() => cloud?.stop());

const open = ({ services }: Scenario): Promise<GroupScene> => groupScene(cloud, services);

const known = new Map<string, Promise<readonly Point[]>>();

/** Calls of a run that nobody disturbs, read once. */
function pointsOf(scenario: Scenario): Promise<readonly Point[]> {
  const points = known.get(scenario.name) ?? readPoints(scenario);
  known.set(scenario.name, points);
  return points;
}

async function readPoints(scenario: Scenario): Promise<readonly Point[]> {
  const stage = await open(scenario);
  await runBundle(stage.step(scenario.group(stage)));
  const seen = new Set<string>();
  const points = stage.world
    .calls()
    .filter(({ run, logicalId }) => run === 'action' && !seen.has(logicalId) && seen.add(logicalId))
    .map(({ operation, ordinal }) => ({ operation, ordinal }));
  await stage.world.close();
  return points;
}

type Ending = (stage: GroupScene, state: Readonly<Record<string, string>>) => Promise<string | undefined>;

async function matrix(scenario: Scenario, how: string, ending: Ending): Promise<void> {
  const points = await pointsOf(scenario);
  const tried = ALL ? points : points.filter((point) => scenario.sample.includes(nameOf(point)));
  const problems: string[] = [];
  await inParallel(tried, AT_ONCE, async (point) => {
    const stage = await open(scenario);
    let pid: number | undefined;
    stage.world.killAt({ ...point, when: 'after', run: 'action', pid: () => pid });
    const main = await runBundle(stage.step(scenario.group(stage), {}, { onSpawn: (running) => (pid = running.pid) }));
    const problem = main.signal === 'SIGKILL' ? await ending(stage, main.state) : 'it was not killed';
    if (problem !== undefined) problems.push(`${nameOf(point)}: ${problem}`);
    await stage.world.close();
  });
  process.stdout.write(
    `deploy-ecs group killed, ${scenario.name}, ${how}: ${points.length} points, ${tried.length} tried, ${problems.length} problems\n`,
  );
  expect(problems).toEqual([]);
  expect(tried.length).toBeGreaterThan(0);
}

const shown = (truth: Readonly<Record<string, Seen>>): string =>
  Object.entries(truth)
    .map(([name, { image, running, phase }]) => `${name} ${image} (${running}, ${phase})`)
    .join(', ');

async function allServe(stage: GroupScene, image: string): Promise<boolean> {
  await stage.world.advance(60_000);
  return Object.values(await stage.truth()).every((seen) => seen.image === image && seen.running === 1);
}

describe('a release of a group that is killed at an API call', () => {
  test.each(SCENARIOS)(
    '$name comes to the end that it had by the next attempt',
    (scenario) =>
      matrix(scenario, 'then run again', async (stage) => {
        const env = { ...(await stage.world.run('again')), GITHUB_RUN_ATTEMPT: '2' };
        const again = await runBundle(stage.step(scenario.group(stage), {}, { env, timeout: 5 * MINUTES }));
        if ((again.exitCode === 0) !== (scenario.ends === 'good'))
          return `${again.outputs['outcome']}: ${again.stdout.slice(-2_000)}`;
        return (await allServe(stage, scenario.ends))
          ? undefined
          : `${again.outputs['outcome']}: ${shown(await stage.truth())}`;
      }),
    60 * MINUTES,
  );

  test.each(SCENARIOS)(
    '$name is taken back as a whole by post, or was at its end',
    (scenario) =>
      matrix(scenario, 'then post', async (stage, state) => {
        const post = await runBundle(
          stage.step(scenario.group(stage), {}, { phase: 'post', state, timeout: 5 * MINUTES }),
        );
        if (post.timedOut) return 'post did not end';
        if (await allServe(stage, 'first')) return undefined;
        const over = Object.values(await stage.truth()).every(({ phase }) => phase === 'done');
        return over && (await allServe(stage, 'good')) ? undefined : shown(await stage.truth());
      }),
    60 * MINUTES,
  );
});
