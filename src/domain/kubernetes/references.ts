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
  /** `comes`: somebody may make it once the set is there, so that its absence is no reason to stop. */
  readonly missing: 'stops' | 'comes';
}

const VERSIONS: Readonly<Record<string, string>> = {
  PriorityClass: 'scheduling.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
};
const OF_THE_CLUSTER = /^(?:PriorityClass|ClusterRole|IngressClass)$/;

/** Everything that the set names and neither has nor makes, each once: what stops is kept before what may come. */
export function referencesOutside(manifests: readonly Manifest[]): readonly Reference[] {
  const objects = manifests.map(({ object }) => object);
  const own = new Set([...objects, ...objects.flatMap(secretsMadeBy)].map((object) => keyOf(refOf(object))));
  const makers = objects.some(mayMake);
  const found = new Map<string, Reference>();
  for (const { object, origin } of manifests) {
    for (const { kind, name, by, missing = makers && MADE.test(kind) ? 'comes' : 'stops' } of namedBy(object)) {
      const namespace = OF_THE_CLUSTER.test(kind) ? undefined : object.metadata.namespace;
      const apiVersion = VERSIONS[kind] ?? 'v1';
      const ref: Ref = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
      const key = keyOf(ref);
      if (own.has(key) || (found.has(key) && !(found.get(key)?.missing === 'comes' && missing === 'stops'))) continue;
      found.set(key, { ref, by: `${describeObject(object)}, ${by}`, at: placeOf(origin), missing });
    }
  }
  return [...found.values()];
}

/** What operators make for the objects that they are given. */
const MADE = /^(?:ConfigMap|Secret|PersistentVolumeClaim|Service)$/;

/** Groups whose objects make none of it: the cluster's own, and those that are common beside a workload. */
const MAKES_NOTHING =
  /^[a-z]*$|\.k8s\.io$|^(?:monitoring\.coreos\.com|keda\.sh|(?:networking|security)\.istio\.io|argoproj\.io|traefik\.(?:io|containo\.us)|projectcontour\.io|(?:elbv2|vpcresources)\.k8s\.aws|cloud\.google\.com|networking\.gke\.io)$/;
const mayMake = ({ apiVersion }: KubeObject): boolean => !MAKES_NOTHING.test(groupOf(apiVersion));

/** Where kinds that are there to make a Secret say its name; without it, it has theirs. */
const SECRET_NAMES: Readonly<Record<string, readonly string[]>> = {
  'external-secrets.io/ExternalSecret': ['spec', 'target', 'name'],
  'bitnami.com/SealedSecret': ['spec', 'template', 'metadata', 'name'],
  'cert-manager.io/Certificate': ['spec', 'secretName'],
  'secrets.hashicorp.com/VaultStaticSecret': ['spec', 'destination', 'name'],
  'secrets.hashicorp.com/VaultDynamicSecret': ['spec', 'destination', 'name'],
  'secrets.hashicorp.com/VaultPKISecret': ['spec', 'destination', 'name'],
};

function secretsMadeBy(object: KubeObject): readonly KubeObject[] {
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  const path = SECRET_NAMES[key];
  const names = path === undefined ? [] : [textAt(object, ...path) ?? object.metadata.name];
  const synced =
    key === 'secrets-store.csi.x-k8s.io/SecretProviderClass'
      ? listAt(object, 'spec', 'secretObjects').flatMap((each) => textAt(each, 'secretName') ?? [])
      : [];
  const { namespace } = object.metadata;
  return [...names, ...synced].map((name) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  }));
}

interface Named {
  readonly kind: string;
  readonly name: string;
  readonly by: string;
  /** Absent: what stands elsewhere in the set decides. */
  readonly missing?: Reference['missing'];
}

function namedBy(object: KubeObject): readonly Named[] {
  const group = groupOf(object.apiVersion);
  if (group === 'networking.k8s.io' && object.kind === 'Ingress') return namedByIngress(object);
  if (group === 'rbac.authorization.k8s.io' && /RoleBinding$/.test(object.kind)) {
    const [kind, name] = [textAt(object, 'roleRef', 'kind'), textAt(object, 'roleRef', 'name')];
    return kind === undefined || name === undefined ? [] : [{ kind, name, by: 'roleRef' }];
  }
  return neededByPods(object)
    .filter(({ name }) => name !== ROOT_CERTIFICATE)
    .map((needed) =>
      needed.by === 'imagePullSecrets' || MESH.test(needed.name) ? { ...needed, missing: 'comes' } : needed,
    );
}

/** A controller puts it into every namespace. */
const ROOT_CERTIFICATE = 'kube-root-ca.crt';
/** So does that of a mesh, where there is one. */
const MESH = /^istio-ca-root-cert$/;

function namedByIngress(object: KubeObject): readonly Named[] {
  // Of the AWS Load Balancer Controller: a redirect or a fixed answer that an annotation describes, and no Service.
  const isAction = (name: string, backend: unknown): boolean =>
    textAt(backend, 'service', 'port', 'name') === 'use-annotation' ||
    Object.keys(object.metadata.annotations ?? {}).some((key) => key.endsWith(`/actions.${name}`));
  const secrets = listAt(object, 'spec', 'tls').flatMap((entry) => {
    const name = textAt(entry, 'secretName');
    // cert-manager makes it for an Ingress that is there; meanwhile the controller serves a certificate of its own.
    return name === undefined ? [] : [{ kind: 'Secret', name, by: 'tls', missing: 'comes' as const }];
  });
  const backends = [
    fieldAt(object, 'spec', 'defaultBackend'),
    ...listAt(object, 'spec', 'rules').flatMap((rule) =>
      listAt(rule, 'http', 'paths').map((path) => fieldAt(path, 'backend')),
    ),
  ];
  const services = backends.filter(isFields).flatMap((backend) => {
    const name = textAt(backend, 'service', 'name');
    return name === undefined || isAction(name, backend) ? [] : [{ kind: 'Service', name, by: 'backend' }];
  });
  return [...secrets, ...services];
}
