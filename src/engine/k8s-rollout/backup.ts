import type { Duration } from '../../domain/duration.ts';
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
  isDone,
} from '../../domain/kubernetes/backup.ts';
import { type KubeObject, describeObject } from '../../domain/kubernetes/object.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { inParallel } from '../in-parallel.ts';
import { AT_ONCE, type AppRef, type K8sTools } from './rollout.ts';

export interface BackupResult {
  readonly name: string;
  readonly objects: readonly KubeObject[];
  readonly removed: readonly string[];
  /** Jobs that have ended, and are left out. */
  readonly ended: readonly KubeObject[];
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
  const ended = listed.flatMap(({ items }) => items.filter(isDone));
  if (ended.length > 0)
    log.info(`${ended.map(describeObject).join(', ')}: ended, and left out, for a restore would run it again`);
  const now = clock.now();
  const name = backupName(namespace, now);
  const backup: Backup = { schema: 'sluice/backup/v1', namespace, takenAt: formatInstant(now), objects };
  if (write === 'no') return { name, objects, removed: [], ended };
  await store.put(name, JSON.stringify(backup), signal);
  log.info(`${objects.length} objects are in ${store.name}/${name}`);
  const removed = expiredBackups(await store.list(signal), { namespace, keep, now });
  for (const old of removed) {
    await store.remove(old, signal);
    log.info(`${old} is older than it is kept, and gone`);
  }
  return { name, objects, removed, ended };
}

export async function readBackup(
  { ref, which }: { readonly ref: AppRef; readonly which: string },
  store: BackupStore,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly backup: Backup }> {
  const name = chooseBackup(await store.list(signal), ref.namespace, which);
  return { name, backup: checkBackup(JSON.parse(await store.get(name, signal)), name) };
}
