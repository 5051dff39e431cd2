import { canonicalJson } from '../canonical-json.ts';
import { type Manifest } from './manifest.ts';
import { type KubeObject, fieldAt, isFields, isKept, keyOf, refOf, withField } from './object.ts';
import { neededByPods, podSpecPath } from './pod-templates.ts';
import type { Resource } from './resource.ts';

/** Label of what a set has put into the cluster and may be deleted; what is pruned is found by it. */
export const APP_LABEL = 'sluice.dev/app';
/**
 * Annotation of what a set has outside of its own namespace: the namespace of the releases that it is of. The label does not
 * say it, because an app may be released under one name in several namespaces of a cluster.
 */
export const HOME_ANNOTATION = 'sluice.dev/home';
/** Annotation of a pod template: changes with the config that the pods read, so that they start again with it. */
export const CONFIG_ANNOTATION = 'sluice.dev/config-sha256';

export const managerOf = (app: string): string => `sluice-${app}`;

/** One object as it shall be, and where it belongs. */
export interface Intent {
  readonly manifest: Manifest;
  readonly resource: Resource;
  /** Complete: with namespace, label and annotations. */
  readonly object: KubeObject;
}

export interface Completion {
  readonly app: string;
  /** Where objects without a namespace go. */
  readonly namespace: string;
  readonly restartOnConfig: 'yes' | 'no';
  sha256(text: string): string;
}

/** Puts in what no manifest says: the namespace, our label, and the home of what lies elsewhere. */
export function completeObject(
  object: KubeObject,
  resource: Pick<Resource, 'namespaced'>,
  { app, namespace }: Completion,
): KubeObject {
  const placed = resource.namespaced
    ? withField(object, ['metadata', 'namespace'], object.metadata.namespace ?? namespace)
    : withField(object, ['metadata', 'namespace'], undefined);
  const unlisted = [
    'status',
    'metadata/managedFields',
    'metadata/creationTimestamp',
    'metadata/resourceVersion',
    'metadata/uid',
    'metadata/generation',
  ];
  const plain = unlisted.reduce<KubeObject>((left, path) => withField(left, path.split('/'), undefined), placed);
  // What is never deleted is nobody's own: several apps may have one namespace or definition in their sets.
  const labelled = isKept(plain) ? plain : withField(plain, ['metadata', 'labels', APP_LABEL], app);
  return withHome(labelled, labelled.metadata.namespace === namespace ? undefined : namespace);
}

/** What is never deleted needs no home, and apps that share a definition do not write over each other's. */
export const withHome = (object: KubeObject, home: string | undefined): KubeObject =>
  withField(object, ['metadata', 'annotations', HOME_ANNOTATION], isKept(object) ? undefined : home);

/**
 * A hash of all config of the set that the pods of a workload read. Of several Secrets and maps together, so that nobody
 * can guess one value from it.
 */
export function withConfigHash(
  object: KubeObject,
  all: readonly KubeObject[],
  { restartOnConfig, sha256 }: Completion,
): KubeObject {
  const path = podSpecPath(object);
  const isController = path !== undefined && path.length > 1 && object.kind !== 'Job';
  if (restartOnConfig === 'no' || !isController || object.kind === 'CronJob') return object;
  const { namespace } = object.metadata;
  const keys = new Set(
    neededByPods(object)
      .filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret')
      .map(({ kind, name }) =>
        keyOf({ apiVersion: 'v1', kind, name, ...(namespace === undefined ? {} : { namespace }) }),
      ),
  );
  const read = all.filter((each) => keys.has(keyOf(refOf(each))));
  if (read.length === 0) return object;
  const contents = read.map((each) => [keyOf(refOf(each)), each['data'], each['binaryData'], each['stringData']]);
  const hash = sha256(canonicalJson(contents.map((each) => each.map((part) => part ?? null)))).slice(0, 16);
  return withField(object, [...path.slice(0, -1), 'metadata', 'annotations', CONFIG_ANNOTATION], hash);
}

/** The workload that an autoscaler scales, as a key. */
export function scaledBy(autoscaler: KubeObject): string | undefined {
  const target = fieldAt(autoscaler, 'spec', 'scaleTargetRef');
  if (!isFields(target)) return undefined;
  const { namespace } = autoscaler.metadata;
  return keyOf({
    apiVersion: String(target['apiVersion'] ?? 'apps/v1'),
    kind: String(target['kind'] ?? 'Deployment'),
    name: String(target['name']),
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** Keys of the workloads that the autoscalers among these scale. */
export const scaledAmong = (objects: readonly KubeObject[]): ReadonlySet<string> =>
  new Set(
    objects
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
      .flatMap((each) => scaledBy(each) ?? []),
  );
