import { type Instant, after } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { APP_LABEL, managerOf } from '../../domain/kubernetes/intent.ts';
import { type KubeObject, type Ref, describeRef, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import { isManagedBy, restrictTo } from '../../domain/kubernetes/ownership.ts';
import { inPhasesBack } from '../../domain/kubernetes/phases.ts';
import type { ReleaseRecord } from '../../domain/kubernetes/release-record.ts';
import { resourceFor } from '../../domain/kubernetes/resource.ts';
import { inParallel } from '../in-parallel.ts';
import { type AppliedObject, applyOne } from './apply.ts';
import { diagnose } from './diagnose.ts';
import type { HeldLease } from './lease.ts';
import { AT_ONCE, type AppRef, type K8sTools, type ObjectResult } from './rollout.ts';
import { waitReady } from './wait.ts';

export interface GoingBack {
  readonly ref: AppRef;
  /** What is taken back. */
  readonly record: ReleaseRecord;
  /** What served before, as it was applied; absent: nothing of this app did. */
  readonly previous: ReleaseRecord | undefined;
  readonly lease: HeldLease;
  readonly within: Instant;
}

export interface WentBack {
  readonly kind: 'rolled-back' | 'rollback-failed';
  /** A clause. */
  readonly reason: string;
  readonly objects: readonly ObjectResult[];
  readonly lines: readonly string[];
}

/** Objects whose loss cannot be made good again. */
const KEPT = /^(?:Namespace|CustomResourceDefinition|PersistentVolume|PersistentVolumeClaim)$/;

/**
 * Puts the intent of the release before back, config and routes included, and waits for its health. Not `rollout undo`,
 * which copies a pod template alone and confuses the next apply (kubernetes/kubernetes#94698). What this release made goes;
 * what stood there before any release of this app gets the values back that this one set. May be called again at any point.
 */
export async function goBack(going: GoingBack, tools: K8sTools, signal: AbortSignal): Promise<WentBack> {
  const { record, previous, ref, lease } = going;
  const { store, log } = tools;
  log.info(
    previous === undefined
      ? `Taking back release ${record.release}`
      : `Going back to release ${previous.release} (revision ${previous.revision})`,
  );
  await lease.guard();
  tools.onWrite();
  await store.write({ ...record, phase: 'rolling-back' }, signal);
  const objects: ObjectResult[] = [];
  const lines: string[] = [];
  try {
    const restored = await restore(going, { objects, lines }, tools, signal);
    const removed = await removeMade(going, lines, tools, signal);
    objects.push(...removed);
    const deadline = going.within;
    const targets = restored.filter(({ object }) => object.kind !== 'Job');
    const end = await waitReady({ targets, deadline }, tools, signal);
    if (end.kind !== 'ready') {
      const told = await diagnose(end.unready, () => undefined, tools, signal);
      lines.push(...told.lines);
      throw new Failure({
        what: 'what served before is not healthy',
        why: told.causes[0]?.text ?? 'it did not become ready',
      });
    }
  } catch (thrown) {
    lease.signal.throwIfAborted();
    const why = thrown instanceof Failure ? thrown.message.replace(/\.$/, '') : messageOf(thrown);
    await store.write({ ...record, phase: 'failed' }, signal).catch(() => undefined);
    return { kind: 'rollback-failed', reason: why, objects, lines };
  }
  await lease.guard();
  await store.write({ ...record, phase: 'rolled-back' }, signal);
  const to =
    previous === undefined ? 'what was there before' : `release ${previous.release} (revision ${previous.revision})`;
  return { kind: 'rolled-back', reason: `${to} is back in ${ref.namespace}`, objects, lines };
}

/** A deadline of its own: a way back that gives up because the way there took too long would leave the worst. */
export const wayBackUntil = (now: Instant, within: Parameters<typeof after>[1]): Instant => after(now, within);

async function restore(
  { record, previous, ref, lease }: GoingBack,
  { objects, lines }: { readonly objects: ObjectResult[]; readonly lines: string[] },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<readonly AppliedObject[]> {
  const { cluster } = tools;
  const served = await cluster.resources(signal);
  const restored: AppliedObject[] = [];
  for (const { members } of inPhasesBack(wantedBack(record, previous), (each) => each)) {
    await lease.guard();
    const done = await inParallel(members, AT_ONCE, async (object) => {
      const resource = resourceFor(object, served);
      if (resource === undefined) {
        lines.push(`${describeRef(refOf(object))} is not served any more and stays as it is`);
        return undefined;
      }
      const live = await cluster.get(resource, object.metadata, signal);
      // What others took over meanwhile stays theirs, and it is said.
      return applyOne({ resource, object, live, way: 'apply' }, { ref, conflicts: 'yield', lease }, tools, signal);
    });
    for (const each of done) {
      if (each === undefined) continue;
      restored.push(each);
      const result = { ...each, done: each.done === 'unchanged' ? each.done : ('restored' as const) };
      objects.push(result);
      if (each.note !== undefined) lines.push(`${describeRef(each.ref)}: ${each.note}`);
      if (each.done !== 'unchanged') tools.log.info(`${describeRef(each.ref)} restored`);
    }
  }
  return restored;
}

/** Jobs have run; running those of an earlier release again would undo nothing. */
function wantedBack(record: ReleaseRecord, previous: ReleaseRecord | undefined): readonly KubeObject[] {
  const intents = (previous?.objects ?? []).filter(({ kind }) => kind !== 'Job');
  const known = new Set(intents.map((object) => keyOf(refOf(object))));
  const intended = new Map(record.objects.map((object) => [keyOf(refOf(object)), object]));
  const foreign = record.before.flatMap(({ ref, object }) => {
    const intent = intended.get(keyOf(ref));
    return object === undefined || intent === undefined || known.has(keyOf(ref)) || ref.kind === 'Job'
      ? []
      : [restrictTo(intent, object)];
  });
  return [...intents, ...foreign];
}

async function removeMade(
  { record, previous, ref, lease }: GoingBack,
  lines: string[],
  tools: K8sTools,
  signal: AbortSignal,
): Promise<readonly ObjectResult[]> {
  const kept = new Set((previous?.objects ?? []).map((object) => keyOf(refOf(object))));
  const made = record.before.filter(({ ref: each, object }) => object === undefined && !kept.has(keyOf(each)));
  const results: ObjectResult[] = [];
  for (const { members } of [...inPhasesBack(made, ({ ref: each }) => asObject(each))].reverse()) {
    await lease.guard();
    const done = await inParallel(members, AT_ONCE, ({ ref: each }) => removeOne(each, { ref, lines }, tools, signal));
    results.push(...done.flat());
  }
  return results;
}

const asObject = ({ apiVersion, kind, name }: Ref): KubeObject => ({ apiVersion, kind, metadata: { name } });

export async function removeOne(
  each: Ref,
  { ref, lines }: { readonly ref: AppRef; readonly lines: string[] },
  { cluster, log }: K8sTools,
  signal: AbortSignal,
): Promise<readonly ObjectResult[]> {
  if (KEPT.test(each.kind)) {
    lines.push(`${describeRef(each)} stays: it is never deleted`);
    return [];
  }
  const resource = resourceFor(each, await cluster.resources(signal));
  const live = resource === undefined ? undefined : await cluster.get(resource, each, signal);
  if (resource === undefined || live?.metadata.uid === undefined) return [];
  const ours = live.metadata.labels?.[APP_LABEL] === ref.app && isManagedBy(live, managerOf(ref.app));
  if (!ours) {
    lines.push(`${describeRef(each)} stays: it is not managed by this app any more`);
    return [];
  }
  await cluster.delete(resource, each, { uid: live.metadata.uid, children: 'background' }, signal);
  log.info(`${describeRef(each)} deleted`);
  return [{ ref: each, done: 'deleted' }];
}
