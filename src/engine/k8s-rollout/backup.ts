import type { Duration, Instant } from '../../domain/duration.ts';
import { formatInstant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import {
  type Backup,
  backupKinds,
  backupName,
  checkBackup,
  chooseBackup,
  expiredBackups,
  exported,
} from '../../domain/kubernetes/backup.ts';
import { type KubeObject, describeObject, refOf } from '../../domain/kubernetes/object.ts';
import { makesPods } from '../../domain/kubernetes/readiness.ts';
import { resourceFor } from '../../domain/kubernetes/resource.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { inParallel } from '../in-parallel.ts';
import { type ToApply, applyInPhases } from './apply.ts';
import { diagnose } from './diagnose.ts';
import { holdLease } from './lease.ts';
import { AT_ONCE, type AppRef, type K8sResult, type K8sTools, type Verify } from './rollout.ts';
import { waitReady } from './wait.ts';

export interface BackupResult {
  readonly name: string;
  readonly objects: readonly KubeObject[];
  readonly removed: readonly string[];
}

/** Everything of the namespace that nobody else makes, Secrets included. A kind that may not be listed fails it. */
export async function backUp(
  { namespace, keep, write }: { readonly namespace: string; readonly keep: Duration; readonly write: 'yes' | 'no' },
  store: BackupStore,
  { cluster, clock, log }: Pick<K8sTools, 'cluster' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<BackupResult> {
  const kinds = backupKinds(await cluster.resources(signal));
  const listed = await inParallel(kinds, AT_ONCE, (resource) => cluster.list(resource, { namespace }, signal));
  const objects = listed.flatMap(({ items }) => items.flatMap((item) => exported(item) ?? []));
  if (objects.length === 0)
    throw new Failure({ what: `There is nothing to back up in namespace ${namespace}`, next: 'Check namespace' });
  const now = clock.now();
  const name = backupName(namespace, now);
  const backup: Backup = { schema: 'sluice/backup/v1', namespace, takenAt: formatInstant(now), objects };
  if (write === 'no') return { name, objects, removed: [] };
  await store.put(name, JSON.stringify(backup), signal);
  log.info(`${objects.length} objects are in ${store.name}/${name}`);
  const removed = expiredBackups(await store.list(signal), { namespace, keep, now });
  for (const old of removed) {
    await store.remove(old, signal);
    log.info(`${old} is older than it is kept, and gone`);
  }
  return { name, objects, removed };
}

export interface RestoreWish {
  readonly ref: AppRef;
  readonly run: string;
  readonly process: string;
  readonly which: string;
  readonly deadline: Instant;
  readonly onConflict: 'fail' | 'wait';
  readonly verify?: Verify;
}

export async function readBackup(
  { ref, which }: Pick<RestoreWish, 'ref' | 'which'>,
  store: BackupStore,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly backup: Backup }> {
  const name = chooseBackup(await store.list(signal), ref.namespace, which);
  return { name, backup: checkBackup(JSON.parse(await store.get(name, signal)), name) };
}

/** Secrets and config first, then the rest in phases, then its health. What came later and is not in it stays. */
export async function restoreBackup(
  wish: RestoreWish,
  store: BackupStore,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult & { readonly name: string }> {
  const { name, backup } = await readBackup(wish, store, signal);
  tools.log.info(`Restoring ${backup.objects.length} objects of ${name}, taken ${backup.takenAt}`);
  const lease = await holdLease(wish, tools, signal);
  try {
    const { objects, missing } = await toApply(backup, tools, lease.signal);
    const restored = { app: 'restore', namespace: wish.ref.namespace };
    const applied = await applyInPhases(objects, { ref: restored, conflicts: 'force', lease }, tools, lease.signal);
    const base = { name, changed: true, objects: applied, plan: [], causes: [], diagnosis: missing };
    const targets = applied.filter(({ object }) => object.kind !== 'Job');
    const end = await waitReady({ targets, deadline: wish.deadline, way: 'there' }, tools, lease.signal);
    if (end.kind !== 'ready') {
      const told = await diagnose(end.unready, () => undefined, tools, lease.signal);
      const reason = told.causes[0]?.text ?? 'it did not become ready';
      const outcome = end.kind === 'bad' ? 'failed' : end.kind;
      return { ...base, outcome, reason, causes: told.causes, diagnosis: [...missing, ...told.lines] };
    }
    const verified = await wish.verify?.(lease.signal);
    if (verified?.kind === 'bad')
      return { ...base, outcome: 'failed', reason: verified.reason, diagnosis: [...missing, ...verified.lines] };
    const workloads = applied.filter(({ object }) => makesPods(object)).length;
    return {
      ...base,
      outcome: 'succeeded',
      reason: `${applied.length} objects of ${name} are back, ${workloads} workloads healthy`,
    };
  } finally {
    await lease.release();
  }
}

async function toApply(
  { objects }: Backup,
  { cluster }: K8sTools,
  signal: AbortSignal,
): Promise<{ readonly objects: readonly ToApply[]; readonly missing: readonly string[] }> {
  const served = await cluster.resources(signal);
  const missing: string[] = [];
  const found = await inParallel(objects, AT_ONCE, async (object): Promise<readonly ToApply[]> => {
    const resource = resourceFor(object, served);
    if (resource === undefined) {
      missing.push(`${describeObject(object)} is left out: ${object.apiVersion} ${object.kind} is not served any more`);
      return [];
    }
    const live = await cluster.get(resource, refOf(object), signal);
    // A Job that is there has run; what it is made of cannot change.
    if (object.kind === 'Job' && live !== undefined) return [];
    return [{ resource, object, live, way: 'apply' }];
  });
  return { objects: found.flat(), missing };
}
