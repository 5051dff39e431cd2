import { type Instant, seconds } from '../../domain/duration.ts';
import { DeadlinePassed } from '../../domain/failure.ts';
import type { InputProblem } from '../../domain/inputs.ts';
import { type Manifest, placeOf } from '../../domain/kubernetes/manifest.ts';
import { type KubeObject, describeObject } from '../../domain/kubernetes/object.ts';
import type { Resource } from '../../domain/kubernetes/resource.ts';
import { heldBy, isTerminating } from '../../domain/kubernetes/terminating.ts';
import { inParallel } from '../in-parallel.ts';
import { until } from '../until.ts';
import { type Preflight, type PreflightWish, preflight } from './preflight.ts';
import type { Prepared } from './prepare.ts';
import { AT_ONCE, type K8sTools } from './rollout.ts';

const LOOK_EVERY = seconds(1);

/** One object that is there. */
export interface Live {
  readonly resource: Resource;
  readonly live: KubeObject;
}

/** Those that are still there at the deadline, as they are then. One of the same name that came since is another one. */
export async function untilGone<T extends Live>(
  all: readonly T[],
  deadline: Instant,
  { cluster, clock }: Pick<K8sTools, 'cluster' | 'clock'>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  let left = all;
  const isGone = async (): Promise<'gone' | undefined> => {
    const found = await inParallel(left, AT_ONCE, async (each) => {
      const live = await cluster.get(each.resource, each.live.metadata, signal);
      return live === undefined || live.metadata.uid !== each.live.metadata.uid ? [] : [{ ...each, live }];
    });
    left = found.flat();
    return left.length === 0 ? 'gone' : undefined;
  };
  try {
    await until(clock, { every: LOOK_EVERY, deadline, signal }, isGone);
  } catch (thrown) {
    if (!(thrown instanceof DeadlinePassed)) throw thrown;
  }
  return left;
}

type Terminating = Prepared & Live;

export const terminatingOf = (prepared: readonly Prepared[]): readonly Terminating[] =>
  prepared.flatMap((each) =>
    each.live === undefined || !isTerminating(each.live) ? [] : [{ ...each, live: each.live }],
  );

/**
 * Looks when all that is being deleted of the set is gone. An object that is applied before is accepted, and goes all the
 * same: the release would fail for it, and its way back would make what nobody has any more.
 */
export async function preflightWhenGone(
  manifests: readonly Manifest[],
  { deadline, ...wish }: PreflightWish & { readonly deadline: Instant },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Preflight> {
  const looked = await preflight(manifests, wish, tools, signal);
  const going = terminatingOf(looked.prepared);
  const names = new Set(goingWith(going, looked.prepared).map(({ object }) => describeObject(object)));
  // What the server has against an object that goes is not said of the one that comes; anything else bars it at once.
  const isBarred = looked.problems.some(({ given }) => given === undefined || !names.has(given));
  if (going.length === 0 || isBarred) return looked;
  const said = going.map(({ object, live }) => `${describeObject(object)} (${heldBy(live)})`);
  tools.log.info(`Waiting until what is being deleted is gone: ${said.join(', ')}`);
  const left = await untilGone(going, deadline, tools, signal);
  return left.length === 0
    ? preflightWhenGone(manifests, { deadline, ...wish }, tools, signal)
    : { ...looked, problems: left.map(stillThere) };
}

/** Nothing is made in a Namespace that is being deleted, so what is against all that is to lie in it is not said of the next one. */
function goingWith(going: readonly Terminating[], prepared: readonly Prepared[]): readonly Prepared[] {
  const namespaces = new Set(
    going.flatMap(({ object }) => (object.kind === 'Namespace' ? [object.metadata.name] : [])),
  );
  return [...going, ...prepared.filter(({ object }) => namespaces.has(object.metadata.namespace ?? ''))];
}

const stillThere = ({ object, manifest, live }: Terminating): InputProblem => ({
  input: placeOf(manifest.origin),
  given: describeObject(object),
  problem: `is being deleted and does not go: ${heldBy(live)}`,
  accepted: 'wait until it is gone, or see why whoever set the finalizers does not take them off',
});
