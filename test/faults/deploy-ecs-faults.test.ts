import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cloud, type Fault, startCloud } from '../../sandbox/cloud.ts';
import { runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';
import { SCENARIOS, type Scenario, callsOf, open, unsafe, untrue } from './deploy-ecs-scenarios.ts';

/*
 * Every operation of every scenario meets every kind of fault, once and for good. Whatever happens, at least as many tasks
 * serve as before, what a roll back needs stays, and the step says what is true. By default a sample is tried;
 * SLUICE_ALL_POINTS=1 tries all.
 */
const ALL = process.env['SLUICE_ALL_POINTS'] === '1';
const AT_ONCE = 2;
const MINUTES = 60_000;

const KINDS = [
  'throttle',
  '5xx',
  'access-denied',
  'expired-token',
  'reset',
  'reset-after',
  'hang',
  'stale-read',
] as const;
type Kind = (typeof KINDS)[number];
interface Point {
  readonly operation: string;
  readonly kind: Kind;
  readonly times: 'once' | 'always';
}

const nameOf = ({ operation, kind, times }: Point): string => `${operation} ${kind} ${times}`;
const FOR_EVER = 100_000;

function faultOf({ operation, kind, times }: Point): Fault {
  const where = { operation, times: times === 'once' ? 1 : FOR_EVER };
  return kind === 'reset-after' ? { ...where, kind: 'reset', when: 'after' } : { ...where, kind };
}

/** A stale read is one of a read; a hang for good is the same as a reset for good, only slower. */
const makesSense = (mutating: boolean, { kind, times }: Omit<Point, 'operation'>): boolean =>
  !(kind === 'stale-read' && (mutating || times === 'always')) &&
  !(kind === 'hang' && times === 'always') &&
  !(kind === 'reset-after' && !mutating);

/** One of each kind, at the calls where it hurts most. */
const SAMPLE: Readonly<Record<string, readonly string[]>> = {
  deploy: [
    'ecs:UpdateService reset-after once',
    'ecs:UpdateService throttle always',
    'ecs:RegisterTaskDefinition reset-after once',
    'ecs:DescribeServices 5xx once',
    'ecs:DescribeServices stale-read once',
    'ecs:TagResource access-denied always',
  ],
  'deploy with a migration': [
    'ecs:RunTask reset-after once',
    'ecs:RunTask access-denied always',
    'ecs:DescribeTasks throttle once',
    'ecs:DescribeServices stale-read once',
  ],
  'deploy of a bad image': ['ecs:StopServiceDeployment access-denied always', 'ecs:ListTasks access-denied always'],
  rollback: ['ecs:UpdateService reset-after once', 'ecs:ListServiceDeployments access-denied always'],
  cleanup: ['ecs:DeregisterTaskDefinition throttle once', 'ecs:ListTasks access-denied always'],
};

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, MINUTES);
afterAll(() => cloud?.stop());

async function pointsOf(scenario: Scenario): Promise<readonly Point[]> {
  const stage = await open(cloud, scenario);
  await runBundle(stage.step(scenario.inputs(stage)));
  const calls = callsOf(stage).filter(({ operation }) => operation.startsWith('ecs:'));
  await stage.world.close();
  const operations = new Map(calls.map(({ operation, mutating }) => [operation, mutating]));
  const all = [...operations].flatMap(([operation, mutating]) =>
    KINDS.flatMap((kind) => (['once', 'always'] as const).map((times) => ({ operation, kind, times }))).filter(
      (point) => makesSense(mutating, point),
    ),
  );
  return ALL ? all : all.filter((point) => SAMPLE[scenario.name]?.includes(nameOf(point)));
}

describe('a fault of the API', () => {
  test.each(SCENARIOS)(
    'in $name leaves the service serving and the step truthful',
    async (scenario) => {
      const points = await pointsOf(scenario);
      const problems: string[] = [];
      const ended = { asWished: 0, red: 0, met: 0 };
      await inParallel(points, AT_ONCE, async (point) => {
        const stage = await open(cloud, scenario);
        const armed = stage.world.faults.add(faultOf(point));
        const run = await runBundle(stage.step(scenario.inputs(stage), { timeout: 5 * MINUTES }));
        ended.met += armed.hits() > 0 ? 1 : 0;
        stage.world.faults.clear();
        const truth = await stage.truth();
        const arrived = truth.image === scenario.serves(stage) && (run.exitCode === 0 || scenario.ends === 'red');
        if (arrived) ended.asWished += 1;
        else ended.red += 1;
        const problem = untrue(scenario, run, truth, stage) ?? (await unsafe(stage));
        if (problem !== undefined) problems.push(`${nameOf(point)}: ${problem}`);
        await stage.world.close();
      });
      process.stdout.write(
        `deploy-ecs faults, ${scenario.name}: ${points.length} tried, ${ended.met} met, ${ended.asWished} ended as wished, ${ended.red} red and safe, ${problems.length} problems\n`,
      );
      expect(problems).toEqual([]);
      expect(points.length).toBeGreaterThan(0);
      // A stale read is not spent where nothing older was said.
      expect(ended.met).toBeGreaterThanOrEqual(points.filter(({ kind }) => kind !== 'stale-read').length);
    },
    60 * MINUTES,
  );
});
