import type { CallEntry } from '../../sandbox/control/call-log.ts';
import { type Cluster } from '../../sandbox/kubernetes/cluster.ts';
import { type FaultServer, startFaultServer } from '../../sandbox/kubernetes/faults/fault-server.ts';
import { HFT_STAGING, type Place, type StepOptions, type Truth, openPlace, tagged } from '../harness/kubernetes.ts';
import { type BundleResult, type BundleRun, runBundle } from '../harness/run-bundle.ts';
import { until } from '../sandbox/kubernetes/until.ts';

/** `1`: everything is tried, not a sample of it; `2/4`: the second quarter of everything. */
const WISH = process.env['SLUICE_ALL_POINTS'] ?? '';
export const IS_SAMPLE = WISH === '' || WISH === '0';
/** More at once than two processors could do by themselves: most of the time is waited for pods. */
export const AT_ONCE = IS_SAMPLE ? 2 : 4;

export function ofAll<T>(all: readonly T[], isInSample: (each: T) => boolean): readonly T[] {
  if (IS_SAMPLE) return all.filter(isInSample);
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(WISH) ?? [];
  return part === undefined ? all : all.filter((_, index) => index % Number(parts) === Number(part) - 1);
}

/** One request of a run, by what it is and which of its kind: raw indices shift with every new call. */
export interface Point {
  /** As in the call log, with `{namespace}` for the place's own. */
  readonly operation: string;
  readonly ordinal: number;
  readonly mutating: boolean;
}

export const nameOf = ({ operation, ordinal }: Pick<Point, 'operation' | 'ordinal'>): string =>
  `${operation.replace('k8s:', '')}#${ordinal}`;

const OLD = { tag: '1.0.0', interval: 'debug' };
const NEW = { tag: '1.1.0', interval: 'info' };

/** What is broken and killed: a release over an older one, or the way back to that one. */
export type Scenario = 'deploy' | 'rollback';
export const SCENARIOS: readonly Scenario[] = ['deploy', 'rollback'];
const GOOD: Readonly<Record<Scenario, string>> = { deploy: 'succeeded', rollback: 'rolled-back' };

/** A place with what was released before, and a server that breaks and kills before the API server. */
export interface Stage {
  readonly scenario: Scenario;
  readonly place: Place;
  readonly server: FaultServer;
  /** The run that is broken. */
  step(more?: StepOptions): BundleRun;
  /** What a point is called in this place. */
  here(operation: string): string;
  calls(): readonly Point[];
  close(): Promise<void>;
}

export async function openStage(cluster: Cluster, scenario: Scenario): Promise<Stage> {
  const server = await startFaultServer(cluster);
  const { kubeconfig } = server.run('action');
  const quiet = await openPlace(HFT_STAGING, { cluster });
  const path = 'k8s/config.yml';
  const changed = (quiet.files[path] ?? '').replace(`LOG_LEVEL: ${OLD.interval}`, `LOG_LEVEL: ${NEW.interval}`);
  const newer = (inputs: Readonly<Record<string, string>>, more: StepOptions = {}): BundleRun =>
    quiet.step({ 'pinned-tag': tagged(NEW.tag), ...inputs }, { ...more, files: { ...more.files, [path]: changed } });
  await released(quiet.step({ 'pinned-tag': tagged(OLD.tag) }));
  if (scenario === 'rollback') await released(newer({}));
  return {
    scenario,
    place: quiet,
    server,
    step: (more = {}) =>
      scenario === 'deploy' ? newer({ kubeconfig }, more) : quiet.step({ mode: 'rollback', kubeconfig }, more),
    here: (operation) => operation.replace('{namespace}', quiet.namespace),
    calls: () =>
      server
        .calls()
        .filter(({ run }) => run === 'action')
        .map(pointOf(quiet.namespace)),
    async close() {
      await quiet.close();
      await server.stop();
    },
  };
}

async function released(step: BundleRun): Promise<void> {
  const run = await runBundle(step);
  if (run.outputs['outcome'] !== 'succeeded') throw new Error(`no release to begin with:\n${said(run)}`);
}

const pointOf =
  (namespace: string) =>
  ({ operation, ordinal, mutating }: CallEntry): Point => ({
    operation: operation.replace(namespace, '{namespace}'),
    ordinal,
    mutating,
  });

/** What a run said, without the lines that tell the runner what to mask. */
export const said = ({ stdout, stderr }: BundleResult): string =>
  `${stdout}${stderr}`
    .split('\n')
    .filter((line) => !line.startsWith('::add-mask::'))
    .join('\n');

/** Every call of a run that goes well, seen by making one. */
export async function pointsOfGoodRun(cluster: Cluster, scenario: Scenario): Promise<readonly Point[]> {
  const stage = await openStage(cluster, scenario);
  const good = await runBundle(stage.step());
  const points = stage.calls();
  await stage.close();
  if (!endedWell(scenario, good)) throw new Error(`the run is not a good one:\n${said(good)}`);
  return points;
}

export const endedWell = (scenario: Scenario, { exitCode, outputs }: BundleResult): boolean =>
  exitCode === 0 && outputs['outcome'] === GOOD[scenario];

/** Fully as it was, fully as the run wants it, or what does not agree. */
export type Side = 'before' | 'after' | { readonly half: string };

export function sideOf({ scenario }: Stage, { tag, isComplete, config }: Truth): Side {
  const level = config['LOG_LEVEL'];
  const side = [OLD, NEW].find((each) => each.tag === tag && each.interval === level);
  if (side === undefined) return { half: `half: image ${tag}, configuration ${level}` };
  if (!isComplete) return { half: `image ${tag}, and its pods are not all there` };
  return (side === NEW) === (scenario === 'deploy') ? 'after' : 'before';
}

/** Gives the controllers the time they need; what is wrong then stays wrong. */
export async function settledSide(stage: Stage): Promise<Side> {
  let last: Side = { half: 'nothing' };
  const settled = await until(
    'a settled release',
    async () => {
      last = sideOf(stage, await stage.place.truth());
      return typeof last === 'string' ? last : undefined;
    },
    30_000,
  ).catch(() => undefined);
  return settled ?? last;
}

/** A run that is killed at the point, after the effect of that call and before its answer. */
export async function killAt(stage: Stage, { operation, ordinal }: Point): Promise<BundleResult> {
  let pid: number | undefined;
  stage.server.killAt({ operation: stage.here(operation), ordinal, when: 'after', run: 'action', pid: () => pid });
  return runBundle(stage.step({ onSpawn: (running) => (pid = running.pid) }));
}
