import { canonicalJson } from '../../domain/canonical-json.ts';
import { isReason } from '../../domain/kubernetes/failure.ts';
import { type Fields, type KubeObject, describeObject } from '../../domain/kubernetes/object.ts';
import { COUNTER, afterTakeOver, countLetGo, endRolling, takeOver } from '../../domain/kubernetes/ownership.ts';
import type { Resource } from '../../domain/kubernetes/resource.ts';
import type { K8sTools } from './rollout.ts';

interface Owned {
  readonly resource: Resource;
  readonly live: KubeObject;
  readonly manager: string;
}

/** Once, from kubectl's client-side apply. Somebody who writes meanwhile makes it be read again. */
export async function takeOwnership(
  { resource, live, manager }: Owned,
  { cluster, log }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  let current: KubeObject | undefined = live;
  for (let attempt = 1; current !== undefined; attempt++) {
    const change = takeOver(current, manager);
    if (change === undefined) return;
    try {
      await cluster.patch(resource, current.metadata, change, signal);
      log.debug(`${describeObject(current)}: fields of kubectl's client-side apply are ours now`);
      return;
    } catch (thrown) {
      const moved = isReason(thrown, 'Conflict', 'Invalid');
      if (!moved || attempt >= 5) throw thrown;
      current = await cluster.get(resource, current.metadata, signal);
    }
  }
}

/** By a manager whose fields are taken over next. */
export async function endOtherStrategy(
  { resource, live, manager, object }: Owned & { readonly object: KubeObject },
  { cluster }: K8sTools,
  signal: AbortSignal,
): Promise<KubeObject> {
  const change = endRolling(object, live, manager);
  if (change === undefined) return live;
  const { name, namespace } = live.metadata;
  return cluster.patch(resource, { name, namespace, manager: 'sluice-restore' }, change, signal);
}

/** What the server would make of an object whose fields are taken over first: `tried` is the answer to a dry run without that. */
export async function tryTakeOver(
  { resource, live, manager, intent, tried }: Owned & { readonly intent: KubeObject; readonly tried: KubeObject },
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<KubeObject> {
  if (takeOver(live, manager) === undefined) return tried;
  const after = afterTakeOver(tried, { live, intent, manager });
  if (canonicalJson(after) === canonicalJson(tried)) return tried;
  // The server puts its defaults where a field goes, so that only what really changes is shown.
  const { name, namespace } = live.metadata;
  return cluster.patch(resource, { name, namespace, dryRun: 'yes' }, replacing(live, after), signal);
}

/** PURE. The JSON Patch that makes one of the other, but for what the server keeps for itself. */
function replacing(from: KubeObject, to: KubeObject): readonly Fields[] {
  const parts = (object: KubeObject): ReadonlyMap<string, unknown> => {
    const { apiVersion: _version, kind: _kind, status: _status, metadata, ...rest } = object;
    const own = ['labels', 'annotations', 'finalizers', 'ownerReferences'].map((key) => [
      `/metadata/${key}`,
      metadata[key],
    ]);
    const all = Object.entries(rest).map(([key, value]) => [`/${key}`, value]);
    return new Map([...own, ...all].filter(([, value]) => value !== undefined) as [string, unknown][]);
  };
  const [before, after] = [parts(from), parts(to)];
  return [
    ...[...after].map(([path, value]) => ({ op: 'add', path, value })),
    ...[...before.keys()].filter((path) => !after.has(path)).map((path) => ({ op: 'remove', path })),
  ];
}

/**
 * Gives the count of a workload that an autoscaler rules to a manager of its own, before the intent lets it go: a field that
 * nobody has any more falls back to its default, which is one pod under full load.
 */
export async function handOverCount(
  { resource, object, manager }: { readonly resource: Resource; readonly object: KubeObject; readonly manager: string },
  { cluster, log }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  const live = await cluster.get(resource, object.metadata, signal);
  const count = live === undefined ? undefined : countLetGo(object, live, manager);
  if (live === undefined || count === undefined) return;
  const { apiVersion, kind } = object;
  const { name, namespace, uid } = live.metadata;
  const claim = { apiVersion, kind, metadata: { name, namespace, uid }, spec: { replicas: count } } as KubeObject;
  try {
    await cluster.apply(resource, claim, { manager: COUNTER, conflicts: 'refuse', dryRun: 'no' }, signal);
    log.info(`${describeObject(object)}: its count of ${count} is left to its autoscaler`);
  } catch (thrown) {
    // The autoscaler set another one meanwhile, and has the field by that.
    if (!isReason(thrown, 'Conflict')) throw thrown;
  }
}
