import { type Manifest, placeOf } from './manifest.ts';
import {
  type KubeObject,
  type Ref,
  describeObject,
  fieldAt,
  groupOf,
  isFields,
  keyOf,
  listAt,
  refOf,
  textAt,
} from './object.ts';
import { neededByPods } from './pod-templates.ts';

/** An object that is not in the set and must be there already. */
export interface Reference {
  readonly ref: Ref;
  readonly by: string;
  readonly at: string;
}

const VERSIONS: Readonly<Record<string, string>> = {
  PriorityClass: 'scheduling.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
};
const OF_THE_CLUSTER = /^(?:PriorityClass|ClusterRole|IngressClass)$/;

/** Everything that the set names and does not have, each once. */
export function referencesOutside(manifests: readonly Manifest[]): readonly Reference[] {
  const own = new Set(manifests.map(({ object }) => keyOf(refOf(object))));
  const found = new Map<string, Reference>();
  for (const { object, origin } of manifests) {
    for (const { kind, name, by } of namedBy(object)) {
      const namespace = OF_THE_CLUSTER.test(kind) ? undefined : object.metadata.namespace;
      const apiVersion = VERSIONS[kind] ?? 'v1';
      const ref: Ref = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
      const key = keyOf(ref);
      if (own.has(key) || found.has(key)) continue;
      found.set(key, { ref, by: `${describeObject(object)}, ${by}`, at: placeOf(origin) });
    }
  }
  return [...found.values()];
}

interface Named {
  readonly kind: string;
  readonly name: string;
  readonly by: string;
}

function namedBy(object: KubeObject): readonly Named[] {
  const group = groupOf(object.apiVersion);
  if (group === 'networking.k8s.io' && object.kind === 'Ingress') return namedByIngress(object);
  if (group === 'rbac.authorization.k8s.io' && /RoleBinding$/.test(object.kind)) {
    const [kind, name] = [textAt(object, 'roleRef', 'kind'), textAt(object, 'roleRef', 'name')];
    return kind === undefined || name === undefined ? [] : [{ kind, name, by: 'roleRef' }];
  }
  return neededByPods(object);
}

function namedByIngress(object: KubeObject): readonly Named[] {
  const secrets = listAt(object, 'spec', 'tls').flatMap((entry) => {
    const name = textAt(entry, 'secretName');
    return name === undefined ? [] : [{ kind: 'Secret', name, by: 'tls' }];
  });
  const backends = [
    fieldAt(object, 'spec', 'defaultBackend'),
    ...listAt(object, 'spec', 'rules').flatMap((rule) =>
      listAt(rule, 'http', 'paths').map((path) => fieldAt(path, 'backend')),
    ),
  ];
  const services = backends.filter(isFields).flatMap((backend) => {
    const name = textAt(backend, 'service', 'name');
    return name === undefined ? [] : [{ kind: 'Service', name, by: 'backend' }];
  });
  return [...secrets, ...services];
}
