import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import { needs } from '../harness/needs.ts';
import { runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';
import {
  AT_ONCE,
  type Point,
  SCENARIOS,
  type Scenario,
  type Stage,
  endedWell,
  killAt,
  nameOf,
  ofAll,
  openStage,
  pointsOfGoodRun,
  said,
  settledSide,
} from './deploy-k8s-points.ts';

/*
 * A good release, and a way back on demand, are killed at their calls. "After reply k" equals "before call k + 1", so one
 * kill per call covers every moment. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all of them, 2/4 a quarter.
 */
const MINUTES = 60_000;

/** The first and last write, the two that users feel, and a look between. */
const SAMPLE: Readonly<Record<Scenario, readonly string[]>> = {
  deploy: ['patch configmaps/hft-frontend-config#1', 'patch deployments/hft-frontend#1', 'watch deployments#1'],
  rollback: ['patch deployments/hft-frontend#1'],
};

needs('kubernetes')('a run of deploy-k8s that is killed at a call', () => {
  let cluster: Cluster;
  const points = new Map<Scenario, readonly Point[]>();
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    for (const scenario of SCENARIOS) points.set(scenario, await pointsOfGoodRun(cluster, scenario));
  }, 5 * MINUTES);
  afterAll(() => cluster?.stop());

  interface Ending {
    readonly name: string;
    end(stage: Stage, state: Readonly<Record<string, string>>): Promise<string | undefined>;
  }

  async function matrix(scenario: Scenario, { name, end }: Ending): Promise<readonly string[]> {
    const all = points.get(scenario) ?? [];
    const writes = all.filter(({ mutating }) => mutating);
    const ends = scenario === 'deploy' ? [writes[0], writes.at(-1)] : [writes.at(-1)];
    const tried = ofAll(all, (point) => SAMPLE[scenario].includes(nameOf(point)) || ends.includes(point));
    const problems: string[] = [];
    const count = { killed: 0, unmet: 0 };
    await inParallel(tried, AT_ONCE, async (point) => {
      const stage = await openStage(cluster, scenario);
      const killed = await killAt(stage, point);
      if (killed.signal === 'SIGKILL') count.killed += 1;
      // How often it looks while it waits is chance; a write is none.
      else if (point.mutating) problems.push(`${nameOf(point)}: was never reached (${said(killed)})`);
      else count.unmet += 1;
      const problem = await end(stage, killed.state);
      if (problem !== undefined) problems.push(`${nameOf(point)}: ${problem}`);
      await stage.close();
    });
    process.stdout.write(
      `deploy-k8s killed in ${scenario}, ${name}: ${all.length} points, ${tried.length} tried, ${count.killed} killed, ${count.unmet} not met, ${problems.length} problems\n`,
    );
    expect(count.killed).toBeGreaterThan(0);
    return problems;
  }

  test.each(SCENARIOS)(
    '(%s) is taken back or finished by post, fully',
    async (scenario) => {
      const problems = await matrix(scenario, {
        name: 'then post',
        async end(stage, state) {
          const post = await runBundle(stage.step({ phase: 'post', state }));
          const side = await settledSide(stage);
          if (typeof side !== 'string') return `${side.half}\n${said(post)}`;
          // main is red already; post is red only when it could not bring back what served.
          return post.exitCode === 0 ? undefined : `${side}, and post ended with ${post.exitCode}: ${said(post)}`;
        },
      });
      expect(problems).toEqual([]);
    },
    120 * MINUTES,
  );

  test.each(SCENARIOS)(
    '(%s) and whose runner is dead too is brought to its end by the next attempt',
    async (scenario) => {
      const problems = await matrix(scenario, {
        name: 'then the next attempt',
        async end(stage) {
          const again = await runBundle(stage.step({ env: { GITHUB_RUN_ATTEMPT: '2' }, timeout: 3 * MINUTES }));
          const side = await settledSide(stage);
          const ended =
            endedWell(scenario, again) || (again.exitCode === 0 && again.outputs['outcome'] === 'unchanged');
          return side === 'after' && ended ? undefined : `${JSON.stringify(side)} after ${said(again)}`;
        },
      });
      expect(problems).toEqual([]);
    },
    120 * MINUTES,
  );
});
