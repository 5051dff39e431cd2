import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CallEntry, type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { runBundle } from '../harness/run-bundle.ts';
import type { Scene } from '../actions/deploy-ecs/scene.ts';
import { inParallel } from './blue-green-points.ts';
import { SCENARIOS, type Scenario, callsOf, open, unsafe } from './deploy-ecs-scenarios.ts';

/*
 * A run is killed at its API calls: the effect of the call happens, its answer is lost. "After reply k" equals "before call
 * k + 1", so one kill per call covers every moment. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all.
 */
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const AT_ONCE = 2;
const MINUTES = 60_000;

type Point = Pick<CallEntry, 'operation' | 'ordinal' | 'mutating'>;
const nameOf = ({ operation, ordinal }: Point): string => `${operation}#${ordinal}`;
const SAMPLE = new Set([
  'ecs:RegisterTaskDefinition#1',
  'ecs:UpdateService#1',
  'ecs:RunTask#1',
  'ecs:StopServiceDeployment#1',
  'ecs:DescribeServices#3',
  'ecs:DeregisterTaskDefinition#1',
]);

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, MINUTES);
afterAll(() => cloud?.stop());

async function pointsOf(scenario: Scenario): Promise<readonly Point[]> {
  const stage = await open(cloud, scenario);
  await runBundle(stage.step(scenario.inputs(stage)));
  const points = callsOf(stage).map(({ operation, ordinal, mutating }) => ({ operation, ordinal, mutating }));
  await stage.world.close();
  return points;
}

async function killedAt(stage: Scene, scenario: Scenario, point: Point) {
  let pid: number | undefined;
  const { operation, ordinal } = point;
  stage.world.killAt({ operation, ordinal, when: 'after', run: 'action', pid: () => pid });
  const inputs = scenario.inputs(stage);
  return runBundle(stage.step(inputs, { onSpawn: (running) => (pid = running.pid) }));
}

type Ending = (stage: Scene, state: Readonly<Record<string, string>>) => Promise<string | undefined>;

async function matrix(scenario: Scenario, how: string, ending: Ending): Promise<void> {
  const points = await pointsOf(scenario);
  const tried = ALL ? points : points.filter((point) => SAMPLE.has(nameOf(point)));
  const problems: string[] = [];
  let killed = 0;
  await inParallel(tried, AT_ONCE, async (point) => {
    const stage = await open(cloud, scenario);
    const main = await killedAt(stage, scenario, point);
    if (main.signal === 'SIGKILL') killed += 1;
    const problem = (await ending(stage, main.state)) ?? (await unsafe(stage));
    if (problem !== undefined) problems.push(`${nameOf(point)}: ${problem}`);
    await stage.world.close();
  });
  process.stdout.write(
    `deploy-ecs killed, ${scenario.name}, ${how}: ${points.length} points, ${tried.length} tried, ${killed} killed, ${tried.length - problems.length} survivors\n`,
  );
  expect(problems).toEqual([]);
  expect([tried.length, killed]).toEqual([killed, tried.length]);
}

describe('a run that is killed at an API call', () => {
  test.each(SCENARIOS)(
    'in $name makes the same calls each time, so that every point can be named',
    async (scenario) => {
      const writes = (points: readonly Point[]): readonly string[] =>
        points.filter(({ mutating }) => mutating).map(nameOf);
      expect(writes(await pointsOf(scenario))).toEqual(writes(await pointsOf(scenario)));
    },
    5 * MINUTES,
  );

  test.each(SCENARIOS)(
    'in $name comes to the end that it had by the next attempt',
    (scenario) =>
      matrix(scenario, 'then run again', async (stage) => {
        const env = { ...(await stage.world.run('again')), GITHUB_RUN_ATTEMPT: '2' };
        const again = await runBundle(stage.step(scenario.inputs(stage), { env, timeout: 5 * MINUTES }));
        const { image } = await stage.truth();
        const green = again.exitCode === 0;
        if (green !== (scenario.ends === 'green')) return `${again.outputs['outcome']}: ${again.stdout}`;
        const also = scenario.also?.(stage);
        if (also !== undefined) return also;
        return image === scenario.serves(stage) ? undefined : `${image} serves after ${again.outputs['outcome']}`;
      }),
    60 * MINUTES,
  );

  test.each(SCENARIOS.filter(({ name }) => name.startsWith('deploy')))(
    'in $name is taken back by post, or was at its end',
    (scenario) =>
      matrix(scenario, 'then post', async (stage, state) => {
        const inputs = scenario.inputs(stage);
        const post = await runBundle(stage.step(inputs, { phase: 'post', state, timeout: 5 * MINUTES }));
        if (post.timedOut) return 'post did not end';
        await stage.world.advance(60_000);
        const { image, phase } = await stage.truth();
        const rests = image === stage.images.first || (image === scenario.serves(stage) && phase === 'done');
        return rests ? undefined : `${image} serves in phase ${phase}`;
      }),
    60 * MINUTES,
  );
});
