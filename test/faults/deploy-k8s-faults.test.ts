import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import type { KubeFault } from '../../sandbox/kubernetes/faults/kube-fault.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { inParallel } from './blue-green-points.ts';
import {
  AT_ONCE,
  SCENARIOS,
  type Scenario,
  type Side,
  endedWell,
  ofAll,
  openStage,
  pointsOfGoodRun,
  said,
  settledSide,
} from './deploy-k8s-points.ts';

/*
 * Every operation of a release, and of a way back on demand, meets every kind of fault that makes sense for it. Whatever happens, the namespace ends
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

const SAMPLE: Readonly<Record<Scenario, readonly string[]>> = {
  deploy: [
    'list deployments throttle once',
    'watch deployments gone once',
    'watch deployments half-line once',
    'patch deployments/hft-frontend reset-after once',
    'patch deployments/hft-frontend 5xx once',
    'patch ingresses/hft-frontend access-denied always',
  ],
  rollback: ['patch deployments/hft-frontend access-denied always'],
};

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
function untrue(scenario: Scenario, run: BundleResult, side: Side): string | undefined {
  const { exitCode, outputs } = run;
  const outcome = outputs['outcome'] ?? '';
  const wanted = exitCode === 0 ? 'after' : 'before';
  if (side !== wanted)
    return `${JSON.stringify(side)}, and the step ended with ${exitCode} and ${outcome}: ${said(run)}`;
  const isHonest = exitCode === 0 ? endedWell(scenario, run) : RED[scenario].includes(outcome);
  return isHonest ? undefined : `outcome ${outcome}: ${said(run)}`;
}

/** A way back that does not succeed is taken back itself, and is called what it is. */
const RED: Readonly<Record<Scenario, readonly string[]>> = {
  deploy: ['refused', 'rolled-back', 'failed'],
  rollback: ['refused', 'rollback-failed', 'failed'],
};

needs('kubernetes')('a fault of the API server', () => {
  let cluster: Cluster;
  const tries = new Map<Scenario, readonly Try[]>();
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    for (const scenario of SCENARIOS) {
      const points = await pointsOfGoodRun(cluster, scenario);
      const operations = new Map(points.map(({ operation, mutating }) => [operation, mutating]));
      const all = [...operations].flatMap(([operation, mutating]) =>
        KINDS.flatMap((kind) => (['once', 'always'] as const).map((times): Try => ({ operation, kind, times }))).filter(
          (each) => makesSense(each, mutating),
        ),
      );
      tries.set(
        scenario,
        ofAll(all, (each) => SAMPLE[scenario].includes(nameOf(each))),
      );
    }
  }, 5 * MINUTES);
  afterAll(() => cluster?.stop());

  test.each(SCENARIOS)(
    '(%s) leaves the release fully old or fully new, and the step truthful',
    async (scenario) => {
      const all = tries.get(scenario) ?? [];
      const problems: string[] = [];
      const count = { met: 0, green: 0 };
      await inParallel(all, AT_ONCE, async (each) => {
        const stage = await openStage(cluster, scenario);
        const armed = stage.server.faults.add(faultOf(stage.here(each.operation), each));
        const run = await runBundle(stage.step({ timeout: 4 * MINUTES }));
        if (armed.hits() > 0) count.met += 1;
        stage.server.faults.clear();
        const problem = untrue(scenario, run, await settledSide(stage));
        if (problem !== undefined) problems.push(`${nameOf(each)}: ${problem}`);
        else if (run.exitCode === 0) count.green += 1;
        await stage.close();
      });
      process.stdout.write(
        `deploy-k8s faults in ${scenario}: ${all.length} tried, ${count.met} met, ${count.green} ended as wished, ${all.length - count.green - problems.length} red and safe, ${problems.length} problems\n`,
      );
      expect(problems).toEqual([]);
      expect(count.met).toBeGreaterThanOrEqual(SAMPLE[scenario].length);
    },
    120 * MINUTES,
  );
});
