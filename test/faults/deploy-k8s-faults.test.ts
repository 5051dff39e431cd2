import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import type { KubeFault } from '../../sandbox/kubernetes/faults/kube-fault.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';
import { AT_ONCE, ofAll, openStage, pointsOfGoodRelease, said, settledSide } from './deploy-k8s-points.ts';

/*
 * Every operation of a release meets every kind of fault that makes sense for it. Whatever happens, the namespace ends
 * fully old or fully new, and the step says which. By default a sample is tried; SLUICE_ALL_POINTS=1 tries all, 2/4 a quarter.
 */
const MINUTES = 60_000;
const FOR_EVER = 100_000;

const KINDS = ['throttle', '5xx', 'reset', 'reset-after', 'access-denied', 'gone', 'half-line', 'watch-end'] as const;

interface Try {
  readonly operation: string;
  readonly kind: (typeof KINDS)[number];
  readonly times: 'once' | 'always';
}

const nameOf = ({ operation, kind, times }: Try): string => `${operation.replace('k8s:', '')} ${kind} ${times}`;

const SAMPLE = [
  'list deployments throttle once',
  'watch deployments gone once',
  'watch deployments half-line once',
  'patch deployments/hft-frontend reset-after once',
  'patch deployments/hft-frontend 5xx once',
  'patch ingresses/hft-frontend access-denied always',
];

function makesSense({ operation, kind, times }: Try, mutating: boolean): boolean {
  const isWatch = operation.startsWith('k8s:watch');
  if (kind === 'half-line' || kind === 'watch-end') return isWatch && times === 'once';
  if (kind === 'gone') return (isWatch || operation.startsWith('k8s:list')) && times === 'once';
  if (kind === 'reset-after') return mutating && times === 'once';
  return (kind === 'access-denied') === (times === 'always');
}

const faultOf = (operation: string, { kind, times }: Try): KubeFault => {
  const where = { operation, times: times === 'once' ? 1 : FOR_EVER, run: 'action' };
  return kind === 'reset-after' ? { ...where, kind: 'reset', when: 'after' } : { ...where, kind };
};

/**
 * Does the outcome say what is true? A right that is taken away for good keeps its object from changing, so there is nothing
 * of it that the way back would need the right for.
 */
function untrue(run: BundleResult, side: string): string | undefined {
  const { exitCode, outputs } = run;
  const outcome = outputs['outcome'] ?? '';
  const wanted = exitCode === 0 ? 'new' : 'old';
  if (side !== wanted) return `${side}, and the step ended with ${exitCode} and ${outcome}: ${said(run)}`;
  const honest = exitCode === 0 ? ['succeeded'] : ['refused', 'rolled-back', 'failed'];
  return honest.includes(outcome) ? undefined : `outcome ${outcome}: ${said(run)}`;
}

needs('kubernetes')('a fault of the API server', () => {
  let cluster: Cluster;
  let tries: readonly Try[];
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    const points = await pointsOfGoodRelease(cluster);
    const operations = new Map(points.map(({ operation, mutating }) => [operation, mutating]));
    const all = [...operations].flatMap(([operation, mutating]) =>
      KINDS.flatMap((kind) => (['once', 'always'] as const).map((times): Try => ({ operation, kind, times }))).filter(
        (each) => makesSense(each, mutating),
      ),
    );
    tries = ofAll(all, (each) => SAMPLE.includes(nameOf(each)));
  }, 5 * MINUTES);
  afterAll(() => cluster?.stop());

  test(
    'leaves the release fully old or fully new, and the step truthful',
    async () => {
      const problems: string[] = [];
      const count = { met: 0, green: 0 };
      await inParallel(tries, AT_ONCE, async (each) => {
        const stage = await openStage(cluster);
        const armed = stage.server.faults.add(faultOf(stage.here(each.operation), each));
        const run = await runBundle(stage.release({ timeout: 4 * MINUTES }));
        if (armed.hits() > 0) count.met += 1;
        stage.server.faults.clear();
        const problem = untrue(run, await settledSide(stage));
        if (problem !== undefined) problems.push(`${nameOf(each)}: ${problem}`);
        else if (run.exitCode === 0) count.green += 1;
        await stage.close();
      });
      process.stdout.write(
        `deploy-k8s faults: ${tries.length} tried, ${count.met} met, ${count.green} ended as wished, ${tries.length - count.green - problems.length} red and safe, ${problems.length} problems\n`,
      );
      expect(problems).toEqual([]);
      expect(count.met).toBeGreaterThanOrEqual(SAMPLE.length);
    },
    120 * MINUTES,
  );
});
