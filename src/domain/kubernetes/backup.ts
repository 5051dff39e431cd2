import { type Duration, type Instant, before, formatInstant, instant } from '../duration.ts';
import { Failure } from '../failure.ts';
import { type KubeObject, fieldAt, groupOf, isFields, textAt, withField } from './object.ts';
import { hasEnded } from './readiness.ts';
import { RECORD_TYPE } from './release-record.ts';
import type { Resource } from './resource.ts';

/** What a backup holds, as JSON; packed and sealed by the adapter. */
export interface Backup {
  readonly schema: 'sluice/backup/v1';
  readonly namespace: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly objects: readonly KubeObject[];
}

const SUFFIX = '.sluice-backup';

/** `production-20261124T030000Z.sluice-backup` */
export const backupName = (namespace: string, now: Instant): string =>
  `${namespace}-${formatInstant(now).replaceAll(/[-:]/g, '')}${SUFFIX}`;

/**
 * What stands in the sealed part of a file: a file that was given the name of another moment or namespace would bring back
 * what nobody asked for, and its seal would still be whole.
 */
export function checkBackup(value: unknown, name: string): Backup {
  const refuse = (why: string): Failure =>
    new Failure({ what: `Could not restore ${name}`, why, now: 'Nothing was touched', next: 'Restore another one' });
  if (!isFields(value) || value['schema'] !== 'sluice/backup/v1')
    throw refuse('it was written by another version of Sluice');
  const backup = value as unknown as Backup;
  const sealedAs = backupName(backup.namespace, instant(Date.parse(backup.takenAt)));
  if (sealedAs !== name) throw refuse(`it was sealed as ${sealedAs}, and somebody renamed or replaced it`);
  return backup;
}

interface Named {
  readonly name: string;
  readonly at: Instant;
}

/** Backups of this namespace among files of all kinds, newest first. */
export function backupsIn(names: readonly string[], namespace: string): readonly Named[] {
  return names
    .flatMap((name): readonly Named[] => {
      if (!name.startsWith(`${namespace}-`) || !name.endsWith(SUFFIX)) return [];
      const text = name.slice(namespace.length + 1, -SUFFIX.length);
      const [, y, mo, d, h, mi, s] = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
      return y === undefined ? [] : [{ name, at: instant(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)) }];
    })
    .sort((a, b) => b.at - a.at);
}

/** `latest`, the newest of a day, or the newest that is not later than a time. */
export function chooseBackup(names: readonly string[], namespace: string, which: string): string {
  const all = backupsIn(names, namespace);
  const day = /^\d{4}-\d{2}-\d{2}$/.test(which);
  const digits = which.replaceAll(/\D/g, '').padEnd(14, '0');
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})/.exec(digits) ?? [];
  const time = instant(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`));
  const fits = ({ at }: Named): boolean =>
    which === 'latest' || (day ? formatInstant(at).startsWith(which) : at <= time);
  const found = all.find(fits);
  if (found !== undefined) return found.name;
  const known = all.slice(0, 10).map(({ name }) => name);
  throw new Failure({
    what: `There is no backup of ${namespace} for ${which}`,
    now: known.length === 0 ? 'There is none at all at backup-location' : `There are ${known.join(', ')}`,
    next: 'Name one of their days by restore',
  });
}

/** Those older than `keep`; the newest stays in any case. */
export const expiredBackups = (
  names: readonly string[],
  { namespace, keep, now }: { readonly namespace: string; readonly keep: Duration; readonly now: Instant },
): readonly string[] =>
  backupsIn(names, namespace)
    .slice(1)
    .filter(({ at }) => at < before(now, keep))
    .map(({ name }) => name);

/** Kinds that controllers make, or that are only true for a moment. */
const MADE =
  /^\/(?:Event|Endpoints|Pod|ReplicationController|PodTemplate|Binding)$|^(?:apps\/(?:ReplicaSet|ControllerRevision)|discovery\.k8s\.io\/|events\.k8s\.io\/|coordination\.k8s\.io\/|metrics\.k8s\.io\/|authorization\.k8s\.io\/|resource\.k8s\.io\/)/;

/** One version of every kind of a namespace that can be read and made again. */
export function backupKinds(served: readonly Resource[]): readonly Resource[] {
  const chosen = new Map<string, Resource>();
  for (const resource of served) {
    const { group, kind, namespaced, verbs } = resource;
    const key = `${group}/${kind}`;
    const usable = ['list', 'create', 'patch'].every((verb) => verbs.includes(verb));
    // The first version is the one that the server prefers.
    if (namespaced && usable && !MADE.test(key) && !chosen.has(key)) chosen.set(key, resource);
  }
  return [...chosen.values()];
}

/** What is kept of a live object; undefined: somebody makes it anyway, or it has done what it was made for. */
export function exported(object: KubeObject): KubeObject | undefined {
  const { metadata, kind } = object;
  const made =
    isOwned(object) ||
    (kind === 'ConfigMap' && metadata.name === 'kube-root-ca.crt') ||
    (kind === 'ServiceAccount' && metadata.name === 'default') ||
    (kind === 'Secret' && (object['type'] === 'kubernetes.io/service-account-token' || object['type'] === RECORD_TYPE));
  if (made || isDone(object) || metadata.deletionTimestamp !== undefined) return undefined;
  const dropped = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'];
  const plain = drop(
    object,
    dropped.map((key) => ['metadata', key]),
  );
  return withoutOwn(drop(plain, [['status'], ['metadata', 'annotations', LAST_APPLIED]]));
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const isOwned = ({ metadata }: KubeObject): boolean => (metadata.ownerReferences ?? []).length > 0;

/** A Job that has ended: made again it would run again, over what it has done already. One of an owner is its owner's. */
export const isDone = (object: KubeObject): boolean => !isOwned(object) && hasEnded(object);

const drop = (object: KubeObject, paths: readonly (readonly string[])[]): KubeObject =>
  paths.reduce<KubeObject>((left, path) => withField(left, path, undefined), object);

const CLUSTER_OWN = ['clusterIP', 'clusterIPs', 'healthCheckNodePort'].map((key) => ['spec', key]);

/** With them and without its volume a claim counts as one that has lost it, for ever. */
const CLAIM_OWN = [
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
].map((key) => ['metadata', 'annotations', key]);

/** They carry the uid of the Job: the server refuses those of another one. */
const JOB_LABELS = ['', 'batch.kubernetes.io/'].flatMap((prefix) => [`${prefix}controller-uid`, `${prefix}job-name`]);
const JOB_OWN = [
  ['spec', 'selector'],
  ...JOB_LABELS.flatMap((label) => [
    ['metadata', 'labels', label],
    ['spec', 'template', 'metadata', 'labels', label],
  ]),
];

/** Without what a server or a controller has filled in, and would fill in anew. */
function withoutOwn(object: KubeObject): KubeObject {
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
    case '/Service':
      return textAt(object, 'spec', 'clusterIP') === 'None' ? object : drop(object, CLUSTER_OWN);
    case '/PersistentVolumeClaim':
      return drop(object, [['spec', 'volumeName'], ...CLAIM_OWN]);
    case 'batch/Job':
      return hasGeneratedSelector(object) ? drop(object, JOB_OWN) : object;
    default:
      return object;
  }
}

const hasGeneratedSelector = (job: KubeObject): boolean =>
  fieldAt(job, 'spec', 'selector') !== undefined && fieldAt(job, 'spec', 'manualSelector') !== true;

export type Restorable =
  { readonly kind: 'restored'; readonly object: KubeObject } | { readonly kind: 'left'; readonly why: string };

/** What is made again of an object of a backup: earlier versions of Sluice kept more of it. */
export function restorable(object: KubeObject): Restorable {
  const isJob = groupOf(object.apiVersion) === 'batch' && object.kind === 'Job';
  if (isJob && hasGeneratedSelector(object))
    return { kind: 'left', why: 'the backup is of an earlier version, which did not keep whether a Job has ended' };
  return { kind: 'restored', object: withoutOwn(object) };
}
