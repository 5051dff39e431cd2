import { after, seconds } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { standingOf } from '../../domain/kubernetes/as-intended.ts';
import { isOwnedBy, otherHomeOf } from '../../domain/kubernetes/home.ts';
import { managerOf, scaledAmong } from '../../domain/kubernetes/intent.ts';
import {
  type KubeObject,
  type Ref,
  describeRef,
  isKept,
  keyOf,
  listAt,
  refOf,
} from '../../domain/kubernetes/object.ts';
import { restrictTo } from '../../domain/kubernetes/ownership.ts';
import { inPhasesBack } from '../../domain/kubernetes/phases.ts';
import type { ReleaseRecord } from '../../domain/kubernetes/release-record.ts';
import { resourceFor, resourcesDefinedBy } from '../../domain/kubernetes/resource.ts';
import { heldBy, isTerminating } from '../../domain/kubernetes/terminating.ts';
import { inParallel } from '../in-parallel.ts';
import { type AppliedObject, applyOne, standOf } from './apply.ts';
import type { HeldLease } from './lease.ts';
import { AT_ONCE, type AppRef, type K8sTools, type ObjectResult } from './rollout.ts';
import { type Live, untilGone } from './terminating.ts';

const GOES_WITHIN = seconds(60);

export interface PuttingBack {
  readonly ref: AppRef;
  /** What is taken back. */
  readonly record: ReleaseRecord;
  /** What served before, as it was applied; absent: nothing of this app did. */
  readonly previous: ReleaseRecord | undefined;
  /** By key: all that this release can have changed, where that is known. */
  readonly touched?: ReadonlyMap<string, Ref>;
  readonly lease: HeldLease;
  /** A person asks for it: what it goes back to is what runs. Absent: an image that somebody else set meanwhile is left, and said. */
  readonly images?: 'taken';
}

/** An object that is not as it was and could not be made so. */
export interface Stuck {
  readonly ref: Ref;
  readonly why: string;
}

export interface PutBack {
  /** As they are now; of those that needed no write, as they were read. */
  readonly standing: readonly AppliedObject[];
  readonly results: readonly ObjectResult[];
  readonly stuck: readonly Stuck[];
  /** The way back ended before all was looked at: what may not be as it was. */
  readonly ended?: { readonly why: string; readonly left: readonly Ref[] };
  readonly lines: readonly string[];
}

/**
 * Writes the objects that differ from what they were, and deletes those that this release made. One that cannot be written
 * keeps none of the others from going back: a half way back is worse than one that lacks an object and names it.
 */
export async function putBack(going: PuttingBack, tools: K8sTools, signal: AbortSignal): Promise<PutBack> {
  const standing: AppliedObject[] = [];
  const results: ObjectResult[] = [];
  const stuck: Stuck[] = [];
  const lines: string[] = [];
  let barred: string | undefined;
  for (const { members } of inPhasesBack(wantedBack(going), (each) => each)) {
    barred = await barredBy(going.lease);
    if (barred !== undefined) break;
    const done = await inParallel(members, AT_ONCE, (object) => restoreOne(object, going, tools, signal));
    for (const each of done) {
      if ('why' in each) stuck.push(each);
      else if ('line' in each) lines.push(each.line);
      else {
        standing.push(each);
        results.push(each.done === 'unchanged' ? each : { ...each, done: 'restored' });
        if (each.note !== undefined) lines.push(`${describeRef(each.ref)}: ${each.note}`);
        if (each.done !== 'unchanged') tools.log.info(`${describeRef(each.ref)} restored`);
      }
    }
  }
  const removed =
    barred === undefined ? await removeMade(going, lines, tools, signal) : { results: [], stuck: [], barred };
  const all = { results: [...results, ...removed.results], stuck: [...stuck, ...removed.stuck] };
  const ended =
    removed.barred === undefined
      ? {}
      : { ended: { why: removed.barred, left: leftOf(going, [...all.results, ...all.stuck]) } };
  return { standing, ...all, lines, ...ended };
}

/** Why nothing may be written any more, while the lease may still be ours: it could not be renewed. */
async function barredBy(lease: HeldLease): Promise<string | undefined> {
  try {
    await lease.guard();
    return undefined;
  } catch (thrown) {
    return whyStuck(thrown, lease);
  }
}

/** What nobody looked at of what this release may have changed. */
function leftOf({ record, touched }: PuttingBack, seen: readonly { readonly ref: Ref }[]): readonly Ref[] {
  const known = new Set(seen.map(({ ref }) => keyOf(ref)));
  const all = touched === undefined ? record.objects.map(refOf) : [...touched.values()];
  return all.filter((each) => !known.has(keyOf(each)));
}

async function restoreOne(
  object: KubeObject,
  going: PuttingBack,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<AppliedObject | Stuck | { readonly line: string }> {
  const { cluster } = tools;
  const { ref, lease } = going;
  const own = refOf(object);
  let isSame = false;
  try {
    const resource = resourceFor(object, await cluster.resources(signal));
    if (resource === undefined) return { line: `${describeRef(own)} is not served any more and stays as it is` };
    const found = await cluster.get(resource, object.metadata, signal);
    const live = found === undefined ? undefined : await onceGone({ resource, live: found }, tools, signal);
    if (live !== undefined && isTerminating(live)) return { ref: own, why: `it is being deleted: ${heldBy(live)}` };
    const how = live === undefined ? 'different' : standingOf(live, object, managerOf(ref.app));
    if (live !== undefined && how === 'as-intended')
      return { ref: own, object: live, intent: object, resource, done: 'unchanged' };
    isSame = how === 'unowned';
    // What others took over meanwhile stays theirs, and it is said.
    const conflicts = going.images === 'taken' ? 'yield-but-images' : 'yield';
    const wish = { ref, conflicts, images: 'may-be-left', lease } as const;
    // What else goes back with it is needed to write it.
    const all = going.previous?.objects ?? [];
    const stand = standOf(object, { scaled: scaledAmong(all), changing: resourcesDefinedBy(all) });
    return await applyOne({ resource, object, live, way: 'apply', ...stand }, wish, tools, signal);
  } catch (thrown) {
    const why = whyStuck(thrown, lease);
    return isSame
      ? { line: `${describeRef(own)} is as it was, and could not be taken over again: ${why}` }
      : { ref: own, why };
  }
}

/** A lease that is lost, and a run that is told to stop, end everything; any other failure is of one object. */
function whyStuck(thrown: unknown, lease: HeldLease): string {
  lease.signal.throwIfAborted();
  if (!(thrown instanceof Failure)) throw thrown;
  return thrown.facts.why ?? messageOf(thrown);
}

/** Jobs have run; running those of an earlier release again would undo nothing. */
function wantedBack({ record, previous }: Pick<PuttingBack, 'record' | 'previous'>): readonly KubeObject[] {
  const intents = (previous?.objects ?? []).filter(({ kind }) => kind !== 'Job');
  const known = new Set(intents.map((object) => keyOf(refOf(object))));
  const intended = new Map(record.objects.map((object) => [keyOf(refOf(object)), object]));
  const foreign = record.before.flatMap(({ ref, object }) => {
    const intent = intended.get(keyOf(ref));
    return object === undefined || intent === undefined || known.has(keyOf(ref)) || ref.kind === 'Job'
      ? []
      : [restrictTo(intent, object, managerOf(record.app))];
  });
  return [...intents, ...foreign];
}

/** What this release made, and what served before does not have. */
function madeBy({ record, previous }: Pick<PuttingBack, 'record' | 'previous'>): ReleaseRecord['before'] {
  const kept = new Set((previous?.objects ?? []).map((object) => keyOf(refOf(object))));
  return record.before.filter(({ ref, object }) => object === undefined && !kept.has(keyOf(ref)));
}

/** PURE. A line for each object that a way back looks at. */
export const wayBackLines = (going: Pick<PuttingBack, 'record' | 'previous'>): readonly string[] => [
  ...wantedBack(going).map((object) => `~ as it was, where it differs: ${describeRef(refOf(object))}`),
  ...madeBy(going).map(({ ref }) => `${isKept(ref) ? '= stays: ' : '- delete '}${describeRef(ref)}`),
];

async function removeMade(
  { record, previous, ref, lease }: PuttingBack,
  lines: string[],
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Pick<PutBack, 'results' | 'stuck'> & { readonly barred?: string }> {
  const made = madeBy({ record, previous });
  const results: ObjectResult[] = [];
  const stuck: Stuck[] = [];
  for (const { members } of [...inPhasesBack(made, ({ ref: each }) => asObject(each))].reverse()) {
    const barred = await barredBy(lease);
    if (barred !== undefined) return { results, stuck, barred };
    const done = await inParallel(members, AT_ONCE, ({ ref: each }) =>
      removeOne(each, { ref, lines, lease }, tools, signal).catch((thrown: unknown): readonly Stuck[] => [
        { ref: each, why: whyStuck(thrown, lease) },
      ]),
    );
    for (const each of done.flat()) {
      if ('why' in each) stuck.push(each);
      else results.push(each);
    }
  }
  return { results, stuck };
}

const asObject = ({ apiVersion, kind, name }: Ref): KubeObject => ({ apiVersion, kind, metadata: { name } });

export async function removeOne(
  each: Ref,
  { ref, lines, lease }: { readonly ref: AppRef; readonly lines: string[]; readonly lease: HeldLease },
  { cluster, log }: K8sTools,
  signal: AbortSignal,
): Promise<readonly ObjectResult[]> {
  if (isKept(each)) {
    lines.push(`${describeRef(each)} stays: it is never deleted`);
    return [];
  }
  const resource = resourceFor(each, await cluster.resources(signal));
  const live = resource === undefined ? undefined : await cluster.get(resource, each, signal);
  if (resource === undefined || live?.metadata.uid === undefined) return [];
  // Who asks for it has it in a record.
  if (!isOwnedBy(live, ref, () => true)) {
    const home = otherHomeOf(live, ref);
    const whose = home === undefined ? 'not managed by this app any more' : `of the releases in namespace ${home}`;
    lines.push(`${describeRef(each)} stays: it is ${whose}`);
    return [];
  }
  const { uid } = live.metadata;
  await lease.guard();
  if (!isTerminating(live)) await cluster.delete(resource, each, { uid, children: 'background' }, signal);
  const held = await stillHeld({ resource, live }, { cluster }, signal);
  log.info(`${describeRef(each)} ${held === undefined ? 'deleted' : `is being deleted: ${held}`}`);
  return [{ ref: each, done: 'deleted', ...(held === undefined ? {} : { note: held }) }];
}

/** What keeps an object that was deleted; undefined: it is gone, or nothing holds it. */
async function stillHeld(
  { resource, live }: Live,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (listAt(live, 'metadata', 'finalizers').length === 0) return undefined;
  const left = await cluster.get(resource, live.metadata, signal);
  return left !== undefined && left.metadata.uid === live.metadata.uid && isTerminating(left)
    ? heldBy(left)
    : undefined;
}

/** Nothing brings an object back that is being deleted: it is made again when it is gone. Undefined where it is. */
async function onceGone(each: Live, tools: K8sTools, signal: AbortSignal): Promise<KubeObject | undefined> {
  if (!isTerminating(each.live)) return each.live;
  const [left] = await untilGone([each], after(tools.clock.now(), GOES_WITHIN), tools, signal);
  return left?.live;
}
