import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import { needs } from '../harness/needs.ts';
import { runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';
import {
  AT_ONCE,
  type Point,
  killAt,
  nameOf,
  ofAll,
  openStage,
  pointsOfGoodRelease,
  said,
  settledSide,
} from './deploy-k8s-points.ts';

/*
 * A good release is killed at its calls. "After reply k" equals "before call k + 1", so one kill per call covers every
 * moment. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all of them, 2/4 a quarter.
 */
const MINUTES = 60_000;

/** The first and last write, the two that users feel, and a look between. */
const SAMPLE = ['patch configmaps/hft-frontend-config#1', 'patch deployments/hft-frontend#1', 'watch deployments#1'];

needs('kubernetes')('a release to Kubernetes that is killed at a call', () => {
  let cluster: Cluster;
  let points: readonly Point[];
  let tried: readonly Point[];
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    points = await pointsOfGoodRelease(cluster);
    const writes = points.filter(({ mutating }) => mutating);
    const ends = [writes[0], writes.at(-1)];
    tried = ofAll(points, (point) => SAMPLE.includes(nameOf(point)) || ends.includes(point));
  }, 5 * MINUTES);
  afterAll(() => cluster?.stop());

  async function matrix(
    name: string,
    ending: (
      stage: Awaited<ReturnType<typeof openStage>>,
      state: Readonly<Record<string, string>>,
    ) => Promise<string | undefined>,
  ): Promise<readonly string[]> {
    const problems: string[] = [];
    const count = { killed: 0, unmet: 0 };
    await inParallel(tried, AT_ONCE, async (point) => {
      const stage = await openStage(cluster);
      const killed = await killAt(stage, point);
      if (killed.signal === 'SIGKILL') count.killed += 1;
      // How often it looks while it waits is chance; a write is none.
      else if (point.mutating) problems.push(`${nameOf(point)}: was never reached (${said(killed)})`);
      else count.unmet += 1;
      const problem = await ending(stage, killed.state);
      if (problem !== undefined) problems.push(`${nameOf(point)}: ${problem}`);
      await stage.close();
    });
    process.stdout.write(
      `deploy-k8s killed, ${name}: ${points.length} points, ${tried.length} tried, ${count.killed} killed, ${count.unmet} not met, ${problems.length} problems\n`,
    );
    expect(count.killed).toBeGreaterThan(0);
    return problems;
  }

  test(
    'is taken back or finished by post, fully',
    async () => {
      const problems = await matrix('then post', async (stage, state) => {
        const post = await runBundle(stage.release({ phase: 'post', state }));
        const side = await settledSide(stage);
        if (side !== 'old' && side !== 'new') return `${side}\n${said(post)}`;
        // What post took back stays red, as the release is; anything else that is red is a problem.
        const isTold = post.exitCode === 0 || (side === 'old' && post.stdout.includes('was rolled back'));
        return isTold ? undefined : `${side}, and post ended with ${post.exitCode}: ${said(post)}`;
      });
      expect(problems).toEqual([]);
    },
    120 * MINUTES,
  );

  test(
    'and whose runner is dead too is brought to its end by the next attempt',
    async () => {
      const problems = await matrix('then the next attempt', async (stage) => {
        const again = await runBundle(stage.release({ env: { GITHUB_RUN_ATTEMPT: '2' }, timeout: 3 * MINUTES }));
        const side = await settledSide(stage);
        const outcome = again.outputs['outcome'];
        if (side !== 'new') return `${side} after ${outcome}: ${said(again)}`;
        return outcome === 'succeeded' || outcome === 'unchanged' ? undefined : `outcome ${outcome}: ${said(again)}`;
      });
      expect(problems).toEqual([]);
    },
    120 * MINUTES,
  );
});
