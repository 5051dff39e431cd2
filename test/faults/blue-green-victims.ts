import { stringify } from 'yaml';
import type { CallEntry, Cloud, World } from '../../sandbox/cloud.ts';
import { namesScene } from '../actions/blue-green/names-scene.ts';
import { type Scene, type Truth, CHECKS, NOT_HELD, scene } from '../actions/blue-green/scene.ts';
import { type BundleRun, runBundle } from '../harness/run-bundle.ts';

/** What stands when the step that is to be killed begins. */
export interface Opened {
  readonly world: World;
  truth(): Promise<Truth>;
  logical(run: string): readonly CallEntry[];
  /** The step that is killed; with other inputs, the one that comes after it. */
  step(inputs?: Readonly<Record<string, string>>, more?: Partial<BundleRun>): Promise<BundleRun>;
}

/** A step that is killed at each of its calls. */
export interface Victim {
  readonly name: string;
  /** Its outcome when nobody kills it. */
  readonly ends: 'promoted' | 'rolled-back';
  open(cloud: Cloud): Promise<Opened>;
}

/** Of a process, in real time: a whole matrix shares the machine with other work. */
const LIMIT = 300_000;

/** As short as a policy can be that still has three steps, a recheck and a drain. */
const SHORT_POLICY = {
  interval: '5s',
  bake: '5s',
  recheck: { after: '1s', for: '5s' },
  rules: ['health fails 3 in a row'],
};
export const DRAIN = 1_000;
const FILES = { 'policy.yml': stringify(SHORT_POLICY), 'checks.yml': stringify(CHECKS) };
/** The same, and only as long as it takes to be there. */
const AT_ONCE = { ...FILES, 'policy.yml': stringify({ ...SHORT_POLICY, steps: ['100%'], recheck: 'none' }) };

/** Jobs of before, with keys of their own: the calls of the step that is killed are counted from its first one. */
async function switchedBefore(world: World, step: Opened['step']): Promise<void> {
  const env = await world.run('before');
  await runBundle(await step({ mode: 'prepare' }, { env, files: AT_ONCE }));
  const shifted = await runBundle(await step({ mode: 'shift', image: '' }, { env, files: AT_ONCE }));
  if (shifted.outputs['outcome'] !== 'switched') throw new Error(`nothing was switched:\n${shifted.stdout}`);
}

/** A later run, so that what it takes over is not its own. */
const LATER = { GITHUB_RUN_ID: '4712' };

type Kind = { readonly mode: 'run' | 'rollback' | 'finish' };

async function inMode({ mode }: Kind, world: World, step: Opened['step']): Promise<Opened['step']> {
  if (mode === 'run') return step;
  await switchedBefore(world, step);
  return (inputs = {}, { env, ...more } = {}) =>
    step({ mode, image: '', ...inputs }, { ...more, env: { ...LATER, ...env } });
}

const albStep =
  (stage: Scene): Opened['step'] =>
  async (inputs = {}, more = {}) =>
    stage.step({ drain: `${DRAIN}ms`, ...inputs }, { files: FILES, timeout: LIMIT, ...more });

export const byRule = (kind: Kind): Victim => ({
  name: `${kind.mode} by a rule`,
  ends: kind.mode === 'rollback' ? 'rolled-back' : 'promoted',
  async open(cloud) {
    const stage = await scene(cloud);
    return { world: stage.world, truth: stage.truth, logical: stage.logical, step: await inMode(kind, stage.world, albStep(stage)) };
  },
}); // prettier-ignore

export const byNames = (kind: Kind): Victim => ({
  name: `${kind.mode} by names`,
  ends: kind.mode === 'rollback' ? 'rolled-back' : 'promoted',
  async open(cloud) {
    const stage = await namesScene(cloud);
    const step: Opened['step'] = (inputs = {}, more = {}) =>
      stage.step({ drain: `${DRAIN}ms`, ...inputs }, { files: FILES, timeout: LIMIT, ...more });
    return {
      world: stage.world,
      // Nothing scales these services.
      truth: async () => ({ ...(await stage.truth()), suspended: NOT_HELD }),
      logical: (run) => logicalOf(stage.world, run),
      step: await inMode(kind, stage.world, step),
    };
  },
});

/** Each call once, however often its client tried. */
function logicalOf(world: World, run: string): readonly CallEntry[] {
  const seen = new Set<string>();
  return world.calls().filter(({ run: by, logicalId }) => {
    const counts = by === run && !seen.has(logicalId);
    seen.add(logicalId);
    return counts;
  });
}
