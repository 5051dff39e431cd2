import { PODS, REPLICA_SETS, EVENTS, LEASES, SECRETS, type Resource, leaseName } from './resource.ts';
import { type KubeObject, groupOf } from './object.ts';
import { makesPods } from './readiness.ts';

/** One right that the action needs, in the words of RBAC. */
export interface Right {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Absent: all names. */
  readonly name?: string;
  /** Absent: of the cluster. */
  readonly namespace?: string;
  readonly why: string;
}

const APPLY = ['get', 'create', 'patch', 'delete'] as const;
const FOLLOW = ['list', 'watch'] as const;

/**
 * Everything that deploy, roll back and prune need for these objects. Secrets are asked for by name; only `create`, which
 * RBAC cannot bind to a name, is not.
 */
export function rightsFor(
  objects: readonly KubeObject[],
  {
    resourceOf,
    app,
    home,
  }: { resourceOf(object: KubeObject): Resource | undefined; readonly app: string; readonly home: string },
): readonly Right[] {
  const rights: Right[] = [];
  for (const object of objects) {
    const resource = resourceOf(object);
    if (resource === undefined) continue;
    const { namespace, name } = object.metadata;
    const where = namespace === undefined ? {} : { namespace };
    const base = { group: resource.group, resource: resource.plural, ...where };
    const secret = object.kind === 'Secret' && groupOf(object.apiVersion) === '';
    const mayGo = object.kind !== 'Namespace' && object.kind !== 'CustomResourceDefinition';
    for (const verb of APPLY.filter((each) => mayGo || each !== 'delete'))
      rights.push({
        ...base,
        verb,
        ...(secret && verb !== 'create' ? { name } : {}),
        why: 'applies the set and takes it back',
      });
    if (!secret)
      for (const verb of FOLLOW) rights.push({ ...base, verb, why: 'waits for it, and finds what is to be pruned' });
    if (makesPods(object) && namespace !== undefined) rights.push(...podRights(namespace));
    if (object.kind === 'StatefulSet' && namespace !== undefined)
      rights.push({
        group: '',
        resource: PODS.plural,
        verb: 'delete',
        namespace,
        why: 'ends a pod that keeps a StatefulSet from going back',
      });
  }
  return uniqueRights([...rights, ...stateRights(app, home)]);
}

export function podRights(namespace: string): readonly Right[] {
  const of = (resource: Resource, verbs: readonly string[], why: string): readonly Right[] =>
    verbs.map((verb) => ({ group: resource.group, resource: resource.plural, verb, namespace, why }));
  return [
    ...of(PODS, FOLLOW, 'sees why a pod does not come up'),
    ...of(REPLICA_SETS, FOLLOW, 'tells new pods from old ones'),
    ...of(EVENTS, ['list'], 'shows why, when it fails'),
    { group: '', resource: 'pods/log', verb: 'get', namespace, why: 'shows the last lines, when it fails' },
  ];
}

/** The record of releases (Secrets `sluice.<app>.v<N>`) and the lease. */
function stateRights(app: string, home: string): readonly Right[] {
  const record = 'keeps the releases to go back to';
  return [
    ...['create', 'list', 'get', 'update', 'delete'].map((verb) => ({
      group: '',
      resource: SECRETS.plural,
      verb,
      namespace: home,
      why: record,
    })),
    ...leaseRights(app, home),
  ];
}

export function leaseRights(app: string, home: string): readonly Right[] {
  const lease = 'lets one release in at a time';
  return [
    { group: LEASES.group, resource: LEASES.plural, verb: 'create', namespace: home, why: lease },
    ...['get', 'update'].map((verb) => ({
      group: LEASES.group,
      resource: LEASES.plural,
      verb,
      name: leaseName(app),
      namespace: home,
      why: lease,
    })),
  ];
}

const keyOfRight = ({ group, resource, verb, name = '', namespace = '' }: Right): string =>
  [namespace, group, resource, verb, name].join('|');

export const uniqueRights = (rights: readonly Right[]): readonly Right[] => [
  ...new Map(rights.map((right) => [keyOfRight(right), right])).values(),
];

export const describeRight = ({ group, resource, verb, name, namespace }: Right): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` "${name}"`}${namespace === undefined ? ' in the cluster' : ` in namespace ${namespace}`}`;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Rules with the same verbs and names, put together: as short as a person would write it. */
function rulesOf(rights: readonly Right[]): readonly Rule[] {
  const byResource = new Map<string, { group: string; resource: string; names: string; verbs: Set<string> }>();
  const namesOf = new Map<string, Set<string>>();
  for (const { group, resource, verb, name } of rights) {
    const key = `${group}|${resource}|${name === undefined ? 'all' : verb}`;
    const entry = byResource.get(key) ?? { group, resource, names: name === undefined ? '' : key, verbs: new Set() };
    entry.verbs.add(verb);
    byResource.set(key, entry);
    if (name !== undefined) namesOf.set(key, (namesOf.get(key) ?? new Set()).add(name));
  }
  const merged = new Map<string, { group: string; resources: Set<string>; names: string; verbs: readonly string[] }>();
  for (const { group, resource, names, verbs } of byResource.values()) {
    const listed = names === '' ? '' : [...(namesOf.get(names) ?? [])].sort().join(',');
    const sorted = [...verbs].sort();
    const key = [group, listed, listed === '' ? sorted.join(',') : `${resource}`].join('|');
    const entry = merged.get(key);
    const all = entry === undefined ? sorted : [...new Set([...entry.verbs, ...sorted])].sort();
    merged.set(key, { group, resources: (entry?.resources ?? new Set()).add(resource), names: listed, verbs: all });
  }
  return [...merged.values()]
    .map(({ group, resources, names, verbs }) => ({
      apiGroups: [group],
      resources: [...resources].sort(),
      ...(names === '' ? {} : { resourceNames: names.split(',') }),
      verbs,
    }))
    .sort((a, b) => (String(a.apiGroups) + String(a.resources) < String(b.apiGroups) + String(b.resources) ? -1 : 1));
}

/** On a Role that is printed: what it is for. */
export const MODES_ANNOTATION = 'sluice.dev/modes';

/** The Role of each namespace, and a ClusterRole where the set reaches the cluster: ready to be applied. */
export function rolesFor(rights: readonly Right[], app: string, modes: string): readonly KubeObject[] {
  const namespaces = [...new Set(rights.flatMap(({ namespace }) => namespace ?? []))].sort();
  const name = `sluice-${app}`;
  const annotations = { [MODES_ANNOTATION]: modes };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const cluster = rights.filter(({ namespace }) => namespace === undefined);
  return [
    ...namespaces.map((namespace) => ({
      apiVersion,
      kind: 'Role',
      metadata: { name, namespace, annotations },
      rules: rulesOf(rights.filter((right) => right.namespace === namespace)),
    })),
    ...(cluster.length === 0
      ? []
      : [{ apiVersion, kind: 'ClusterRole', metadata: { name, annotations }, rules: rulesOf(cluster) }]),
  ];
}
