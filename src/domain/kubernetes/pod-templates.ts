import { type Fields, type KubeObject, fieldAt, groupOf, isFields, listAt, textAt } from './object.ts';

type Path = readonly (string | number)[];

/** Where a kind keeps the pod that it makes: the path of its pod spec. */
export function podSpecPath({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Path | undefined {
  const group = groupOf(apiVersion);
  if (group === '' && kind === 'Pod') return ['spec'];
  if (group === '' && (kind === 'ReplicationController' || kind === 'PodTemplate'))
    return kind === 'PodTemplate' ? ['template', 'spec'] : ['spec', 'template', 'spec'];
  if (group === 'batch' && kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
  if (group === 'keda.sh' && kind === 'ScaledJob') return ['spec', 'jobTargetRef', 'template', 'spec'];
  const templated =
    (group === 'apps' && /^(Deployment|StatefulSet|DaemonSet|ReplicaSet)$/.test(kind)) ||
    (group === 'batch' && kind === 'Job') ||
    (group === 'argoproj.io' && kind === 'Rollout') ||
    (group === 'serving.knative.dev' && kind === 'Service');
  return templated ? ['spec', 'template', 'spec'] : undefined;
}

export interface Container {
  readonly name: string;
  readonly image: string | undefined;
  readonly path: Path;
}

/** Containers and init containers, in this order. Ephemeral ones are made by people and never by a manifest. */
export function containersOf(object: KubeObject): readonly Container[] {
  const spec = podSpecPath(object);
  if (spec === undefined) return [];
  return ['containers', 'initContainers'].flatMap((list) =>
    listAt(object, ...spec, list).flatMap((entry, index) =>
      isFields(entry)
        ? [{ name: textAt(entry, 'name') ?? '', image: textAt(entry, 'image'), path: [...spec, list, index] }]
        : [],
    ),
  );
}

/** Something that a pod needs and that may be made elsewhere. */
export interface Needed {
  readonly kind: 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim' | 'PriorityClass';
  readonly name: string;
  /** `Deployment shop/web, container web, envFrom` */
  readonly by: string;
}

/** Config and secrets that the pods of `object` cannot start without. Optional references are left out. */
export function neededByPods(object: KubeObject): readonly Needed[] {
  const path = podSpecPath(object);
  const spec = path === undefined ? undefined : fieldAt(object, ...path);
  if (!isFields(spec)) return [];
  const account = textAt(spec, 'serviceAccountName');
  const priority = textAt(spec, 'priorityClassName');
  return [
    ...(account === undefined || account === 'default' ? [] : [need('ServiceAccount', account, 'serviceAccountName')]),
    ...(priority === undefined || priority.startsWith('system-')
      ? []
      : [need('PriorityClass', priority, 'priorityClassName')]),
    ...listAt(spec, 'imagePullSecrets').flatMap((entry) => named('Secret', textAt(entry, 'name'), 'imagePullSecrets')),
    ...listAt(spec, 'volumes').flatMap(neededByVolume),
    ...[...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')].flatMap(neededByContainer),
  ];
}

const need = (kind: Needed['kind'], name: string, by: string): Needed => ({ kind, name, by });
const named = (kind: Needed['kind'], name: string | undefined, by: string): readonly Needed[] =>
  name === undefined ? [] : [need(kind, name, by)];
const isOptional = (source: unknown): boolean => isFields(source) && source['optional'] === true;

function neededByVolume(volume: unknown): readonly Needed[] {
  const by = `volume ${textAt(volume, 'name') ?? ''}`;
  const sources: readonly Fields[] = [
    ...(isFields(volume) ? [volume] : []),
    ...listAt(volume, 'projected', 'sources').filter(isFields),
  ];
  return sources.flatMap((source) => [
    ...(isOptional(source['configMap']) ? [] : named('ConfigMap', textAt(source, 'configMap', 'name'), by)),
    ...(isOptional(source['secret'])
      ? []
      : named('Secret', textAt(source, 'secret', 'secretName') ?? textAt(source, 'secret', 'name'), by)),
    ...named('PersistentVolumeClaim', textAt(source, 'persistentVolumeClaim', 'claimName'), by),
  ]);
}

function neededByContainer(container: unknown): readonly Needed[] {
  const who = `container ${textAt(container, 'name') ?? ''}`;
  const from = listAt(container, 'envFrom').flatMap((source) => [
    ...(isOptional(fieldAt(source, 'configMapRef'))
      ? []
      : named('ConfigMap', textAt(source, 'configMapRef', 'name'), `${who}, envFrom`)),
    ...(isOptional(fieldAt(source, 'secretRef'))
      ? []
      : named('Secret', textAt(source, 'secretRef', 'name'), `${who}, envFrom`)),
  ]);
  const env = listAt(container, 'env').flatMap((entry) => {
    const by = `${who}, env ${textAt(entry, 'name') ?? ''}`;
    const source = fieldAt(entry, 'valueFrom');
    return [
      ...(isOptional(fieldAt(source, 'configMapKeyRef'))
        ? []
        : named('ConfigMap', textAt(source, 'configMapKeyRef', 'name'), by)),
      ...(isOptional(fieldAt(source, 'secretKeyRef'))
        ? []
        : named('Secret', textAt(source, 'secretKeyRef', 'name'), by)),
    ];
  });
  return [...from, ...env];
}
