import { after, milliseconds, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { comparable } from '../../domain/kubernetes/diff.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { managerOf } from '../../domain/kubernetes/intent.ts';
import {
  type KubeObject,
  type Ref,
  describeObject,
  groupOf,
  isKept,
  keyOf,
  refOf,
} from '../../domain/kubernetes/object.ts';
import {
  type FieldConflict,
  conflictsOf,
  imageGivenUp,
  imagesAmong,
  judgeConflicts,
  settledWords,
  without,
} from '../../domain/kubernetes/ownership.ts';
import { type Phase, inPhases } from '../../domain/kubernetes/phases.ts';
import { refusedBySchema } from '../../domain/kubernetes/schema-refusal.ts';
import type { Resource } from '../../domain/kubernetes/resource.ts';
import { missesRole } from '../../domain/kubernetes/role-binding.ts';
import type { Applied } from '../../ports/kubernetes.ts';
import { inParallel } from '../in-parallel.ts';
import { until } from '../until.ts';
import type { HeldLease } from './lease.ts';
import { AT_ONCE, type AppRef, type Done, type K8sTools, type ObjectResult, type Policies } from './rollout.ts';
import { endOtherStrategy, handOverCount, takeOwnership } from './take-over.ts';

/** Servers read definitions and roles from caches, which learn of what was just applied a moment later. */
const CATCHES_UP = seconds(15);

/** One object to apply. */
export interface ToApply {
  readonly resource: Resource;
  readonly object: KubeObject;
  /** As it was read; absent: it was not there. */
  readonly live: KubeObject | undefined;
  readonly way: 'apply' | 'replace';
  /** Absent: nobody but a person changes its count. */
  readonly scaled?: 'by-autoscaler';
  /** Its definition is changed by the same set: for a moment servers may hold the old schema against it. */
  readonly schema?: 'changing';
}

/** What of a set an object is written by: autoscalers of it, and definitions that it changes. */
export function standOf(object: KubeObject, { scaled, changing }: Ruling): Pick<ToApply, 'scaled' | 'schema'> {
  const group = groupOf(object.apiVersion);
  const isChanging = changing.some((each) => each.group === group && each.kind === object.kind);
  return {
    ...(scaled.has(keyOf(refOf(object))) ? { scaled: 'by-autoscaler' } : {}),
    ...(isChanging ? { schema: 'changing' } : {}),
  };
}

interface Ruling {
  /** Keys of workloads that an autoscaler scales. */
  readonly scaled: ReadonlySet<string>;
  /** Kinds whose definition is changed. */
  readonly changing: readonly Pick<Resource, 'group' | 'kind'>[];
}

export interface AppliedObject extends ObjectResult {
  readonly object: KubeObject;
  /** What was sent; `object` is what it became. */
  readonly intent: KubeObject;
  readonly resource: Resource;
  /** Images that are not of the intent, because somebody else set them. */
  readonly leftImages?: readonly FieldConflict[];
}

export interface Applying {
  readonly ref: AppRef;
  readonly conflicts: Policies['conflicts'];
  /** Of a way back: what others run now stays theirs. Else a release would be called one that does not run. */
  readonly images?: 'may-be-left';
  readonly lease: HeldLease;
  /** Told what may not be as it was, by key: as soon as its write begins, since an answer may be lost. */
  readonly touched?: Map<string, Ref>;
  /** After each phase: what is applied so far of it. Waits where the next phase needs it. */
  readonly afterPhase?: (phase: Phase, applied: readonly AppliedObject[]) => Promise<void>;
}

/** Applies in phases, with a barrier between them; eight at once inside. */
export async function applyInPhases(
  all: readonly ToApply[],
  applying: Applying,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<readonly AppliedObject[]> {
  const applied: AppliedObject[] = [];
  const { touched } = applying;
  const applyTold = async (each: ToApply): Promise<AppliedObject> => {
    const own = refOf(each.object);
    touched?.set(keyOf(own), own);
    const done = await applyOne(each, applying, tools, signal);
    if (done.done === 'unchanged') touched?.delete(keyOf(own));
    return done;
  };
  for (const { phase, members } of inPhases(all, ({ object }) => object)) {
    await applying.lease.guard();
    const done = await inParallel(members, AT_ONCE, applyTold);
    applied.push(...done);
    for (const each of done)
      tools.log.info(`${describeObject(each.object)} ${each.done}${each.note === undefined ? '' : ` (${each.note})`}`);
    await applying.afterPhase?.(phase, done);
  }
  return applied;
}

export async function applyOne(
  { resource: known, object: wanted, live, way, scaled, schema }: ToApply,
  { ref, conflicts: policy, images: mayLeave, lease }: Pick<Applying, 'ref' | 'conflicts' | 'images' | 'lease'>,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<AppliedObject> {
  const { cluster, clock } = tools;
  const manager = managerOf(ref.app);
  tools.onWrite();
  const resource = known.verbs.length > 0 ? known : await nowServed(known, tools, signal);
  // A process that was frozen wakes anywhere: each write is asked for by itself.
  await lease.guard();
  if (way === 'replace' && live !== undefined) await deleteAndWait({ resource, live }, tools, signal);
  else if (live !== undefined) {
    const current = await endOtherStrategy({ resource, live, manager, object: wanted }, tools, signal);
    await lease.guard();
    await takeOwnership({ resource, live: current, manager }, tools, signal);
    await lease.guard();
    if (scaled !== undefined) await handOverCount({ resource, object: wanted, manager }, tools, signal);
  }
  let object = wanted;
  const notes: string[] = [];
  const leftImages: FieldConflict[] = [];
  const caughtUp = after(clock.now(), CATCHES_UP);
  for (let conflicts: 'refuse' | 'take' = policy === 'force' ? 'take' : 'refuse'; ;) {
    await lease.guard();
    try {
      const wish = { manager, conflicts, dryRun: 'no' } as const;
      const { object: now, created } = await cluster.apply(resource, object, wish, signal);
      const done = way === 'replace' && live !== undefined ? 'replaced' : doneOf({ created, object: now }, live);
      const note = notes.length === 0 ? {} : { note: notes.join('; ') };
      const images = leftImages.length === 0 ? {} : { leftImages };
      return { ref: refOf(object), object: now, intent: object, resource, done, ...note, ...images };
    } catch (thrown) {
      if (!(thrown instanceof KubeFailure) || thrown.status === undefined) throw thrown;
      const isBehind = (schema !== undefined && refusedBySchema(thrown.status)) || missesRole(object, thrown.status);
      if (isBehind && clock.now() < caughtUp) {
        await clock.sleep(milliseconds(250), signal);
        continue;
      }
      const found = conflictsOf(thrown.status.causes);
      if (found.length === 0) throw thrown;
      const verdict = judgeConflicts(found, { policy, scaled: scaled ?? 'by-hand', live });
      if (verdict.left.length > 0 || (verdict.yielded.length === 0 && conflicts === 'take')) throw thrown;
      if (mayLeave === undefined) keepImages(object, verdict.yielded, thrown);
      notes.push(...settledWords(verdict, policy));
      leftImages.push(...imagesAmong(verdict.yielded));
      const left = without(object, verdict.yielded);
      // What is not found in the intent cannot be given up: the same would be asked for ever.
      if (verdict.yielded.length > 0 && left === object) throw thrown;
      object = left;
      if (verdict.yielded.length === 0) conflicts = 'take';
    }
  }
}

/** Somebody who sets an image between the first look and the write is found here. */
function keepImages(object: KubeObject, yielded: readonly FieldConflict[], cause: unknown): void {
  const why = imageGivenUp(yielded);
  if (why !== undefined)
    throw new Failure({ what: `Could not apply ${describeObject(object)}`, why: `it ${why}` }, { cause });
}

function doneOf({ created, object: now }: Applied, live: KubeObject | undefined): Done {
  // Not there when it was looked at: the answer to a first try may have been lost.
  if (created || live === undefined) return 'created';
  if (live.metadata.resourceVersion === now.metadata.resourceVersion) return 'unchanged';
  // A controller that writes a status meanwhile (a disruption budget's, while pods roll) is no change of ours.
  return canonicalJson(comparable(live)) === canonicalJson(comparable(now)) ? 'unchanged' : 'configured';
}

/** A definition of the set is established by now; the server takes a moment to serve it. */
async function nowServed(known: Resource, { cluster, clock }: K8sTools, signal: AbortSignal): Promise<Resource> {
  const deadline = after(clock.now(), seconds(30));
  return until(clock, { every: milliseconds(250), deadline, signal }, async () =>
    (await cluster.resources(signal, 'fresh')).find(
      ({ apiVersion, kind, verbs }) => apiVersion === known.apiVersion && kind === known.kind && verbs.length > 0,
    ),
  ).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Failure(
      { what: `${known.apiVersion} ${known.kind} is not served`, why: 'its definition was applied 30 s ago' },
      { cause },
    );
  });
}

export async function deleteAndWait(
  { resource, live }: { readonly resource: Resource; readonly live: KubeObject },
  { cluster, clock }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  const uid = live.metadata.uid ?? '';
  if (isKept(live))
    throw new Failure({
      what: `${describeObject(live)} is not replaced`,
      why: 'objects of its kind are never deleted',
    });
  await cluster.delete(resource, live.metadata, { uid, children: 'background' }, signal);
  const deadline = after(clock.now(), seconds(60));
  await until(clock, { every: seconds(1), deadline, signal }, async () => {
    const left = await cluster.get(resource, live.metadata, signal);
    return left === undefined || left.metadata.uid !== uid ? 'gone' : undefined;
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Failure(
      {
        what: `${describeObject(live)} does not go`,
        why: 'it was deleted 60 s ago and something holds it (finalizers)',
      },
      { cause },
    );
  });
}
